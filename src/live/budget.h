/*
 * live/budget - what a cluster's finite limits have left, exact across all workers (design
 * 5.13; DestinationRule connectionPool).
 *
 * Keyed by the cluster's name, made when a part with a finite limit first names it and freed
 * with the last that does; so a change of the limits, or of anything else, forgets no
 * connection. A limit itself is not kept here: whoever takes says how much there may be.
 *
 * Connections are waited for. A worker that cannot take one sets its bit in `waiting`, tries
 * once more and calls the others, who close idle ones; whoever gives one back calls the next
 * that waits, going round. Each step is sequentially consistent: either the one that waits
 * sees what was given back, or the one that gives sees the bit.
 */
#pragma once

#include "base/str.h"

#include <stdatomic.h>

enum budget_kind {
    BUDGET_CONNECTIONS,
    BUDGET_PENDING,  /* requests without an open connection */
    BUDGET_REQUESTS, /* requests sent, their responses not done */
    BUDGET_RETRIES,
    BUDGET_KINDS
};

struct budget_line {
    _Alignas(64) _Atomic uint32_t used;
};

struct live_budget {
    _Atomic uint32_t refs;
    struct str cluster; /* owned */
    struct budget_line lines[BUDGET_KINDS];
    _Alignas(64) _Atomic uint64_t waiting; /* a bit a worker: somebody there waits */
};

struct live_budget *live_budget_get(struct str cluster); /* one reference */
struct live_budget *live_budget_ref(struct live_budget *b);
void live_budget_unref(struct live_budget *b); /* takes NULL; any thread */

/* False: `max` are taken. */
MUST_USE bool budget_take(struct live_budget *b, enum budget_kind kind, uint32_t max);
/* For what there is already when a limit is set. */
void budget_take_anyway(struct live_budget *b, enum budget_kind kind);
void budget_give(struct live_budget *b, enum budget_kind kind);
uint32_t budget_used(const struct live_budget *b, enum budget_kind kind);

/* Somebody at that worker waits for a connection, or nobody any more. True: that is new. */
bool budget_wait(struct live_budget *b, uint32_t worker);
void budget_wait_not(struct live_budget *b, uint32_t worker);
bool budget_others_wait(const struct live_budget *b, uint32_t worker);
/* The worker whose turn it is after this one, itself last; LIVE_WORKERS_MAX: nobody waits. */
uint32_t budget_next(const struct live_budget *b, uint32_t worker);
