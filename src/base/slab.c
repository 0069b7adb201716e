#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

struct slab_block {
    struct slab_block *next;
    _Alignas(16) char data[];
};

void slab_init(struct slab *s, size_t size, size_t max)
{
    size = (MAX(size, sizeof(struct slab_free)) + 15) & ~(size_t)15;
    *s = (struct slab){ .size = size, .max = max };
    s->per_block = MAX((SLAB_BLOCK_OCTETS - sizeof(struct slab_block)) / size, 1);
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

/* ---- giving back ---- */

struct tally {
    struct slab_block *block;
    size_t free;
};

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct tally *)a)->block;
    uintptr_t y = (uintptr_t)((const struct tally *)b)->block;

    return x < y ? -1 : x > y;
}

static struct tally *tallies_new(const struct slab *s, size_t *ret_n)
{
    struct tally *all;
    size_t n = 0;

    for (const struct slab_block *b = s->blocks; b; b = b->next)
        n++;
    all = must_alloc(n * sizeof(*all));
    n = 0;
    for (struct slab_block *b = s->blocks; b; b = b->next)
        all[n++].block = b;
    qsort(all, n, sizeof(*all), by_address);
    *ret_n = n;
    return all;
}

/* Of the last block that begins before `object`. */
static struct tally *tally_of(struct tally *all, size_t n, const void *object)
{
    size_t from = 0;

    while (n - from > 1) {
        size_t middle = from + (n - from) / 2;

        if ((uintptr_t)all[middle].block < (uintptr_t)object)
            from = middle;
        else
            n = middle;
    }
    return &all[from];
}

static struct slab_free *next_of(struct slab_free *f)
{
    UNPOISON(f, sizeof(*f));
    return f->next;
}

/* Takes the free objects of blocks that are to go out of the list. */
static void free_list_keep(struct slab *s, struct tally *all, size_t n)
{
    struct slab_free **end = &s->free, *next;

    for (struct slab_free *f = s->free; f; f = next) {
        next = next_of(f);
        if (tally_of(all, n, f)->free < s->per_block) {
            *end = f;
            end = &f->next;
        }
    }
    *end = NULL;
    for (struct slab_free *f = s->free; f; f = next) {
        next = f->next;
        POISON(f, s->size);
    }
}

void slab_trim(struct slab *s)
{
    struct tally *all;
    size_t n;

    if (s->live == 0) {
        slab_fini(s);
        return;
    }
    all = tallies_new(s, &n);
    for (struct slab_free *f = s->free; f; f = next_of(f))
        tally_of(all, n, f)->free++;
    free_list_keep(s, all, n);
    s->blocks = NULL;
    for (size_t i = 0; i < n; i++) {
        if (all[i].free == s->per_block) {
            UNPOISON(all[i].block->data, s->size * s->per_block);
            free(all[i].block);
        } else {
            all[i].block->next = s->blocks;
            s->blocks = all[i].block;
        }
    }
    free(all);
}

size_t slab_octets(const struct slab *s)
{
    size_t n = 0;

    for (const struct slab_block *b = s->blocks; b; b = b->next)
        n += sizeof(*b) + s->size * s->per_block;
    return n;
}
