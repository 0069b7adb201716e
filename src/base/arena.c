#include "base/arena.h"

#include "base/put.h"

#include <stdio.h>
#include <stdlib.h>

struct arena_chunk {
    struct arena_chunk *next; /* older */
    size_t size;              /* of data */
    _Alignas(16) char data[];
};

void arena_init(struct arena *a, size_t chunk_size)
{
    *a = (struct arena){ .chunk_size = MAX(chunk_size, 256) };
}

static void chunks_free(struct arena_chunk *c)
{
    while (c) {
        struct arena_chunk *next = c->next;

        UNPOISON(c->data, c->size);
        free(c);
        c = next;
    }
}

void arena_fini(struct arena *a)
{
    chunks_free(a->chunk);
    arena_init(a, a->chunk_size);
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunk;

    if (!keep)
        return;
    if (keep->size > a->chunk_size) { /* an oversized one is not worth keeping */
        arena_fini(a);
        return;
    }
    chunks_free(keep->next);
    keep->next = NULL;
    a->at = keep->data;
    a->end = keep->data + keep->size;
    a->total = sizeof(*keep) + keep->size;
    POISON(keep->data, keep->size);
}

struct arena *arena_new(size_t chunk_size)
{
    struct arena *a = must_alloc(sizeof(*a));

    arena_init(a, chunk_size);
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    arena_fini(a);
    free(a);
}

static struct arena_chunk *chunk_new(struct arena *a, size_t size)
{
    struct arena_chunk *c = malloc(sizeof(*c) + size);

    MUST(c != NULL);
    c->next = NULL;
    c->size = size;
    a->total += sizeof(*c) + size;
    POISON(c->data, size);
    return c;
}

static void chunk_add(struct arena *a, size_t n)
{
    struct arena_chunk *c = chunk_new(a, MAX(a->chunk_size, n));

    c->next = a->chunk;
    a->chunk = c;
    a->at = c->data;
    a->end = c->data + c->size;
}

/* Behind the chunk that is being filled, which goes on. */
static char *chunk_beside(struct arena *a, size_t n)
{
    struct arena_chunk *c = chunk_new(a, n);

    c->next = a->chunk->next;
    a->chunk->next = c;
    return c->data;
}

void *arena_raw_elsewhere(struct arena *a, size_t n)
{
    size_t room = (MAX(n, 1) + 15) & ~(size_t)15;
    char *p;

    MUST(room >= n);
    if (room > a->chunk_size && a->chunk) {
        p = chunk_beside(a, room);
    } else {
        chunk_add(a, room);
        p = a->at;
        a->at += room;
    }
    UNPOISON(p, n);
    return p;
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *p;

    if (!str_is_set(s))
        return s;
    p = arena_raw(a, s.n + 1);
    *put(p, s) = '\0';
    return str_make(p, s.n);
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
    va_list again;
    char *p;
    int n;

    MUST(fmt); /* also tells a sanitizing gcc that it is set */
    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    MUST(n >= 0);
    p = arena_raw(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, args);
    return str_make(p, (size_t)n);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    struct str s;

    va_start(args, fmt);
    s = arena_vprintf(a, fmt, args);
    va_end(args);
    return s;
}

void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
    void *grown;

    if (n < *cap)
        return items;
    *cap = MAX(*cap * 2, 4);
    grown = arena_alloc(a, *cap * size);
    if (n)
        memcpy(grown, items, n * size);
    return grown;
}
