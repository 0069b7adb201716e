#include "http/pools.h"

#include "http/h1_conn.h"
#include "http/h1_nap.h"
#include "http/h2_conn.h"

#include <stdlib.h>

struct http_pools *http_pools_new(struct loop *loop, const struct http_limits *limits)
{
    struct http_pools *p = must_alloc(sizeof(*p));

    p->loop = loop;
    chunk_pool_init(&p->chunks, limits->max_body_octets);
    p->chunks_max = p->chunks.chunks.max;
    slab_init(&p->conns, sizeof(struct h1_conn), limits->max_connections);
    slab_init(&p->naps, h1_nap_size(), limits->max_connections);
    slab_init(&p->h2_conns, sizeof(struct h2_conn), limits->max_connections);
    slab_init(&p->h2_legs, sizeof(struct h2_leg), 16 * limits->max_connections);
    buf_init(&p->text, 1 << 20);
    return p;
}

void http_pools_free(struct http_pools *p)
{
    if (!p)
        return;
    while (p->free_arena_count)
        arena_free(p->free_arenas[--p->free_arena_count]);
    buf_fini(&p->text);
    slab_fini(&p->conns);
    slab_fini(&p->naps);
    slab_fini(&p->h2_conns);
    slab_fini(&p->h2_legs);
    chunk_pool_fini(&p->chunks);
    free(p);
}

void http_pools_hold(struct http_pools *p, bool hold)
{
    p->chunks.chunks.max = hold ? p->chunks.chunks.live : p->chunks_max;
}

void http_pools_trim(struct http_pools *p)
{
    while (p->free_arena_count)
        arena_free(p->free_arenas[--p->free_arena_count]);
    slab_trim(&p->conns);
    slab_trim(&p->naps);
    slab_trim(&p->h2_conns);
    slab_trim(&p->h2_legs);
    chunk_pool_trim(&p->chunks);
}

struct arena *arena_take(struct http_pools *p)
{
    if (p->free_arena_count)
        return p->free_arenas[--p->free_arena_count];
    return arena_new(ARENA_CHUNK - 64); /* a malloc of a page's size */
}

void arena_give(struct http_pools *p, struct arena *a)
{
    if (!a)
        return;
    if (p->free_arena_count == LEN(p->free_arenas)) {
        arena_free(a);
        return;
    }
    arena_reset(a);
    p->free_arenas[p->free_arena_count++] = a;
}
