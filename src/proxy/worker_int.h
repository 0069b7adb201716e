/*
 * proxy/worker_int - a worker's inside, for this folder's own files.
 */
#pragma once

#include "base/rng.h"
#include "http/conn.h"
#include "http/pools.h"
#include "http/stream.h"
#include "lb/lb.h"
#include "live/ear.h"
#include "net/listen.h"
#include "net/net.h"
#include "proxy/date.h"
#include "proxy/lag.h"
#include "proxy/worker.h"
#include "telemetry/telemetry.h"
#include "telemetry/turns.h"

#include <pthread.h>

/* A root that this worker's streams use: one atomic reference for all of them. */
struct root_hold {
    struct root *root;
    uint32_t streams;
};

struct worker {
    struct worker_options options;
    pthread_t thread;
    struct loop *loop;
    struct http_pools *pools;
    struct net *net;
    struct rng rng;
    struct lb *lb;
    struct streams *streams;
    struct metrics *metrics;
    struct turns_watch turns;
    struct log_writer_end *log;
    struct timer log_timer;
    struct date_cache date;

    struct root_hold *hold; /* the current one; NULL before the first root */
    uint32_t old_holds;     /* roots that are only held by streams that began with them */
    struct timer trade_timer;
    size_t open_peak;       /* connections, since memory was last given back */
    uint64_t rests_trimmed; /* pools->rests then, */
    uint64_t trimmed_ms;    /* and when */
    struct timer trim_timer;
    _Atomic uint64_t generation;

    struct list ports;       /* struct port: listening sockets */
    struct list downstreams; /* struct downstream */
    struct slab downstream_slab;

    struct slab upstream_slab;
    struct upstream_pool **upstream_pools; /* by live_host id */
    size_t upstream_pool_cap;
    bool pools_are_older; /* one was made for a stream of an older root since the last sweep */
    struct list shares;   /* struct share: of clusters with a limit */
    struct live_ear ear;
    uint32_t shadows; /* copies of requests that are under way */

    bool telling, draining, stopping; /* telling: clients to go */
    uint8_t pressure;                 /* enum pressure, as last seen */
    struct lag lag;
    struct timer drain_timer, drain_poll;
    uint64_t drain_ends_ms;
};

/* What is ready now has waited for long. */
static inline bool lag_is_late(const struct worker *w)
{
    return loop_lag_ns(w->loop) >= LAG_TARGET_MS * 1000000u;
}

/* Takes a share of the current root for a stream. */
struct root_hold *worker_hold(struct worker *w);
void worker_unhold(struct worker *w, struct root_hold *hold);

static inline const struct root *worker_root(const struct worker *w)
{
    return w->hold ? w->hold->root : NULL;
}
