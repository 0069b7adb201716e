#include "model/path_index_literals.h"

#include "base/map.h"

#include <stdlib.h>

/* One pattern's text, found by `gram`: the 4 octets of it from `at` on, or 2. */
struct literal {
    uint32_t gram, pattern;
    struct str text;
    uint32_t at, width;
};

struct literal_slot {
    uint32_t gram, begin, end; /* of `literals`; end 0: empty */
};

/* The literals of one width. */
struct literal_table {
    struct literal *literals; /* by gram */
    uint32_t n;
    uint32_t mask;
    struct literal_slot *slots;
    uint64_t *bitmap; /* a bit for each hash of a gram */
    uint32_t bit_mask;
};

struct literal_index {
    struct literal_table by4, by2;
};

/* ---- building --------------------------------------------------------------------------- */

static uint32_t gram_hash(uint32_t gram)
{
    uint32_t h = gram * 0x9e3779b1u;

    return h ^ (h >> 15);
}

static uint32_t gram_of(const char *p, uint32_t width)
{
    uint32_t gram = 0;

    for (uint32_t i = 0; i < width; i++)
        gram = gram << 8 | (unsigned char)p[i];
    return gram;
}

/* How many patterns have each gram. */
struct counts {
    struct map by_gram; /* the gram's octets -> number of patterns */
};

static uint32_t width_of(struct str text)
{
    return text.n >= 4 ? 4 : 2;
}

static void counts_add(struct counts *c, struct str gram)
{
    uintptr_t n = (uintptr_t)map_get(&c->by_gram, gram);

    map_put(&c->by_gram, gram, (void *)(n + 1));
}

static void counts_add_all(struct counts *c, const struct literal_choice *choice)
{
    for (uint32_t i = 0; i < choice->n; i++) {
        struct str text = choice->v[i];
        uint32_t width = width_of(text);

        for (uint32_t at = 0; at + width <= text.n; at++)
            counts_add(c, str_sub(text, at, width));
    }
}

/* The rarest gram of all; a longer one where two are as rare. */
static struct literal rarest(const struct counts *c, const struct literal_choice *choice,
                             uint32_t pattern)
{
    struct literal best = { .pattern = pattern };
    uintptr_t best_count = UINTPTR_MAX;

    for (uint32_t i = 0; i < choice->n; i++) {
        struct str text = choice->v[i];
        uint32_t width = width_of(text);

        for (uint32_t at = 0; at + width <= text.n; at++) {
            uintptr_t count = (uintptr_t)map_get(&c->by_gram, str_sub(text, at, width));

            if (count > best_count || (count == best_count && width <= best.width))
                continue;
            best_count = count;
            best = (struct literal){ gram_of(text.p + at, width), pattern, text, at, width };
        }
    }
    return best;
}

static int literal_cmp(const void *va, const void *vb)
{
    const struct literal *a = va, *b = vb;

    if (a->gram != b->gram)
        return a->gram < b->gram ? -1 : 1;
    return a->pattern < b->pattern ? -1 : 1;
}

static void slot_add(struct literal_table *t, uint32_t begin, uint32_t end)
{
    uint32_t gram = t->literals[begin].gram, hash = gram_hash(gram);
    uint32_t at = hash & t->mask;

    while (t->slots[at].end != 0)
        at = (at + 1) & t->mask;
    t->slots[at] = (struct literal_slot){ gram, begin, end };
    t->bitmap[(hash & t->bit_mask) / 64] |= (uint64_t)1 << (hash % 64);
}

static void table_build(struct literal_table *t, const struct literal *all, uint32_t n,
                        uint32_t width, struct arena *a)
{
    uint32_t size = 4;

    t->literals = ARENA_ARRAY(a, struct literal, n);
    for (uint32_t i = 0; i < n; i++) {
        if (all[i].width == width)
            t->literals[t->n++] = all[i];
    }
    while (size < t->n * 2)
        size *= 2;
    qsort(t->literals, t->n, sizeof(*t->literals), literal_cmp);
    t->mask = size - 1;
    t->slots = ARENA_ARRAY(a, struct literal_slot, size);
    t->bit_mask = MAX(size * 8, 256) - 1;
    t->bitmap = ARENA_ARRAY(a, uint64_t, (t->bit_mask + 1) / 64);
    for (uint32_t begin = 0, end; begin < t->n; begin = end) {
        for (end = begin; end < t->n && t->literals[end].gram == t->literals[begin].gram;)
            end++;
        slot_add(t, begin, end);
    }
}

struct literal_index *literal_index_build(const struct literal_choice *choices, uint32_t n,
                                          struct arena *a)
{
    struct literal_index *x = ARENA_NEW(a, struct literal_index);
    struct literal *all = must_alloc(sizeof(*all) * (n + 1));
    struct counts counts;
    uint32_t found = 0;

    map_init(&counts.by_gram);
    for (uint32_t i = 0; i < n; i++)
        counts_add_all(&counts, &choices[i]);
    for (uint32_t i = 0; i < n; i++) {
        if (choices[i].n)
            all[found++] = rarest(&counts, &choices[i], i);
    }
    for (uint32_t i = 0; i < found; i++)
        all[i].text = arena_dup(a, all[i].text);
    table_build(&x->by4, all, found, 4, a);
    table_build(&x->by2, all, found, 2, a);
    map_fini(&counts.by_gram);
    free(all);
    return x;
}

/* ---- looking up ------------------------------------------------------------------------- */

static void hit_add(struct literal_hits *hits, uint32_t pattern)
{
    uint32_t at = hits->n;

    while (at > 0 && hits->patterns[at - 1] > pattern)
        at--;
    if (at > 0 && hits->patterns[at - 1] == pattern)
        return;
    if (hits->n == LITERAL_HITS_MAX) {
        hits->is_all = true;
        return;
    }
    memmove(hits->patterns + at + 1, hits->patterns + at, (hits->n - at) * sizeof(*hits->patterns));
    hits->patterns[at] = pattern;
    hits->n++;
}

/* The gram stands at path[at]: does all of the text, around it? */
static void literal_try(const struct literal *l, struct str path, size_t at,
                        struct literal_hits *hits)
{
    if (at >= l->at && str_eq_nocase(str_sub(path, at - l->at, l->text.n), l->text))
        hit_add(hits, l->pattern);
}

static void gram_try(const struct literal_table *t, uint32_t gram, struct str path, size_t at,
                     struct literal_hits *hits)
{
    uint32_t hash = gram_hash(gram);

    if (!(t->bitmap[(hash & t->bit_mask) / 64] >> (hash % 64) & 1))
        return;
    for (uint32_t s = hash & t->mask; t->slots[s].end != 0; s = (s + 1) & t->mask) {
        if (t->slots[s].gram != gram)
            continue;
        for (uint32_t i = t->slots[s].begin; i < t->slots[s].end && !hits->is_all; i++)
            literal_try(&t->literals[i], path, at, hits);
        return;
    }
}

void literal_index_scan(const struct literal_index *x, struct str path, struct literal_hits *ret)
{
    uint32_t gram = 0;

    ret->is_all = false;
    ret->n = 0;
    for (size_t i = 0; i < path.n && !ret->is_all; i++) {
        unsigned char c = (unsigned char)path.p[i];

        if (c >= 0x80) { /* it may fold into ASCII */
            ret->is_all = true;
            return;
        }
        gram = gram << 8 | (unsigned char)ascii_lower((char)c);
        if (i >= 3 && x->by4.n)
            gram_try(&x->by4, gram, path, i - 3, ret);
        if (i >= 1 && x->by2.n)
            gram_try(&x->by2, gram & 0xffff, path, i - 1, ret);
    }
}
