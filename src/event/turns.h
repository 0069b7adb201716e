/*
 * event/turns - what the turns of a loop cost, by the clock and in processor time.
 *
 * A turn is what a loop does between two waits. The clock is read once more at its end; the
 * thread's processor clock is a system call, so it is read only when turns have taken half a
 * millisecond since, and behind a long one: a turn's processor time is told up to that much too
 * high, never too low, and for turns that are shorter by the clock than TURN_MEASURED_NS it is
 * not told at all.
 */
#pragma once

#include "base/must.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TURN_MEASURED_NS 1000000u /* the shortest turn whose processor time is told */
#define TURN_LONG_NS 5000000u     /* processor time that is too much for one turn */

enum { TURN_BOUNDS = 14, TURN_NOTES = 8 };
extern const uint32_t turn_bounds_us[TURN_BOUNDS]; /* upper bounds, ascending */

/* Written by the loop's thread alone; any thread may read. */
struct turns {
    _Atomic uint64_t wall[TURN_BOUNDS + 1]; /* turns by the clock; the last: above all bounds */
    _Atomic uint64_t cpu[TURN_BOUNDS + 1];  /* those measured, by processor time */
    _Atomic uint64_t wall_ns, cpu_ns;       /* sums; the second of the whole thread */
    _Atomic uint64_t cpu_max_ns;
};

/* A piece of work that a turn was told of (loop_note). */
struct turn_note {
    const char *what;
    uint64_t wall_ns;
    uint32_t times;
};

/* A turn that took more than TURN_LONG_NS. Notes are borrowed for the call. */
struct turn_report {
    uint64_t wall_ns, cpu_ns;
    uint32_t tasks;
    const struct turn_note *notes;
    size_t note_n;
};

/* The loop's own side. */
struct turn_clock {
    struct turns seen;
    uint64_t began_ns, ended_ns;
    uint64_t cpu_ns;    /* what the processor clock said when it was read last */
    uint64_t unread_ns; /* what turns have taken since, by the clock */
    struct turn_note notes[TURN_NOTES];
    size_t note_n;
    uint32_t tasks;
    uint64_t (*read_cpu)(void *arg);
    void *arg;
};

void turn_begin(struct turn_clock *c, uint64_t now_ns);
void turn_note(struct turn_clock *c, const char *what, uint64_t wall_ns);
/* True: the turn was long, and `ret` says of it what is known. */
bool turn_end(struct turn_clock *c, uint64_t now_ns, struct turn_report *ret);
