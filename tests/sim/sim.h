/*
 * tests/sim/sim - the simulated world: virtual time, seeded chance, events, a trace.
 *
 * One thread. Workers run as fibers (fiber.c) over a virtual kernel (kernel.c) whose sockets
 * are joined by a virtual network (net.c); clients and backends live on the other side of it.
 * Everything that happens follows from the seed, so that a seed replays alone.
 */
#pragma once

#include "base/arena.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/rng.h"

#define MS 1000000ull
#define SECOND (1000 * MS)
#define NEVER UINT64_MAX

struct event {
    struct heap_node node;
    void (*fire)(struct event *e);
};

struct sim {
    uint64_t seed, now_ns;
    uint64_t progress; /* counts what moves anything */
    struct rng rng;
    struct heap events;
    struct arena *arena; /* all that lives as long as the schedule */
    bool trace;
    char failure[400];                /* what broke, "" before */
    void (*failed)(const char *text); /* ends the process or the schedule */
};
extern struct sim sim;

void sim_begin(uint64_t seed);
void sim_end(void);

/* Uniform in [0, n) and [low, high]. */
uint64_t below(uint64_t n);
uint64_t between(uint64_t low, uint64_t high);
/* The same, but not above `most`: MIN would draw twice. */
uint64_t between_most(uint64_t low, uint64_t high, uint64_t most);
bool chance(uint32_t per_mille);

void event_at(struct event *e, uint64_t at_ns);
void event_in(struct event *e, uint64_t delay_ns);
void event_off(struct event *e);
uint64_t event_first_ns(void); /* NEVER: none waits */
void event_fire_first(void);

/* An invariant does not hold: says so with the seed, and ends the schedule. */
_Noreturn void sim_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
void sim_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

#define SAY(...)                                                                                   \
    do {                                                                                           \
        if (sim.trace)                                                                             \
            sim_say(__VA_ARGS__);                                                                  \
    } while (0)
#define HOLDS(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond))                                                                               \
            sim_fail(__VA_ARGS__);                                                                 \
    } while (0)
