#include "codec/regex_copies.h"

#include "base/must.h"

#include <stdlib.h>

#define THREADS_MAX 32

/* Written by its thread alone; atomic because another one frees it in the end. */
struct regex_own {
    _Atomic(void *) object;
    _Atomic uint32_t uses;
};

static _Atomic uint32_t threads;
static _Thread_local uint32_t thread_number; /* from 1 */

static struct regex_own *room_of(struct regex_copies *c)
{
    struct regex_own *own = atomic_load_explicit(&c->own, memory_order_acquire), *made;

    if (own)
        return own;
    made = must_alloc(sizeof(*made) * THREADS_MAX);
    if (atomic_compare_exchange_strong(&c->own, &own, made))
        return made;
    free(made);
    return own;
}

void *regex_copy_mine(struct regex_copies *c, void *(*make)(const void *arg), const void *arg)
{
    struct regex_own *own;
    uint32_t uses;
    void *object;

    if (thread_number == 0)
        thread_number = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed);
    if (thread_number > THREADS_MAX)
        return c->first;
    own = room_of(c) + (thread_number - 1);
    object = atomic_load_explicit(&own->object, memory_order_relaxed);
    if (object)
        return object;
    uses = atomic_load_explicit(&own->uses, memory_order_relaxed) + 1;
    atomic_store_explicit(&own->uses, uses, memory_order_relaxed);
    object = uses == REGEX_HOT ? make(arg) : NULL;
    atomic_store_explicit(&own->object, object, memory_order_release);
    return object ? object : c->first;
}

void regex_copies_free(struct regex_copies *c, void (*drop)(void *object))
{
    struct regex_own *own = atomic_load_explicit(&c->own, memory_order_acquire);

    for (size_t i = 0; own && i < THREADS_MAX; i++)
        drop(atomic_load_explicit(&own[i].object, memory_order_acquire));
    free(own);
    drop(c->first);
}
