/*
 * cli/respawn - when a crashed process is started anew: at once, unless it crashes again and
 * again; a process that never served counts ten times.
 *
 * A row of 30 crashes costs no wait, one comes back each second; beyond that 100 ms, doubled
 * each time, up to 10 s, until the whole row has come back.
 */
#pragma once

#include "base/must.h"

#include <stdbool.h>

struct respawn {
    uint64_t spent;   /* of the row */
    uint64_t at_ms;   /* when it was `spent` */
    uint32_t doubled; /* waits in a row */
};

/* Milliseconds to wait; a process has crashed now. 0: none. */
uint64_t respawn_wait_ms(struct respawn *r, uint64_t now_ms, bool had_served);
