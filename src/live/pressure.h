/*
 * live/pressure - how near the process is to its memory limit, in steps, and what each step
 * takes away. Set by whoever measures, read by workers.
 */
#pragma once

#include "base/must.h"

#include <stdatomic.h>

enum pressure {
    PRESSURE_NONE,
    PRESSURE_SAVE,   /* 92 %: answers end their connections, idle ones to backends are closed */
    PRESSURE_REFUSE, /* 95 %: new requests are answered 503 `OM`, idle connections closed */
    PRESSURE_SHED,   /* 98 %: new connections are closed, requests that need memory are reset */
    PRESSURE_LEVELS
};

extern const char *const pressure_names[PRESSURE_LEVELS]; /* "none", "save", ... */

/* The step for `used` of `limit` octets (0: no limit). A step that was reached is left 4 % below
 * where it begins, so that nothing flaps. */
enum pressure pressure_of(enum pressure before, uint64_t used, uint64_t limit);

struct pressure_state {
    _Atomic uint8_t level; /* enum pressure */
    _Atomic uint64_t used, limit;
};
extern struct pressure_state live_pressure_now;

static inline enum pressure live_pressure(void)
{
    return (enum pressure)atomic_load_explicit(&live_pressure_now.level, memory_order_relaxed);
}

/* Workers that cannot keep up (proxy/lag.h). */
void live_workers_behind(int more);
uint32_t live_workers_behind_count(void);

/* By one thread. Returns the step. */
enum pressure live_pressure_tell(uint64_t used, uint64_t limit);
