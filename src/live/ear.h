/*
 * live/ear - where a worker can be called: "look at the budgets that you share".
 *
 * One mail a worker, so calling one that has not looked yet costs nothing more. Calls are made
 * where a configured limit is met, nowhere else.
 */
#pragma once

#include "event/loop.h"

struct live_ear {
    struct mail mail; /* `deliver` is the owner's; it calls live_ear_heard first */
    struct loop *loop;
    _Atomic bool called;
};

/* From now on the worker of that number can be called; `deliver` runs on the loop's thread. */
void live_ear_open(uint32_t worker, struct live_ear *ear, struct loop *loop,
                   void (*deliver)(struct mail *m, struct loop *to));
void live_ear_close(uint32_t worker); /* harmless again */
/* Calls from now on are mail again. */
void live_ear_heard(struct live_ear *ear);

/* Any thread; nobody there is nobody called. */
void live_call(uint32_t worker);
void live_call_all_but(uint32_t worker);
