/*
 * mesh/watch - who waits for a host: VirtualServices for one of a Gateway, servers for one that
 * is served. By hashes: two names that share one only cost work.
 */
#pragma once

#include "mesh/plan.h"

/* For a host itself, or for what a wildcard covers beside itself. */
enum watch_how { WATCH_IS, WATCH_UNDER };

/* A VirtualService by its hosts, for the Gateway. */
void watch_cell(struct compile *c, struct vs_cell *cell, uint64_t gateway, struct str host);
/* A server by one of its own. */
void watch_server(struct compile *c, struct server_plan *s, struct str host);

/* Servers of a table speak of their hosts again. */
void watch_touch_servers(struct compile *c, const struct table_plan *t, enum watch_how how,
                         struct str host);
/* Calls `fn` with each VirtualService of a Gateway that may have a host in common with `host`. */
typedef void watch_cell_fn(struct compile *c, struct server_plan *s, struct vs_cell *cell);
void watch_each_cell(struct compile *c, struct server_plan *s, struct str host, watch_cell_fn *fn);

/* ---- small words of the plan ---- */
struct str plan_dup(struct str s); /* heap */
