/*
 * route/rewrite - the path that a backend gets in place of the request's.
 *
 * Pure. Source: Istio VirtualService http[].rewrite; Envoy's prefix_rewrite and regex_rewrite
 * (observed.md, Rewrite and redirect): the octets that the rule's match of the path took are
 * replaced raw, and what stood behind them follows.
 */
#pragma once

#include "model/parts.h"

struct arena;

/* `path` begins with `bare`, which is it without its query. A route without a rewrite of the path:
 * `path` itself. */
struct str rewrite_path(const struct route *r, struct str path, struct str bare, struct arena *a);

/* `path` with what the match took of it replaced by `by`. */
struct str rewrite_matched(const struct route_match *m, struct str by, struct str path,
                           struct str bare, struct arena *a);

static inline bool rewrite_has_path(const struct route *r)
{
    return r->extras && r->extras->rewrite;
}
