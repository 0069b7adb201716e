/*
 * tests/sim/fiber - workers' threads as fibers of one thread: pthread_create and
 * pthread_join are answered here, and one runs only until it waits in epoll_wait.
 */
#pragma once

#include "sim/sim.h"

#define FIBERS 4

struct fiber {
    uint64_t wake_ns; /* NEVER: only for events */
    bool used, done;
    bool (*has_events)(struct fiber *f, void *arg);
    void *arg;
    uint64_t idle_turns; /* in a row in which nothing moved */
    uint64_t progress;   /* of the world, when it ran last */
};

/* From a fiber: lets the world go on until `has_events` or the time. */
void fiber_wait(uint64_t wake_ns, bool (*has_events)(struct fiber *f, void *arg), void *arg);
/* -1: the world's own turn. */
int fiber_current(void);
bool fiber_is_done(int i);
void fibers_begin(void);

/* One step of the world: a fiber that may run, or the next event. False: nothing will ever
 * happen again by itself. */
bool world_step(void);
/* Called when a fiber is through, before its joiner goes on. */
extern void (*fiber_ended)(int i);
