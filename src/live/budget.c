#include "live/budget.h"

#include "base/map.h"
#include "live/host.h"

#include <pthread.h>
#include <stdlib.h>

_Static_assert(LIVE_WORKERS_MAX == 64, "`waiting` has a bit for each");

static struct map by_cluster;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the map; parts come and go */

static struct live_budget *budget_new(struct str cluster)
{
    struct live_budget *b = aligned_alloc(_Alignof(struct live_budget), sizeof(*b));
    char *name = must_alloc(cluster.n + 1);

    MUST(b != NULL);
    memset(b, 0, sizeof(*b));
    if (cluster.n)
        memcpy(name, cluster.p, cluster.n);
    b->cluster = str_make(name, cluster.n);
    map_put(&by_cluster, b->cluster, b);
    return b;
}

struct live_budget *live_budget_get(struct str cluster)
{
    struct live_budget *b;

    pthread_mutex_lock(&lock);
    b = map_get(&by_cluster, cluster);
    if (!b)
        b = budget_new(cluster);
    atomic_fetch_add(&b->refs, 1);
    pthread_mutex_unlock(&lock);
    return b;
}

struct live_budget *live_budget_ref(struct live_budget *b)
{
    MUST(atomic_fetch_add(&b->refs, 1) > 0);
    return b;
}

void live_budget_unref(struct live_budget *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&lock);
    if (atomic_fetch_sub(&b->refs, 1) == 1) {
        map_del(&by_cluster, b->cluster);
        if (by_cluster.n == 0)
            map_fini(&by_cluster); /* nothing is left behind at exit */
        free((void *)(uintptr_t)b->cluster.p);
        free(b);
    }
    pthread_mutex_unlock(&lock);
}

bool budget_take(struct live_budget *b, enum budget_kind kind, uint32_t max)
{
    _Atomic uint32_t *used = &b->lines[kind].used;
    uint32_t n = atomic_load(used);

    while (n < max) {
        if (atomic_compare_exchange_weak(used, &n, n + 1))
            return true;
    }
    return false;
}

void budget_take_anyway(struct live_budget *b, enum budget_kind kind)
{
    atomic_fetch_add(&b->lines[kind].used, 1);
}

void budget_give(struct live_budget *b, enum budget_kind kind)
{
    MUST(atomic_fetch_sub(&b->lines[kind].used, 1) > 0);
}

uint32_t budget_used(const struct live_budget *b, enum budget_kind kind)
{
    return atomic_load(&b->lines[kind].used);
}

bool budget_wait(struct live_budget *b, uint32_t worker)
{
    uint64_t bit = UINT64_C(1) << worker;

    return !(atomic_fetch_or(&b->waiting, bit) & bit);
}

void budget_wait_not(struct live_budget *b, uint32_t worker)
{
    atomic_fetch_and(&b->waiting, ~(UINT64_C(1) << worker));
}

bool budget_others_wait(const struct live_budget *b, uint32_t worker)
{
    return (atomic_load(&b->waiting) & ~(UINT64_C(1) << worker)) != 0;
}

uint32_t budget_next(const struct live_budget *b, uint32_t worker)
{
    uint64_t waiting = atomic_load(&b->waiting);
    uint64_t behind = worker + 1 < LIVE_WORKERS_MAX ? waiting >> (worker + 1) << (worker + 1) : 0;

    if (behind)
        return (uint32_t)__builtin_ctzll(behind);
    return waiting ? (uint32_t)__builtin_ctzll(waiting) : LIVE_WORKERS_MAX;
}
