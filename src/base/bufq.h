/*
 * base/bufq - bodies: queues of slices over reference-counted chunks.
 *
 * Octets are received once into a chunk and move from queue to queue as slices, to be
 * written from where they stand: filters, retries and mirrors share them by reference
 * (design 5.14). A chunk belongs to one worker; nothing here is thread-safe.
 */
#pragma once

#include "base/slab.h"
#include "base/str.h"

#include <sys/uio.h>

#define CHUNK_OCTETS 16384

struct chunk_pool {
    struct slab chunks, slices;
};

/* `max_octets` bounds the memory of all bodies of the worker. */
void chunk_pool_init(struct chunk_pool *pool, size_t max_octets);
void chunk_pool_fini(struct chunk_pool *pool);
void chunk_pool_trim(struct chunk_pool *pool); /* as slab_trim() */

struct chunk {
    struct chunk_pool *pool;
    uint32_t refs;
    uint32_t n; /* octets filled from the front; only the one who receives adds */
    char data[CHUNK_OCTETS];
};

/* A fresh chunk with one reference, or NULL when the pool says no. */
struct chunk *chunk_new(struct chunk_pool *pool);
struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); /* takes NULL */

struct slice {
    struct slice *next;
    struct chunk *chunk;
    uint32_t at, n; /* in chunk->data */
};

struct bufq {
    struct slice *first, **last;
    size_t n; /* octets queued */
};

static inline void bufq_init(struct bufq *q)
{
    *q = (struct bufq){ .last = &q->first };
}

void bufq_drop(struct bufq *q, size_t n);
void bufq_drop_all(struct bufq *q);

static inline void bufq_reset(struct bufq *q)
{
    if (q->first)
        bufq_drop_all(q);
}

static inline bool bufq_is_empty(const struct bufq *q)
{
    return q->n == 0;
}

/* Queues [at, at+n) of `c`, taking a reference of its own. False: the pool says no. */
MUST_USE bool bufq_add(struct bufq *q, struct chunk *c, size_t at, size_t n);
/* Copies octets in, filling up the last chunk where it is the queue's alone. */
MUST_USE bool bufq_copy(struct bufq *q, struct chunk_pool *pool, struct str octets);
/* Where the next octets of the queue may be written: *ret_n of them, at least `n`, which is at most
 * CHUNK_OCTETS. bufq_wrote() then adds those that were; nothing else touches the queue between the
 * two. NULL: the pool says no. */
MUST_USE char *bufq_room(struct bufq *q, struct chunk_pool *pool, size_t n, size_t *ret_n);
void bufq_wrote(struct bufq *q, size_t n);
/* Moves all of `from` behind what `to` has. */
static inline void bufq_move(struct bufq *to, struct bufq *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    to->n += from->n;
    bufq_init(from);
}

/* Moves the first `n` octets of `from`; False: the pool says no, and fewer have moved. */
MUST_USE bool bufq_take(struct bufq *to, struct bufq *from, size_t n);
/* Appends references to all octets of `from`, which keeps them. False: the pool says no,
 * and `to` has some of them. */
MUST_USE bool bufq_share(struct bufq *to, const struct bufq *from);
/* Describes the front of the queue for writev; returns the number of entries. */
size_t bufq_iov(const struct bufq *q, struct iovec *iov, size_t max);
/* The first slice's octets. */
static inline struct str bufq_front(const struct bufq *q)
{
    return q->first ? str_make(q->first->chunk->data + q->first->at, q->first->n) : STR_NONE;
}
