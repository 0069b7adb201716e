#include "model/root.h"

#include "base/hash.h"
#include "model/derive.h"
#include "model/sorted.h"

#include <stdlib.h>

#define CHUNK_PARTS 64

/* Parts by slot, shared by all roots in which none of them differs. */
struct chunk {
    _Atomic uint32_t refs;
    struct part *parts[CHUNK_PARTS]; /* a reference each, or NULL */
};

struct table {
    struct chunk **chunks; /* NULL: nothing there */
    uint32_t n;
};

struct root {
    _Atomic uint32_t refs;
    uint64_t generation;
    uint64_t hash; /* the sum of part_share of all parts: order does not matter */
    size_t parts, octets;
    struct table tables[PART_KINDS];
};

void (*root_release_hook)(struct root *r) = root_destroy;

static struct chunk *chunk_ref(struct chunk *c)
{
    if (c)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

static void chunk_unref(struct chunk *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        part_unref(c->parts[i]);
    free(c);
}

static struct chunk *chunk_copy(const struct chunk *c)
{
    struct chunk *copy = must_alloc(sizeof(*copy));

    atomic_init(&copy->refs, 1);
    for (size_t i = 0; c && i < CHUNK_PARTS; i++)
        copy->parts[i] = c->parts[i] ? part_ref(c->parts[i]) : NULL;
    return copy;
}

struct root *root_ref(struct root *r)
{
    uint32_t before = atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);

    MUST(before > 0 && before < UINT32_MAX / 2);
    return r;
}

void root_unref(struct root *r)
{
    uint32_t before;

    if (!r)
        return;
    before = atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel);
    MUST(before > 0);
    if (before == 1)
        root_release_hook(r);
}

void root_destroy(struct root *r)
{
    MUST(atomic_load_explicit(&r->refs, memory_order_acquire) == 0);
    for (size_t kind = 0; kind < PART_KINDS; kind++) {
        for (uint32_t i = 0; i < r->tables[kind].n; i++)
            chunk_unref(r->tables[kind].chunks[i]);
        free(r->tables[kind].chunks);
    }
    free(r);
}

uint64_t root_generation(const struct root *r)
{
    return r->generation;
}

struct tally root_tally(const struct root *r)
{
    return (struct tally){ "parts", r->parts, r->octets };
}

uint64_t root_hash(const struct root *r)
{
    return r->hash;
}

static struct part **place(const struct root *r, enum part_kind kind, slot_id slot)
{
    const struct table *t = &r->tables[kind];
    uint32_t i = slot / CHUNK_PARTS;

    return i < t->n && t->chunks[i] ? &t->chunks[i]->parts[slot % CHUNK_PARTS] : NULL;
}

const struct part *root_part(const struct root *r, enum part_kind kind, slot_id slot)
{
    struct part *const *at = place(r, kind, slot);

    return at ? *at : NULL;
}

uint32_t root_slots(const struct root *r, enum part_kind kind)
{
    return r->tables[kind].n * CHUNK_PARTS;
}

/* ---- editing ---------------------------------------------------------------------------- */

struct root_edit {
    struct root *base;       /* a reference, or NULL */
    struct root *next;       /* becomes the result */
    bool *owned[PART_KINDS]; /* by chunk: it is this edit's own copy */
    size_t differs;          /* slots that differ from the base */
};

static void table_share(struct table *t, const struct table *base)
{
    t->n = base->n;
    t->chunks = must_alloc(sizeof(struct chunk *) * base->n);
    for (uint32_t i = 0; i < base->n; i++)
        t->chunks[i] = chunk_ref(base->chunks[i]);
}

struct root_edit *root_edit_new(struct root *base)
{
    struct root_edit *e = must_alloc(sizeof(*e));

    e->next = must_alloc(sizeof(*e->next));
    atomic_init(&e->next->refs, 1);
    e->next->generation = 1;
    if (!base)
        return e;
    e->base = root_ref(base);
    e->next->generation = base->generation + 1;
    e->next->hash = base->hash;
    e->next->parts = base->parts;
    e->next->octets = base->octets;
    for (size_t kind = 0; kind < PART_KINDS; kind++) {
        table_share(&e->next->tables[kind], &base->tables[kind]);
        e->owned[kind] = must_alloc(base->tables[kind].n);
    }
    return e;
}

static void table_grow(struct root_edit *e, enum part_kind kind, uint32_t n)
{
    struct table *t = &e->next->tables[kind];

    if (n <= t->n)
        return;
    t->chunks = must_realloc(t->chunks, sizeof(struct chunk *) * n);
    e->owned[kind] = must_realloc(e->owned[kind], n);
    for (; t->n < n; t->n++) {
        t->chunks[t->n] = NULL;
        e->owned[kind][t->n] = false;
    }
}

/* The place of a slot in a chunk that this edit may write to. */
static struct part **place_own(struct root_edit *e, enum part_kind kind, slot_id slot)
{
    uint32_t i = slot / CHUNK_PARTS;
    struct table *t = &e->next->tables[kind];

    table_grow(e, kind, i + 1);
    if (!e->owned[kind][i]) {
        struct chunk *shared = t->chunks[i];

        t->chunks[i] = chunk_copy(shared);
        chunk_unref(shared);
        e->owned[kind][i] = true;
    }
    return &t->chunks[i]->parts[slot % CHUNK_PARTS];
}

/* What a part adds to the hash of its root; its own hash covers its name. */
static uint64_t part_share(const struct part *p)
{
    return p ? hash_mix(p->kind, p->hash) : 0;
}

static bool same(const struct part *a, const struct part *b)
{
    return a && b && a->hash == b->hash && a->origin_hash == b->origin_hash;
}

static void count(struct root *r, const struct part *p, int sign)
{
    if (!p)
        return;
    r->parts += (size_t)sign;
    r->octets += (size_t)sign * part_octets(p);
}

static void change(struct root_edit *e, enum part_kind kind, slot_id slot, struct part *take_part)
{
    struct part *const *base_at = e->base ? place(e->base, kind, slot) : NULL;
    struct part *base = base_at ? *base_at : NULL;
    struct part **at = place_own(e, kind, slot);
    struct part *before = *at;

    if (same(base, take_part)) {
        part_unref(take_part);
        take_part = part_ref(base);
    }
    e->differs += (take_part != base);
    e->differs -= (before != base);
    e->next->hash += part_share(take_part) - part_share(before);
    count(e->next, before, -1);
    count(e->next, take_part, 1);
    *at = take_part;
    part_unref(before);
}

void root_edit_set(struct root_edit *e, struct part *take_part)
{
    const struct part *now = root_part(e->next, take_part->kind, take_part->slot);

    MUST(take_part->holds_slots); /* finished */
    if (same(now, take_part))
        part_unref(take_part);
    else
        change(e, take_part->kind, take_part->slot, take_part);
}

bool root_edit_put(struct root_edit *e, struct part *p, struct str *reterr)
{
    const struct part *now = root_part(e->next, p->kind, p->slot);
    const struct part *base = e->base ? root_part(e->base, p->kind, p->slot) : NULL;

    part_seal(p);
    if (!same(now, p) && !same(base, p) && !derive_build(p, reterr))
        return false;
    root_edit_set(e, p);
    return true;
}

void root_edit_clear(struct root_edit *e, enum part_kind kind, slot_id slot)
{
    if (root_part(e->next, kind, slot))
        change(e, kind, slot, NULL);
}

bool root_edit_is_empty(const struct root_edit *e)
{
    return e->differs == 0;
}

void root_edit_free(struct root_edit *e)
{
    if (!e)
        return;
    for (size_t kind = 0; kind < PART_KINDS; kind++)
        free(e->owned[kind]);
    root_unref(e->next);
    root_unref(e->base);
    free(e);
}

struct root *root_edit_finish(struct root_edit *e)
{
    bool is_same = e->base && root_edit_is_empty(e);
    struct root *r = root_ref(is_same ? e->base : e->next);

    root_edit_free(e);
    return r;
}

static void kind_rebase(struct root_edit *e, const struct root *next, enum part_kind kind)
{
    for (slot_id slot = 0; slot < MAX(root_slots(e->base, kind), root_slots(next, kind)); slot++) {
        struct part **at = place(next, kind, slot);

        if (at && *at)
            root_edit_set(e, part_ref(*at));
        else
            root_edit_clear(e, kind, slot);
    }
}

struct root *root_rebase(struct root *base, struct root *take_next)
{
    struct root_edit *e = root_edit_new(base);

    for (uint32_t kind = 0; kind < PART_KINDS; kind++)
        kind_rebase(e, take_next, kind);
    root_edit_generation(e, MAX(take_next->generation, base->generation + 1));
    root_unref(take_next);
    return root_edit_finish(e);
}

static struct chunk *chunk_at(const struct table *t, uint32_t i)
{
    return i < t->n ? t->chunks[i] : NULL;
}

static void chunk_differences(const struct chunk *from, const struct chunk *to,
                              root_differs_fn *differs, void *arg)
{
    for (size_t i = 0; from != to && i < CHUNK_PARTS; i++) {
        const struct part *before = from ? from->parts[i] : NULL;
        const struct part *after = to ? to->parts[i] : NULL;

        if (before != after)
            differs(arg, before, after);
    }
}

void root_kind_differences(const struct root *from, const struct root *to, enum part_kind kind,
                           root_differs_fn *differs, void *arg)
{
    static const struct table none;
    const struct table *a = from ? &from->tables[kind] : &none, *b = &to->tables[kind];

    for (uint32_t i = 0; i < MAX(a->n, b->n); i++)
        chunk_differences(chunk_at(a, i), chunk_at(b, i), differs, arg);
}

void root_differences(const struct root *from, const struct root *to, root_differs_fn *differs,
                      void *arg)
{
    for (int kind = 0; kind < PART_KINDS; kind++)
        root_kind_differences(from, to, (enum part_kind)kind, differs, arg);
}

void root_edit_generation(struct root_edit *e, uint64_t generation)
{
    e->next->generation = generation;
}

const struct root *root_edit_next(const struct root_edit *e)
{
    return e->next;
}

uint32_t root_chunks_shared(const struct root *a, const struct root *b, enum part_kind kind)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < MIN(a->tables[kind].n, b->tables[kind].n); i++)
        n += a->tables[kind].chunks[i] && a->tables[kind].chunks[i] == b->tables[kind].chunks[i];
    return n;
}
