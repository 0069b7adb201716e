/*
 * http/pools - the memory of one worker's connections, streams and bodies (design 5.7).
 */
#pragma once

#include "base/buf.h"
#include "base/bufq.h"
#include "base/rng.h"
#include "event/loop.h"

#define ARENA_CHUNK 8192 /* holds a stream with its heads */
#define ARENAS_KEPT 256
#define SCRATCH_OCTETS 65536

struct http_pools {
    struct loop *loop;
    struct chunk_pool chunks;
    size_t chunks_max;             /* at the beginning */
    struct slab conns;             /* struct h1_conn */
    struct slab naps;              /* struct h1_nap */
    struct slab h2_conns, h2_legs; /* struct h2_conn, h2_leg */
    struct arena *free_arenas[ARENAS_KEPT];
    size_t free_arena_count;
    uint64_t rests;               /* connections that were idle and gave memory back, so far */
    struct buf text;              /* heads being written; emptied after each use */
    char scratch[SCRATCH_OCTETS]; /* what a read puts before it is known what it is */
};

struct http_limits {
    size_t max_connections;
    size_t max_body_octets; /* of all bodies in memory */
};

struct http_pools *http_pools_new(struct loop *loop, const struct http_limits *limits);
void http_pools_free(struct http_pools *p);
/* Gives back what no connection uses; malloc has it then. For idle turns, as slab_trim(). */
void http_pools_trim(struct http_pools *p);

/* True: bodies get no more memory than they have now; false: as much as at the beginning. */
void http_pools_hold(struct http_pools *p, bool hold);

/* Octets of body that one queue may hold now: a share of what is left for all, so that those who
 * hold much leave something for those who come (Choudhury and Hahne's dynamic thresholds). An
 * exchange has up to five such queues, and who came first keeps what he had: the share is so
 * small, 64 KiB of 256 MiB, that thousands of slow readers leave room. Never 0: one piece is
 * always taken. */
static inline size_t http_pools_room(const struct http_pools *p)
{
    const struct slab *chunks = &p->chunks.chunks;
    size_t left = chunks->max > chunks->live ? chunks->max - chunks->live : 0;

    return MAX(left * (CHUNK_OCTETS / 4096), (size_t)1);
}

struct arena *arena_take(struct http_pools *p);
void arena_give(struct http_pools *p, struct arena *a); /* takes NULL */
