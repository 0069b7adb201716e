/*
 * proxy/share - a worker's part in a cluster's limited number of connections
 * (DestinationRule connectionPool.tcp.maxConnections): who stands in line for one, and which
 * are idle and can be given up. The number itself is all workers' (live/budget.h).
 *
 * A share exists while a pool of the cluster does and the limit is finite. Nobody who comes
 * later takes a connection while others stand in line; whoever waits for the endpoint of the
 * connection that became free goes first, but nobody is passed more than a few times. A worker
 * with nobody in line gives idle connections up as soon as another worker waits, and one with a
 * line of its own after a few exchanges more.
 */
#pragma once

#include "proxy/claim.h"
#include "proxy/worker_int.h"

struct upstream;

/* The share of a cluster, made where it is new, for one more pool; NULL without a limit. */
struct share *share_of(struct worker *w, const struct cluster *c);
/* One pool less; takes NULL. Nobody may stand in line for it. */
void share_unref(struct share *s);

/* May `c` open or take a connection now? Else it stands in line, and its task is woken with
 * `is_turn` when it should try again: ERR_AGAIN; or the line is full: ERR_OVERFLOW. ERR_OK: it
 * has left the line, and a connection to be dialled is counted if `dials`. */
MUST_USE enum err share_enter(struct share *s, struct claim *c, struct upstream_pool *p,
                              bool dials);
/* Leaves the line, without a connection. */
void share_leave_line(struct claim *c);
/* Wakes all in line for that pool: its cluster has no limit any more. */
void share_dismiss(struct share *s, struct upstream_pool *p);

/* A connection takes another exchange; true: it shall be closed instead. */
MUST_USE bool share_gives_up(struct share *s);
/* ... and is not: for somebody in line. */
void share_idle(struct share *s, struct upstream_pool *p);
void share_idle_add(struct share *s, struct upstream *u);
/* It takes even more (HTTP/2). */
void share_more(struct share *s, struct upstream_pool *p);
/* A request has got its connection. One that takes more (HTTP/2) never falls idle by itself
 * under load: it is given up when nobody is in line here and another worker waits. */
void share_served(struct share *s);
/* One was told to close when it is idle. */
void share_leaving(struct share *s, const struct upstream *u);
/* A connection that was there before the limit. */
void share_count(struct share *s, struct upstream *u, bool is_idle);
/* A counted connection is gone, or was not dialled after all: NULL. */
void share_gone(struct share *s, const struct upstream *u);

/* Another worker gave a connection back, or waits for one. */
void share_look_at_all(struct worker *w);
