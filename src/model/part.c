#include "model/part.h"

#include "model/derive.h"
#include "model/encode.h"
#include "model/shape.h"
#include "model/slots.h"

#include <stdlib.h>

struct part_hooks part_hooks;
void (*part_release_hook)(struct part *p) = part_destroy;

static void forget_slot(__attribute__((unused)) struct shape_visitor *v, const struct field *f,
                        void *at)
{
    if (f->kind == FIELD_SLOT)
        *(slot_id *)at = SLOT_NONE;
}

void *part_new(enum part_kind kind, struct str name)
{
    const struct shape *shape = shape_of_part(kind);
    struct arena *a = arena_new(1024);
    struct part *p = must_alloc(shape->size); /* outside: part_compact changes the arena */

    shape_walk(shape, p, &(struct shape_visitor){ forget_slot });
    p->kind = (uint8_t)kind;
    p->arena = a;
    p->name = arena_dup(a, name);
    p->slot = slot_take(kind, name);
    atomic_init(&p->refs, 1);
    return p;
}

struct part *part_ref(struct part *p)
{
    uint32_t before = atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);

    MUST(before > 0 && before < UINT32_MAX / 2);
    return p;
}

void part_unref(struct part *p)
{
    uint32_t before;

    if (!p)
        return;
    before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);
    MUST(before > 0);
    if (before == 1)
        part_release_hook(p);
}

static void hold_slot(__attribute__((unused)) struct shape_visitor *v, const struct field *f,
                      void *at)
{
    if (f->kind == FIELD_SLOT)
        slot_take_again(f->part_kind, *(slot_id *)at);
}

static void drop_slot(__attribute__((unused)) struct shape_visitor *v, const struct field *f,
                      void *at)
{
    if (f->kind == FIELD_SLOT)
        slot_drop(f->part_kind, *(slot_id *)at);
}

void part_seal(struct part *p)
{
    MUST(!p->holds_slots);
    shape_walk(shape_of_part(p->kind), p, &(struct shape_visitor){ hold_slot });
    p->holds_slots = true;
    part_hash(p, &p->hash, &p->origin_hash);
}

bool part_finish(struct part *p, struct str *reterr)
{
    part_seal(p);
    return derive_build(p, reterr);
}

size_t part_octets(const struct part *p)
{
    return shape_of_part(p->kind)->size + sizeof(*p->arena) + p->arena->total;
}

void part_destroy(struct part *p)
{
    MUST(atomic_load_explicit(&p->refs, memory_order_acquire) == 0);
    derive_drop(p);
    if (p->holds_slots)
        shape_walk(shape_of_part(p->kind), p, &(struct shape_visitor){ drop_slot });
    slot_drop(p->kind, p->slot);
    arena_free(p->arena);
    free(p);
}
