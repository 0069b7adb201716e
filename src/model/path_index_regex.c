#include "model/path_index_regex.h"

#include "base/hash.h"
#include "base/map.h"
#include "model/pattern.h"

#include <stdlib.h>

#define FILTER_MIN 5 /* patterns from which on filter and sets pay */
#define SET_MIN 16   /* patterns of a set, but for the last */
#define ONE_BY_ONE 4 /* candidates of a set up to which it does not run */

struct path_pattern {
    const struct regex *regex;
    uint32_t first, last; /* routes */
    struct path_group routes;
};

/* patterns[begin..end). */
struct path_set {
    uint32_t begin, end;
    uint64_t unfiltered; /* no text is known that they need */
    struct pattern_set *set;
};

struct path_regexes {
    struct path_pattern *patterns; /* by `first` */
    uint32_t n, set_n;
    struct path_set *sets; /* none: few patterns */
    struct literal_index *literals;
};

/* ---- building --------------------------------------------------------------------------- */

struct numbered {
    uint32_t pattern, route;
};

static int numbered_cmp(const void *va, const void *vb)
{
    const struct numbered *a = va, *b = vb;

    if (a->pattern != b->pattern)
        return a->pattern < b->pattern ? -1 : 1;
    return a->route < b->route ? -1 : 1;
}

/* The routes that have a regex, by pattern; patterns are numbered as they come. Equal ones
 * are one object (pattern.h). The caller frees. */
static struct numbered *numbered_of(const struct vhost *vhost, uint32_t *ret_n,
                                    uint32_t *ret_patterns)
{
    struct numbered *v = must_alloc(sizeof(*v) * (vhost->routes.n + 1));
    uintptr_t patterns = 0;
    uint32_t n = 0;
    struct map seen;

    map_init(&seen);
    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        const struct text_matcher *m = &vhost->routes.v[i].match.path;
        uintptr_t number;

        if (m->how != TEXT_REGEX)
            continue;
        number = (uintptr_t)map_get(&seen, m->value);
        if (!number) {
            number = ++patterns;
            map_put(&seen, m->value, (void *)number);
        }
        v[n++] = (struct numbered){ (uint32_t)number - 1, i };
    }
    map_fini(&seen);
    qsort(v, n, sizeof(*v), numbered_cmp);
    *ret_n = n;
    *ret_patterns = (uint32_t)patterns;
    return v;
}

static void patterns_fill(struct path_regexes *x, const struct vhost *vhost,
                          const struct numbered *v, uint32_t n)
{
    struct arena *a = vhost->part.arena;
    uint32_t *ids = ARENA_ARRAY(a, uint32_t, n);

    for (uint32_t begin = 0, end; begin < n; begin = end) {
        struct path_pattern *p = &x->patterns[v[begin].pattern];

        for (end = begin; end < n && v[end].pattern == v[begin].pattern; end++)
            ids[end] = v[end].route;
        p->regex = vhost->routes.v[ids[begin]].match.path.regex;
        p->first = ids[begin];
        p->last = ids[end - 1];
        path_group_build(&p->routes, vhost->routes.v, ids + begin, end - begin, a);
    }
}

static struct str pattern_text(const struct path_regexes *x, const struct vhost *vhost,
                               uint32_t number)
{
    return vhost->routes.v[x->patterns[number].first].match.path.value;
}

/* Bounds depend on the patterns around them, not on the count of those before: one that
 * comes or goes leaves most sets as they are, and they are not compiled again. */
static bool is_bound(struct str pattern, uint32_t n)
{
    return n == REGEX_SET_MAX || (n >= SET_MIN && hash_stable(pattern) % (REGEX_SET_MAX / 2) == 0);
}

static void set_close(struct path_regexes *x, const struct vhost *vhost, uint32_t end)
{
    uint32_t begin = x->set_n ? x->sets[x->set_n - 1].end : 0;
    struct str texts[REGEX_SET_MAX];
    struct path_set *s = &x->sets[x->set_n++];

    *s = (struct path_set){ .begin = begin, .end = end };
    for (uint32_t i = begin; i < end; i++)
        texts[i - begin] = pattern_text(x, vhost, i);
    s->set = pattern_set_hold(texts, end - begin);
    for (uint32_t i = begin; i < end; i++) {
        if (pattern_literals(texts[i - begin]).n == 0)
            s->unfiltered |= (uint64_t)1 << (i - begin);
    }
}

static void sets_build(struct path_regexes *x, const struct vhost *vhost)
{
    x->sets = ARENA_ARRAY(vhost->part.arena, struct path_set, x->n / SET_MIN + 1);
    for (uint32_t i = 0, n = 0; i < x->n; i++) {
        n++;
        if (is_bound(pattern_text(x, vhost, i), n) || i + 1 == x->n) {
            set_close(x, vhost, i + 1);
            n = 0;
        }
    }
}

static void filter_build(struct path_regexes *x, const struct vhost *vhost)
{
    struct literal_choice *choices = must_alloc(sizeof(*choices) * x->n);

    for (uint32_t i = 0; i < x->n; i++) {
        struct pattern_literals l = pattern_literals(pattern_text(x, vhost, i));

        choices[i] = (struct literal_choice){ l.v, l.n };
    }
    x->literals = literal_index_build(choices, x->n, vhost->part.arena);
    free(choices);
}

struct path_regexes *path_regexes_build(const struct vhost *vhost)
{
    uint32_t n, pattern_n;
    struct numbered *v = numbered_of(vhost, &n, &pattern_n);
    struct path_regexes *x = NULL;

    if (n) {
        x = ARENA_NEW(vhost->part.arena, struct path_regexes);
        x->n = pattern_n;
        x->patterns = ARENA_ARRAY(vhost->part.arena, struct path_pattern, pattern_n);
        patterns_fill(x, vhost, v, n);
    }
    if (pattern_n >= FILTER_MIN) {
        sets_build(x, vhost);
        filter_build(x, vhost);
    }
    free(v);
    return x;
}

void path_regexes_drop(struct path_regexes *x)
{
    for (uint32_t i = 0; x && i < x->set_n; i++)
        pattern_set_drop(x->sets[i].set);
}

/* ---- looking up ------------------------------------------------------------------------- */

/* The bits of patterns of a set that may match, by the texts they need. */
static uint64_t candidates_of(const struct path_set *s, const struct literal_hits *hits)
{
    uint64_t bits = s->unfiltered;

    if (hits->is_all)
        return UINT64_MAX >> (REGEX_SET_MAX - (s->end - s->begin));
    for (uint32_t i = 0; i < hits->n; i++) {
        if (hits->patterns[i] >= s->begin && hits->patterns[i] < s->end)
            bits |= (uint64_t)1 << (hits->patterns[i] - s->begin);
    }
    return bits;
}

/* Could any route of it stand in [from, best)? */
static bool can_win(const struct path_pattern *p, uint32_t from, uint32_t best)
{
    return p->first < best && p->last >= from;
}

/* Without the patterns that cannot win. */
static uint64_t winners_of(const struct path_regexes *x, const struct path_set *s, uint64_t bits,
                           uint32_t from, uint32_t best)
{
    uint64_t rest = bits;

    for (; rest; rest &= rest - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(rest);

        if (x->patterns[s->begin + i].first >= best)
            return bits & (((uint64_t)1 << i) - 1); /* so are those behind it */
        if (!can_win(&x->patterns[s->begin + i], from, best))
            bits &= ~((uint64_t)1 << i);
    }
    return bits;
}

static void set_enter(const struct path_regexes *x, struct path_regex_walk *w, struct str path,
                      uint32_t from, uint32_t best)
{
    const struct path_set *s = &x->sets[w->set];
    uint64_t winners;

    if (!w->is_scanned)
        literal_index_scan(x->literals, path, &w->hits);
    w->is_scanned = true;
    w->bits = candidates_of(s, &w->hits);
    winners = winners_of(x, s, w->bits, from, best);
    w->is_exact = false;
    w->has_bits = true;
    if (__builtin_popcountll(winners) > ONE_BY_ONE && s->set->regexes)
        w->is_exact = regex_set_match(s->set->regexes, path, &w->bits);
}

static bool pattern_add(const struct path_pattern *p, bool is_exact, const struct route_request *rq,
                        uint32_t from, struct path_batch *b)
{
    if (!is_exact && !pattern_matches(p->regex, rq->path))
        return false;
    path_group_collect(&p->routes, rq, from, b);
    return true;
}

/* Without sets: `set` is the pattern's number. */
static bool few_next(const struct path_regexes *x, struct path_regex_walk *w,
                     const struct route_request *rq, uint32_t from, uint32_t best,
                     struct path_batch *b)
{
    while (w->set < x->n && x->patterns[w->set].first < best) {
        const struct path_pattern *p = &x->patterns[w->set++];

        if (can_win(p, from, best) && pattern_add(p, false, rq, from, b))
            return true;
    }
    return false;
}

bool path_regexes_next(const struct path_regexes *x, struct path_regex_walk *w,
                       const struct route_request *rq, uint32_t from, uint32_t best,
                       struct path_batch *b)
{
    if (!x->sets)
        return few_next(x, w, rq, from, best, b);
    for (; w->set < x->set_n && x->patterns[x->sets[w->set].begin].first < best; w->set++) {
        if (!w->has_bits)
            set_enter(x, w, rq->path, from, best);
        while (w->bits) {
            const struct path_pattern *p =
                &x->patterns[x->sets[w->set].begin + (uint32_t)__builtin_ctzll(w->bits)];

            if (p->first >= best)
                return false;
            w->bits &= w->bits - 1;
            if (can_win(p, from, best) && pattern_add(p, w->is_exact, rq, from, b))
                return true;
        }
        w->has_bits = false;
    }
    return false;
}

void path_regexes_again(struct path_regex_walk *w)
{
    w->set = 0;
    w->has_bits = false;
}
