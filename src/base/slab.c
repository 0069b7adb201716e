#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_OCTETS 65536

struct slab_block {
    struct slab_block *next;
    _Alignas(16) char data[];
};

void slab_init(struct slab *s, size_t size, size_t max)
{
    size = (MAX(size, sizeof(struct slab_free)) + 15) & ~(size_t)15;
    *s = (struct slab){ .size = size, .max = max };
    s->per_block = MAX((BLOCK_OCTETS - sizeof(struct slab_block)) / size, 1);
}

void slab_grow(struct slab *s)
{
    struct slab_block *b = must_alloc(sizeof(*b) + s->size * s->per_block);

    b->next = s->blocks;
    s->blocks = b;
    for (size_t i = s->per_block; i > 0; i--) {
        struct slab_free *f = (struct slab_free *)(void *)(b->data + (i - 1) * s->size);

        f->next = s->free;
        s->free = f;
        POISON(f, s->size);
    }
}

void *slab_get(struct slab *s)
{
    void *object = slab_take(s);

    return object ? memset(object, 0, s->size) : NULL;
}

void slab_fini(struct slab *s)
{
    struct slab_block *b = s->blocks;

    while (b) {
        struct slab_block *next = b->next;

        UNPOISON(b->data, s->size * s->per_block);
        free(b);
        b = next;
    }
    s->blocks = NULL;
    s->free = NULL;
    s->live = 0;
}

void slab_trim(struct slab *s)
{
    if (s->live == 0)
        slab_fini(s);
}
