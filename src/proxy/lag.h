/*
 * proxy/lag - a worker that cannot keep up: what came first goes first, and what comes too late
 * is not begun (CoDel's rule, RFC 8289: a queue is bad that stands).
 *
 * The longer what is ready waits, the fewer connections are accepted in a turn, always. A worker is
 * behind when for LAG_STANDS_MS each turn was late: what was ready had waited for LAG_TARGET_MS
 * (loop_lag_ns), or a connection that was accepted while others still wait. While it is, few
 * connections may wait in the kernel (the next one's SYN is not answered, which costs nothing
 * here), and a connection or request whose octets waited for LAG_TOO_LATE_MS, or whose client has
 * gone, is refused. It is behind until LAG_CALM_MS have passed without a late turn or a crowd at a
 * port.
 */
#pragma once

#include "event/loop.h"

#define LAG_TARGET_MS 100
#define LAG_STANDS_MS 500
#define LAG_CALM_MS 1000
#define LAG_TOO_LATE_MS 500

struct worker;

struct lag {
    struct timer look;
    uint64_t since_ms; /* late since then; 0: not late */
    uint64_t rough_ms; /* behind: when it was last seen to be */
    bool is_behind;
};

void lag_init(struct worker *w);
void lag_fini(struct worker *w);
/* Connections in this turn: the longer what is ready waits, the fewer. */
int lag_may_accept(const struct worker *w);
/* At the end of each turn. */
void lag_turn(struct worker *w);
