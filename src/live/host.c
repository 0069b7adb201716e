#include "live/host.h"

#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

#define KEY_HEAD 19 /* family, address, port; the cluster's name follows */

/* All hosts by key, and by id. The compiler comes here where parts are built and freed, a
 * worker only where it gives back the last reference. */
static struct {
    struct map by_key;
    struct live_host **by_id; /* NULL where the id is free */
    uint32_t cap;
    uint32_t maybe_free; /* no smaller id is free */
    _Atomic uint32_t limit;
} all;
static uint32_t workers = LIVE_WORKERS_MAX; /* columns of `active` in use */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* In memory of its own. */
static struct str key_new(struct str cluster, const struct addr *a)
{
    char *p = must_alloc(KEY_HEAD + cluster.n);

    p[0] = (char)a->family;
    memcpy(p + 1, a->ip, a->family == 4 ? 4 : a->family == 6 ? 16 : 0);
    p[17] = (char)(a->port >> 8);
    p[18] = (char)a->port;
    if (cluster.n)
        memcpy(p + KEY_HEAD, cluster.p, cluster.n);
    return str_make(p, KEY_HEAD + cluster.n);
}

static struct str key_of(const struct live_host *h)
{
    return str_make(h->cluster.p - KEY_HEAD, h->cluster.n + KEY_HEAD);
}

static void key_free(struct str key)
{
    free((void *)(uintptr_t)key.p);
}

static uint32_t id_take(struct live_host *h)
{
    uint32_t limit = atomic_load_explicit(&all.limit, memory_order_relaxed);
    uint32_t id = all.maybe_free;

    while (id < limit && all.by_id[id])
        id++;
    if (id >= all.cap) {
        all.cap = MAX(all.cap * 2, 16);
        all.by_id = must_realloc(all.by_id, all.cap * sizeof(struct live_host *));
    }
    all.by_id[id] = h;
    all.maybe_free = id + 1;
    atomic_store_explicit(&all.limit, MAX(limit, id + 1), memory_order_relaxed);
    return id;
}

static void id_drop(uint32_t id)
{
    uint32_t limit = atomic_load_explicit(&all.limit, memory_order_relaxed);

    all.by_id[id] = NULL;
    all.maybe_free = MIN(all.maybe_free, id);
    while (limit > 0 && !all.by_id[limit - 1])
        limit--;
    atomic_store_explicit(&all.limit, limit, memory_order_relaxed);
    if (limit > 0)
        return;
    free(all.by_id); /* nothing is left behind at exit */
    all.by_id = NULL;
    all.cap = 0;
    map_fini(&all.by_key);
}

static struct live_host *host_new(struct str key, const struct addr *addr)
{
    struct live_host *h = aligned_alloc(_Alignof(struct live_host), sizeof(*h));

    MUST(h != NULL);
    memset(h, 0, sizeof(*h));
    h->addr = *addr;
    h->cluster = str_from(key, KEY_HEAD);
    h->id = id_take(h);
    map_put(&all.by_key, key, h);
    return h;
}

struct live_host *live_host_get(struct str cluster, const struct addr *addr)
{
    struct str key = key_new(cluster, addr);
    struct live_host *h;

    pthread_mutex_lock(&lock);
    h = map_get(&all.by_key, key);
    if (h)
        key_free(key);
    else
        h = host_new(key, addr);
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return h;
}

struct live_host *live_host_ref(struct live_host *h)
{
    uint32_t before = atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);

    MUST(before > 0);
    return h;
}

/* Gives one back unless it is the last: that one goes under the lock, so that nobody gets a
 * host that is being freed. */
static bool unref_shared(struct live_host *h)
{
    uint32_t refs = atomic_load_explicit(&h->refs, memory_order_relaxed);

    MUST(refs > 0);
    while (refs > 1) {
        if (atomic_compare_exchange_weak_explicit(&h->refs, &refs, refs - 1, memory_order_release,
                                                  memory_order_relaxed))
            return true;
    }
    return false;
}

void live_host_unref(struct live_host *h)
{
    if (!h || unref_shared(h))
        return;
    pthread_mutex_lock(&lock);
    if (atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) == 1) {
        struct str key = key_of(h);

        map_del(&all.by_key, key);
        id_drop(h->id);
        key_free(key);
        free(h);
    }
    pthread_mutex_unlock(&lock);
}

uint32_t live_host_limit(void)
{
    return atomic_load_explicit(&all.limit, memory_order_relaxed);
}

void live_workers_set(uint32_t n)
{
    MUST(n <= LIVE_WORKERS_MAX);
    workers = n;
}

int64_t live_host_active(const struct live_host *h)
{
    int64_t sum = 0;

    for (size_t i = 0; i < workers; i++)
        sum += atomic_load_explicit(&h->active[i], memory_order_relaxed);
    return MAX(sum, 0);
}
