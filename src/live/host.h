/*
 * live/host - what outlives snapshots about one endpoint of one cluster (design 5.13).
 *
 * Keyed by (cluster name, address); created on the compiler thread when a host set first
 * names it, referenced by every host set that does, freed with the last. Workers keep their
 * own numbers in arrays indexed by `id`; ids are small and reused only after release.
 */
#pragma once

#include "base/addr.h"

#include <stdatomic.h>

#define LIVE_WORKERS_MAX 64

struct live_host {
    _Atomic uint32_t refs;
    uint32_t id;
    struct addr addr;
    struct str cluster; /* owned */
    /* Requests in flight, per worker; each worker writes its own (relaxed), readers sum. */
    _Alignas(64) _Atomic int32_t active[LIVE_WORKERS_MAX];
};

struct live_host *live_host_get(struct str cluster, const struct addr *addr); /* one reference */
struct live_host *live_host_ref(struct live_host *h);                         /* any thread */
void live_host_unref(struct live_host *h); /* takes NULL; any thread */
/* One above the largest id in use. */
uint32_t live_host_limit(void);
/* How many workers there are, before any of them runs: fewer numbers to sum up. */
void live_workers_set(uint32_t n);
/* Requests in flight at all workers: a moment's sum, never below 0. Any thread. */
int64_t live_host_active(const struct live_host *h);
