#include "codec/regex.h"

#include "codec/regex_copies.h"
#include "codec/regex_shim.h"

#include <stdlib.h>

#define ERROR_MAX 256

struct regex {
    struct str pattern; /* behind the struct */
    int64_t memory;
    int size;
    struct regex_copies copies; /* RE2's objects */
};

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

static void *compile(struct str pattern, int64_t memory, char *why)
{
    return re2_shim_new(start_of(pattern), pattern.n, memory, why, ERROR_MAX);
}

static void *compile_again(const void *arg)
{
    const struct regex *r = arg;
    char why[ERROR_MAX];

    return compile(r->pattern, r->memory, why);
}

/* RE2's object for this thread. Copying changes nothing that is seen, hence the const. */
static const void *mine(const struct regex *r)
{
    return regex_copy_mine((struct regex_copies *)&r->copies, compile_again, r);
}

static struct regex *regex_wrap(struct str pattern, void *re, int64_t memory)
{
    struct regex *r = must_alloc(sizeof(*r) + pattern.n);
    char *text = (char *)(r + 1);

    if (pattern.n)
        memcpy(text, pattern.p, pattern.n);
    *r = (struct regex){ .pattern = str_make(text, pattern.n), .memory = memory };
    r->size = re2_shim_size(re);
    r->copies.first = re;
    return r;
}

struct regex *regex_new(struct str pattern, struct buf *error)
{
    char why[ERROR_MAX] = "";
    void *re;

    if (pattern.n > REGEX_PATTERN_MAX) {
        say(error, "the pattern is longer than 1024 octets");
        return NULL;
    }
    re = compile(pattern, REGEX_MEMORY_SMALL, why);
    if (re && re2_shim_size(re) <= REGEX_SMALL)
        return regex_wrap(pattern, re, REGEX_MEMORY_SMALL);
    re2_shim_free(re);
    re = compile(pattern, REGEX_MEMORY_MAX, why);
    if (re)
        return regex_wrap(pattern, re, REGEX_MEMORY_MAX);
    say(error, why);
    return NULL;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    regex_copies_free(&r->copies, re2_shim_free);
    free(r);
}

int regex_size(const struct regex *r)
{
    return r->size;
}

bool regex_is_full(const struct regex *r, struct str text)
{
    return re2_shim_full(mine(r), start_of(text), text.n);
}

bool regex_is_partial(const struct regex *r, struct str text)
{
    return re2_shim_partial(mine(r), start_of(text), text.n);
}

bool regex_rewrite_check(const struct regex *r, struct str rewrite, struct buf *error)
{
    char why[ERROR_MAX] = "";

    if (re2_shim_rewrite_check(r->copies.first, start_of(rewrite), rewrite.n, why, sizeof(why)))
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
    int count = re2_shim_replace_all(mine(r), start_of(text), text.n, start_of(rewrite), rewrite.n,
                                     take, &t);

    return count > 0 ? t.got : text;
}

struct literals {
    struct arena *a;
    struct str *v;
    uint32_t n, max;
};

static void literal_take(void *arg, const char *p, size_t n)
{
    struct literals *l = arg;

    if (l->n < l->max)
        l->v[l->n++] = arena_dup(l->a, str_make(p, n));
}

uint32_t regex_literals(const struct regex *r, struct arena *a, struct str *ret, uint32_t max)
{
    struct literals l = { a, ret, 0, max };

    re2_shim_literals(start_of(r->pattern), r->pattern.n, r->memory, literal_take, &l);
    return l.n;
}
