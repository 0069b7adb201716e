#include "live/crowd.h"

#include "base/map.h"
#include "live/addresses.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct live_crowd {
    _Atomic uint32_t refs;
    struct str listener; /* owned */
    _Alignas(64) _Atomic uint32_t open;
};

static struct map by_listener;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the map */
static _Alignas(64) _Atomic uint32_t open_in_all;
static uint32_t max_from_address;

/* ---- crowds ---- */

static struct live_crowd *crowd_new(struct str listener)
{
    struct live_crowd *c = aligned_alloc(_Alignof(struct live_crowd), sizeof(*c));
    char *name = must_alloc(listener.n + 1);

    MUST(c != NULL);
    memset(c, 0, sizeof(*c));
    if (listener.n)
        memcpy(name, listener.p, listener.n);
    c->listener = str_make(name, listener.n);
    map_put(&by_listener, c->listener, c);
    return c;
}

struct live_crowd *live_crowd_get(struct str listener)
{
    struct live_crowd *c;

    pthread_mutex_lock(&lock);
    c = map_get(&by_listener, listener);
    if (!c)
        c = crowd_new(listener);
    atomic_fetch_add(&c->refs, 1);
    pthread_mutex_unlock(&lock);
    return c;
}

static void unref_last(struct live_crowd *c)
{
    pthread_mutex_lock(&lock);
    if (atomic_fetch_sub(&c->refs, 1) == 1) {
        map_del(&by_listener, c->listener);
        if (by_listener.n == 0)
            map_fini(&by_listener); /* nothing is left behind at exit */
        free((void *)(uintptr_t)c->listener.p);
        free(c);
    }
    pthread_mutex_unlock(&lock);
}

void live_crowd_unref(struct live_crowd *c)
{
    uint32_t refs = c ? atomic_load(&c->refs) : 0;

    while (refs > 1) {
        if (atomic_compare_exchange_weak(&c->refs, &refs, refs - 1))
            return;
    }
    if (c)
        unref_last(c);
}

/* ---- places ---- */

void crowd_limit_addresses(uint32_t max)
{
    max_from_address = max;
}

/* `max` 0: counted all the same. */
static bool take(_Atomic uint32_t *open, uint32_t max)
{
    uint32_t n = atomic_load(open);

    while (max == 0 || n < max) {
        if (atomic_compare_exchange_weak(open, &n, n + 1))
            return true;
    }
    return false;
}

static void give(_Atomic uint32_t *open)
{
    MUST(atomic_fetch_sub(open, 1) > 0);
}

enum crowd_answer crowd_enter(struct crowd_place *ret, struct live_crowd *c,
                              const struct addr *peer, struct crowd_limits max)
{
    uint64_t address = max_from_address ? address_key(peer) : 0;

    *ret = (struct crowd_place){ 0 };
    if (address && !addresses_take(address, max_from_address))
        return CROWD_ADDRESS_FULL;
    if (!take(&c->open, max.listener)) {
        addresses_give(address);
        return CROWD_LISTENER_FULL;
    }
    if (!take(&open_in_all, max.all)) {
        give(&c->open);
        addresses_give(address);
        return CROWD_ALL_FULL;
    }
    atomic_fetch_add(&c->refs, 1);
    *ret = (struct crowd_place){ c, address };
    return CROWD_ROOM;
}

void crowd_leave(struct crowd_place *p)
{
    if (!p->crowd)
        return;
    give(&p->crowd->open);
    give(&open_in_all);
    addresses_give(p->address);
    live_crowd_unref(p->crowd);
    *p = (struct crowd_place){ 0 };
}

uint32_t crowd_open(const struct live_crowd *c)
{
    return atomic_load(&c->open);
}

uint32_t crowd_open_in_all(void)
{
    return atomic_load(&open_in_all);
}

uint32_t crowd_open_from(const struct addr *peer)
{
    return addresses_count(address_key(peer));
}
