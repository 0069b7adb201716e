#include "model/path_index_group.h"

#include "base/hash.h"

#include <stdlib.h>

#define GROUP_MIN 6  /* routes from which on tables pay */
#define TABLES_MAX 6 /* a group's: each costs every look-up a little */
#define DEPTH_MAX 4

/* What a table is hashed on. */
enum key_kind { KEY_METHOD, KEY_AUTHORITY, KEY_HEADER, KEY_QUERY };

struct group_bucket {
    struct str value;
    struct path_group group;
};

struct group_table {
    uint8_t kind; /* enum key_kind */
    struct str name;
    const struct group_bucket *buckets;
    const uint32_t *slots; /* number of a bucket + 1; 0: empty */
    uint32_t mask;
};

/* ---- building --------------------------------------------------------------------------- */

/* One exact value that one route wants. */
struct wish {
    uint8_t kind;
    struct str name, value;
    uint32_t place; /* of the route in the group's list */
};

struct wishes {
    struct wish *v;
    uint32_t n;
};

static bool is_hashable(const struct text_matcher *m)
{
    return m->how == TEXT_EXACT && !m->nocase;
}

static void wish_add(struct wishes *w, uint8_t kind, struct str name, const struct text_matcher *m,
                     uint32_t place)
{
    if (m && is_hashable(m))
        w->v[w->n++] = (struct wish){ kind, name, m->value, place };
}

static void named_wishes_add(struct wishes *w, uint8_t kind, const struct named_matcher *v,
                             uint32_t n, uint32_t place)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!v[i].invert)
            wish_add(w, kind, v[i].name, &v[i].match, place);
    }
}

static int wish_cmp(const void *va, const void *vb)
{
    const struct wish *a = va, *b = vb;
    int diff = (int)a->kind - (int)b->kind;

    if (diff == 0)
        diff = str_cmp(a->name, b->name);
    if (diff == 0)
        diff = str_cmp(a->value, b->value);
    return diff ? diff : (a->place > b->place) - (a->place < b->place);
}

/* All exact values of the routes, sorted; the caller frees. */
static struct wishes wishes_of(const struct route *routes, const uint32_t *ids, uint32_t n)
{
    struct wishes w = { 0 };
    size_t room = 1;

    for (uint32_t i = 0; i < n; i++) {
        const struct route_match *m = &routes[ids[i]].match;

        room += 2 + (size_t)m->headers.n + m->query.n;
    }
    w.v = must_alloc(sizeof(*w.v) * room);
    for (uint32_t i = 0; i < n; i++) {
        const struct route_match *m = &routes[ids[i]].match;

        wish_add(&w, KEY_METHOD, STR_NONE, m->method, i);
        wish_add(&w, KEY_AUTHORITY, STR_NONE, m->authority, i);
        named_wishes_add(&w, KEY_HEADER, m->headers.v, m->headers.n, i);
        named_wishes_add(&w, KEY_QUERY, m->query.v, m->query.n, i);
    }
    qsort(w.v, w.n, sizeof(*w.v), wish_cmp);
    return w;
}

static bool same_key(const struct wish *a, const struct wish *b)
{
    return a->kind == b->kind && str_eq(a->name, b->name);
}

/* The wishes v[begin..end) are of one key. `gain`: how many routes a look-up is spared. */
struct run {
    uint32_t begin, end, buckets, gain;
};

static struct run run_at(const struct wishes *w, uint32_t begin)
{
    struct run r = { .begin = begin, .end = begin };
    uint32_t largest = 0, same = 0;

    for (; r.end < w->n && same_key(&w->v[begin], &w->v[r.end]); r.end++) {
        if (r.end == begin || !str_eq(w->v[r.end].value, w->v[r.end - 1].value)) {
            r.buckets++;
            same = 0;
        }
        same++;
        largest = MAX(largest, same);
    }
    r.gain = r.end - r.begin - largest;
    return r;
}

static struct run best_run(const struct wishes *w)
{
    struct run best = { 0 };

    for (uint32_t at = 0; at < w->n;) {
        struct run r = run_at(w, at);

        if (r.gain > best.gain)
            best = r;
        at = r.end;
    }
    return best;
}

static uint32_t slot_of(const struct group_table *t, struct str value)
{
    uint32_t at = (uint32_t)hash_str(value) & t->mask;

    while (t->slots[at] != 0 && !str_eq(t->buckets[t->slots[at] - 1].value, value))
        at = (at + 1) & t->mask;
    return at;
}

static void group_build(struct path_group *g, const struct route *routes, const uint32_t *ids,
                        uint32_t n, struct arena *a, uint32_t depth);

/* The list of a group while it is taken apart. */
struct split {
    const struct route *routes;
    const uint32_t *ids;
    uint32_t n;
    bool *taken; /* by place: stands in a table */
    struct arena *a;
    uint32_t depth;
};

/* The routes of one value. One that wishes two values of a key stands under the first: it
 * needs both. */
static void bucket_build(struct group_bucket *b, const struct wish *v, uint32_t n, struct split *s)
{
    uint32_t *ids = ARENA_ARRAY(s->a, uint32_t, n);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (!s->taken[v[i].place])
            ids[kept++] = s->ids[v[i].place];
        s->taken[v[i].place] = true;
    }
    b->value = v[0].value;
    group_build(&b->group, s->routes, ids, kept, s->a, s->depth + 1);
}

static void table_build(struct group_table *t, const struct wishes *w, struct run r,
                        struct split *s)
{
    struct group_bucket *buckets = ARENA_ARRAY(s->a, struct group_bucket, r.buckets);
    uint32_t size = 4, n = 0, *slots;

    while (size < r.buckets * 2)
        size *= 2;
    slots = ARENA_ARRAY(s->a, uint32_t, size);
    *t = (struct group_table){ w->v[r.begin].kind, w->v[r.begin].name, buckets, slots, size - 1 };
    for (uint32_t at = r.begin, end; at < r.end; at = end) {
        struct group_bucket *b = &buckets[n++];

        for (end = at; end < r.end && str_eq(w->v[at].value, w->v[end].value);)
            end++;
        bucket_build(b, w->v + at, end - at, s);
        slots[slot_of(t, b->value)] = n;
    }
}

/* Drops the wishes of routes that stand in a table. */
static void wishes_drop(struct wishes *w, const bool *taken)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        if (!taken[w->v[i].place])
            w->v[kept++] = w->v[i];
    }
    w->n = kept;
}

static void rest_keep(struct path_group *g, const struct split *s)
{
    uint32_t *rest, kept = 0;

    for (uint32_t i = 0; i < s->n; i++)
        kept += !s->taken[i];
    rest = ARENA_ARRAY(s->a, uint32_t, kept);
    g->n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->taken[i])
            rest[g->n++] = s->ids[i];
    }
    g->ids = rest;
}

static void group_split(struct path_group *g, struct split *s)
{
    struct wishes w = wishes_of(s->routes, s->ids, s->n);
    struct group_table tables[TABLES_MAX], *kept;

    for (struct run r = best_run(&w); g->table_n < TABLES_MAX && r.gain >= GROUP_MIN / 2;
         r = best_run(&w)) {
        table_build(&tables[g->table_n++], &w, r, s);
        wishes_drop(&w, s->taken);
    }
    free(w.v);
    if (g->table_n == 0)
        return;
    kept = ARENA_ARRAY(s->a, struct group_table, g->table_n);
    memcpy(kept, tables, g->table_n * sizeof(*kept));
    g->tables = kept;
    rest_keep(g, s);
}

static void group_build(struct path_group *g, const struct route *routes, const uint32_t *ids,
                        uint32_t n, struct arena *a, uint32_t depth)
{
    struct split s = { routes, ids, n, NULL, a, depth };

    *g = (struct path_group){ .ids = ids, .n = n };
    if (n < GROUP_MIN || depth >= DEPTH_MAX)
        return;
    s.taken = must_alloc(n);
    group_split(g, &s);
    free(s.taken);
}

void path_group_build(struct path_group *g, const struct route *routes, const uint32_t *ids,
                      uint32_t n, struct arena *a)
{
    group_build(g, routes, ids, n, a, 0);
}

/* ---- looking up ------------------------------------------------------------------------- */

void path_batch_add(struct path_batch *b, uint32_t id)
{
    uint32_t at = b->n;

    if (id >= b->limit)
        return;
    while (at > 0 && b->ids[at - 1] > id)
        at--;
    if (at > 0 && b->ids[at - 1] == id)
        return;
    if (b->n == PATH_BATCH) {
        if (at == b->n) {
            b->limit = id;
            return;
        }
        b->limit = b->ids[--b->n];
    }
    if (at < b->n)
        memmove(b->ids + at + 1, b->ids + at, (b->n - at) * sizeof(*b->ids));
    b->ids[at] = id;
    b->n++;
}

/* Where the numbers >= from begin. */
static uint32_t place_of(const uint32_t *ids, uint32_t n, uint32_t from)
{
    uint32_t begin = 0;

    while (begin < n) {
        uint32_t mid = begin + (n - begin) / 2;

        if (ids[mid] < from)
            begin = mid + 1;
        else
            n = mid;
    }
    return begin;
}

void path_batch_add_list(struct path_batch *b, const uint32_t *ids, uint32_t n, uint32_t from)
{
    for (uint32_t i = from ? place_of(ids, n, from) : 0; i < n && ids[i] < b->limit; i++)
        path_batch_add(b, ids[i]);
}

static void table_collect(const struct group_table *t, const struct route_request *rq,
                          struct str value, uint32_t from, struct path_batch *b)
{
    uint32_t slot = t->slots[slot_of(t, value)];

    if (slot)
        path_group_collect(&t->buckets[slot - 1].group, rq, from, b);
}

static void header_collect(const struct group_table *t, const struct route_request *rq,
                           uint32_t from, struct path_batch *b)
{
    struct header_values values;
    struct str value;

    header_values_init(&values, rq, t->name);
    while (header_values_next(&values, &value))
        table_collect(t, rq, value, from, b);
}

void path_group_collect(const struct path_group *g, const struct route_request *rq, uint32_t from,
                        struct path_batch *b)
{
    path_batch_add_list(b, g->ids, g->n, from);
    for (uint32_t i = 0; i < g->table_n; i++) {
        const struct group_table *t = &g->tables[i];
        struct str value;

        switch ((enum key_kind)t->kind) {
        case KEY_METHOD:
            table_collect(t, rq, rq->method, from, b);
            break;
        case KEY_AUTHORITY:
            table_collect(t, rq, rq->authority, from, b);
            break;
        case KEY_HEADER:
            header_collect(t, rq, from, b);
            break;
        case KEY_QUERY:
            value = request_query_value(rq, t->name);
            if (str_is_set(value))
                table_collect(t, rq, value, from, b);
            break;
        }
    }
}
