/*
 * route/route - which virtual host and which route answer a request.
 *
 * Pure over parts and a request view; no allocation. First match wins in the order of the
 * manifest; hosts: exact, then the longest "*.suffix", then "*" (observed.md, Hosts).
 */
#pragma once

#include "model/request.h"
#include "model/root.h"

/* The virtual host for a host name, or NULL. */
const struct vhost *route_vhost(const struct root *root, const struct routes *routes,
                                struct str host);

/* The first route of `vhost` that matches, or NULL. */
const struct route *route_pick(const struct vhost *vhost, const struct route_request *rq);

/* Does one matcher hold? Exposed for explain and tests. */
bool text_matches(const struct text_matcher *m, struct str text);
