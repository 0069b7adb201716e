/*
 * base/slab - objects of one size, taken and given back often, with an upper number.
 *
 * This is one of the doors at which a stranger is told no (design 5.7): slab_get returns
 * NULL when `max` objects are out. Objects come zeroed. Not thread-safe.
 */
#pragma once

#include "base/must.h"

struct slab_block;

struct slab {
    size_t size, per_block;
    size_t live, max; /* objects out; most that may be out */
    struct slab_free *free;
    struct slab_block *blocks;
};

void slab_init(struct slab *s, size_t size, size_t max);
void slab_fini(struct slab *s); /* all objects are gone with it */
void *slab_get(struct slab *s);
void *slab_take(struct slab *s);             /* the same, not zeroed */
void slab_put(struct slab *s, void *object); /* takes NULL */
/* Gives the memory back if no object is out. */
void slab_trim(struct slab *s);
