#include "codec/regex_set.h"

#include "base/arena.h"
#include "codec/regex_copies.h"
#include "codec/regex_shim.h"

#include <stdlib.h>

struct regex_set {
    struct regex_copies copies;
    struct arena arena;
    const char **patterns;
    size_t *lengths;
    uint32_t n;
};

static void *compile(const void *arg)
{
    const struct regex_set *s = arg;

    return re2_shim_set_new(s->patterns, s->lengths, s->n, REGEX_SET_MEMORY);
}

struct regex_set *regex_set_new(const struct str *patterns, uint32_t n)
{
    struct regex_set *s = must_alloc(sizeof(*s));

    MUST(n <= REGEX_SET_MAX);
    *s = (struct regex_set){ .n = n };
    arena_init(&s->arena, 1024);
    s->patterns = ARENA_ARRAY(&s->arena, const char *, n);
    s->lengths = ARENA_ARRAY(&s->arena, size_t, n);
    for (uint32_t i = 0; i < n; i++) {
        struct str copy = arena_dup(&s->arena, str_is_set(patterns[i]) ? patterns[i] : STR(""));

        s->patterns[i] = copy.p;
        s->lengths[i] = copy.n;
    }
    s->copies.first = compile(s);
    if (s->copies.first)
        return s;
    regex_set_free(s);
    return NULL;
}

void regex_set_free(struct regex_set *s)
{
    if (!s)
        return;
    regex_copies_free(&s->copies, re2_shim_set_free);
    arena_fini(&s->arena);
    free(s);
}

bool regex_set_match(const struct regex_set *s, struct str text, uint64_t *ret)
{
    void *set = regex_copy_mine((struct regex_copies *)&s->copies, compile, s);

    return re2_shim_set_match(set, text.p ? text.p : "", text.n, ret);
}
