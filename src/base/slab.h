/*
 * base/slab - objects of one size, taken and given back often, with an upper number.
 *
 * This is one of the doors at which a stranger is told no (design 5.7): slab_get returns
 * NULL when `max` objects are out. Objects come zeroed. Not thread-safe.
 */
#pragma once

#include "base/must.h"
#include "base/poison.h"

#include <stddef.h>

#define SLAB_BLOCK_OCTETS 65536 /* objects are taken from malloc in such portions */

struct slab_block;

struct slab_free {
    struct slab_free *next;
};

struct slab {
    size_t size, per_block;
    size_t live, max; /* objects out; most that may be out */
    struct slab_free *free;
    struct slab_block *blocks;
};

void slab_init(struct slab *s, size_t size, size_t max);
void slab_fini(struct slab *s); /* all objects are gone with it */
void *slab_get(struct slab *s);
/* For slab_take(): objects to take, where there were none. */
void slab_grow(struct slab *s);

/* As slab_get(), not zeroed. */
static inline void *slab_take(struct slab *s)
{
    struct slab_free *f;

    if (s->live >= s->max)
        return NULL;
    if (!s->free)
        slab_grow(s);
    f = s->free;
    UNPOISON(f, s->size);
    s->free = f->next;
    s->live++;
    return f;
}

/* Takes NULL. */
static inline void slab_put(struct slab *s, void *object)
{
    struct slab_free *f = (struct slab_free *)object;

    if (!f)
        return;
    MUST(s->live > 0);
    s->live--;
    f->next = s->free;
    s->free = f;
    POISON(f, s->size);
}

/* Gives back the blocks of which no object is out. Looks at every free object: for idle turns. */
void slab_trim(struct slab *s);
/* What it has taken from malloc. */
size_t slab_octets(const struct slab *s);
