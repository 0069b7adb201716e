#include "codec/regex.h"

#include "codec/regex_shim.h"

#define ERROR_MAX 256

/* struct regex is RE2's own object, never looked into here. */

static void say(struct buf *error, const char *text)
{
    if (error)
        buf_add(error, str_of(text));
}

/* RE2 wants a pointer even where there are no octets. */
static const char *start_of(struct str s)
{
    return s.p ? s.p : "";
}

struct regex *regex_new(struct str pattern, struct buf *error)
{
    char why[ERROR_MAX] = "";
    void *re;

    if (pattern.n > REGEX_PATTERN_MAX) {
        say(error, "the pattern is longer than 1024 octets");
        return NULL;
    }
    re = re2_shim_new(start_of(pattern), pattern.n, REGEX_MEMORY_MAX, why, sizeof(why));
    if (!re)
        say(error, why);
    return re;
}

void regex_free(struct regex *r)
{
    re2_shim_free(r);
}

int regex_size(const struct regex *r)
{
    return re2_shim_size(r);
}

bool regex_is_full(const struct regex *r, struct str text)
{
    return re2_shim_full(r, start_of(text), text.n);
}

bool regex_is_partial(const struct regex *r, struct str text)
{
    return re2_shim_partial(r, start_of(text), text.n);
}

bool regex_rewrite_check(const struct regex *r, struct str rewrite, struct buf *error)
{
    char why[ERROR_MAX] = "";

    if (re2_shim_rewrite_check(r, start_of(rewrite), rewrite.n, why, sizeof(why)))
        return true;
    say(error, why);
    return false;
}

struct taker {
    struct arena *a;
    struct str got;
};

static void take(void *arg, const char *p, size_t n)
{
    struct taker *t = arg;

    t->got = arena_dup(t->a, str_make(p, n));
}

struct str regex_replace_all(const struct regex *r, struct str text, struct str rewrite,
                             struct arena *a)
{
    struct taker t = { a, text };
    int count = re2_shim_replace_all(r, start_of(text), text.n, start_of(rewrite), rewrite.n, take,
                                     &t);

    return count > 0 ? t.got : text;
}
