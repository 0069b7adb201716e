/*
 * route/route - which virtual host and which route answer a request.
 *
 * Pure over parts and a request view; no allocation. First match wins in the order of the
 * manifest; hosts: exact, then the longest "*.suffix", then "*" (observed.md, Hosts).
 */
#pragma once

#include "codec/header.h"
#include "model/root.h"

/* What a match looks at; borrowed for the call. */
struct route_request {
    struct str host;      /* lower case, without port */
    struct str authority; /* as received */
    struct str path;      /* normalised, without query */
    struct str query;     /* without '?'; cut from the same octets as `path` */
    struct str method, scheme;
    uint16_t port; /* the listener's manifest port */
    const struct headers *headers;
};

/* The virtual host for a host name, or NULL. */
const struct vhost *route_vhost(const struct root *root, const struct routes *routes,
                                struct str host);

/* The first route of `vhost` that matches, or NULL. */
const struct route *route_pick(const struct vhost *vhost, const struct route_request *rq);

/* Does one matcher hold? Exposed for explain and tests. */
bool text_matches(const struct text_matcher *m, struct str text);
