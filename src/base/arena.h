/*
 * base/arena - memory that is given back all at once: a stream's, a part's, a manifest's.
 *
 * Not thread-safe; aborts when memory is gone. What is handed out is zeroed and aligned
 * to 16. In sanitizer builds unused space is poisoned.
 */
#pragma once

#include "base/poison.h"
#include "base/str.h"

#include <stdarg.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* the newest, being filled */
    char *at, *end;
    size_t chunk_size;
    size_t total; /* octets taken from malloc */
};

/* An arena in the caller's storage. `chunk_size` is what it asks malloc for at a time;
 * nothing is asked for before the first allocation. */
void arena_init(struct arena *a, size_t chunk_size);
void arena_fini(struct arena *a);
/* Forgets all that was handed out, keeps one chunk for what comes. */
void arena_reset(struct arena *a);

/* The same on the heap; arena_free takes NULL. */
struct arena *arena_new(size_t chunk_size);
void arena_free(struct arena *a);

/* What does not fit the chunk that is being filled. */
void *arena_raw_elsewhere(struct arena *a, size_t n);

/* Not zeroed, for octets. */
static inline void *arena_raw(struct arena *a, size_t n)
{
    size_t room = (MAX(n, 1) + 15) & ~(size_t)15;
    char *p = a->at;

    if ((size_t)(a->end - p) < room || room < n)
        return arena_raw_elsewhere(a, n);
    a->at += room;
    UNPOISON(p, n);
    return p;
}

/* Zeroed. */
static inline void *arena_alloc(struct arena *a, size_t n)
{
    return memset(arena_raw(a, n), 0, n);
}

struct str arena_dup(struct arena *a, struct str s); /* keeps STR_NONE; a NUL stands behind */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str arena_vprintf(struct arena *a, const char *fmt, va_list args);

/* Grows an array of `n` items of `size` octets to hold one more and returns it; `cap` is
 * kept by the caller and starts at 0. The old array stays in the arena. */
void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
