#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim sim;

void sim_begin(uint64_t seed)
{
    sim.seed = seed;
    sim.now_ns = 1000 * SECOND;
    sim.progress = 0;
    sim.failure[0] = '\0';
    rng_init(&sim.rng, seed * 0x9e3779b97f4a7c15 + 1);
    sim.events = (struct heap){ 0 };
    sim.arena = arena_new(1 << 18);
}

void sim_end(void)
{
    heap_fini(&sim.events);
    arena_free(sim.arena);
    sim.arena = NULL;
}

uint64_t below(uint64_t n)
{
    return rng_below(&sim.rng, n);
}

uint64_t between(uint64_t low, uint64_t high)
{
    return low + below(high - low + 1);
}

uint64_t between_most(uint64_t low, uint64_t high, uint64_t most)
{
    uint64_t n = between(low, high);

    return MIN(n, most);
}

bool chance(uint32_t per_mille)
{
    return per_mille && below(1000) < per_mille;
}

void event_at(struct event *e, uint64_t at_ns)
{
    heap_set(&sim.events, &e->node, at_ns);
}

void event_in(struct event *e, uint64_t delay_ns)
{
    event_at(e, sim.now_ns + delay_ns);
}

void event_off(struct event *e)
{
    heap_remove(&sim.events, &e->node);
}

uint64_t event_first_ns(void)
{
    struct heap_node *first = heap_first(&sim.events);

    return first ? first->key : NEVER;
}

void event_fire_first(void)
{
    struct event *e = CONTAINER_OF(heap_first(&sim.events), struct event, node);

    heap_remove(&sim.events, &e->node);
    e->fire(e);
}

void sim_say(const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%12.6f ", (double)(sim.now_ns - 1000 * SECOND) / 1e9);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

void sim_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(sim.failure, sizeof(sim.failure), fmt, args);
    va_end(args);
    SAY("FAILED: %s", sim.failure);
    sim.failed(sim.failure);
    abort();
}
