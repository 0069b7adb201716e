#include "live/pressure.h"

#define LEAVE_PERCENT 4

const char *const pressure_names[PRESSURE_LEVELS] = { "none", "save", "refuse", "shed" };

static const uint8_t percent[PRESSURE_LEVELS] = { 0, 92, 95, 98 };

struct pressure_state live_pressure_now;
static _Atomic uint32_t behind;

enum pressure pressure_of(enum pressure before, uint64_t used, uint64_t limit)
{
    enum pressure p = PRESSURE_NONE;

    if (limit == 0)
        return p;
    for (enum pressure at = PRESSURE_SAVE; at < PRESSURE_LEVELS; at++) {
        uint64_t begins = percent[at] - (at <= before ? LEAVE_PERCENT : 0);

        if (used / 100 >= limit / 100 * begins / 100)
            p = at;
    }
    return p;
}

void live_workers_behind(int more)
{
    atomic_fetch_add_explicit(&behind, (uint32_t)more, memory_order_relaxed);
}

uint32_t live_workers_behind_count(void)
{
    return atomic_load_explicit(&behind, memory_order_relaxed);
}

enum pressure live_pressure_tell(uint64_t used, uint64_t limit)
{
    enum pressure p = pressure_of(live_pressure(), used, limit);

    atomic_store_explicit(&live_pressure_now.used, used, memory_order_relaxed);
    atomic_store_explicit(&live_pressure_now.limit, limit, memory_order_relaxed);
    atomic_store_explicit(&live_pressure_now.level, (uint8_t)p, memory_order_relaxed);
    return p;
}
