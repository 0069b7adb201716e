/*
 * lb/lb - picks the destination of a route, and the endpoint of a cluster.
 *
 * State is the worker's own and keyed by stable identity (part slot + hash), so it lives on
 * across roots that do not change what it is about. Randomness is handed in.
 */
#pragma once

#include "base/rng.h"
#include "model/root.h"

/* Weighted destinations are dealt from a shuffled deck holding the reduced ratio, at most
 * 100 cards, else by a low-discrepancy sequence (design 7): exact per deck, unpredictable
 * inside. One struct lb per worker. */
struct lb;
struct lb *lb_new(struct rng *rng);
void lb_free(struct lb *lb);

/* Index into route->destinations. The deck of (vhost slot, route id) is kept while the
 * weights stay the same. */
uint32_t lb_destination(struct lb *lb, const struct vhost *vhost, const struct route *route);

/* May an endpoint be picked at all? */
static inline bool endpoint_is_usable(const struct endpoint *e)
{
    return e->healthy && e->weight != 0;
}

/* The endpoint for a new request, or NULL when no healthy one exists. `tried` are endpoints
 * to avoid while others exist (retries). LEAST_REQUEST: power of two choices by active
 * requests of this worker (live_host counters), weights honoured. */
const struct endpoint *lb_endpoint(struct lb *lb, const struct cluster *cluster,
                                   const struct hosts *hosts, const struct endpoint *const *tried,
                                   size_t tried_n);
/* Drops state of parts that are no longer in `root`; called after a swap, cheap. */
void lb_sweep(struct lb *lb, const struct root *root);
/* Decks and host sets that it remembers: bounded by what the root and streams of older
 * roots use. */
size_t lb_state_count(const struct lb *lb);
