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

/* All domains of a table one after another, in the same order in every process. The one that a
 * zeroed cursor stands at, NULL: there are no more; `at++` goes on. */
struct domain_cursor {
    uint64_t hash;
    uint32_t at;
    bool is_below, is_over;
};
const struct domain *route_domain(const struct root *root, const struct routes *routes,
                                  struct domain_cursor *c);

/* Where a route (NULL: the virtual host) comes from: the origin of a part. What a server of a
 * Gateway brought about stands in its own part. */
struct route_place {
    const struct part *part;
    origin_id origin;
};
struct route_place route_place(const struct root *root, const struct vhost *vhost,
                               const struct route *route);

/* The first route of `vhost` that matches, or NULL. */
const struct route *route_pick(const struct vhost *vhost, const struct route_request *rq);

/* Does one matcher hold? Exposed for explain and tests. */
bool text_matches(const struct text_matcher *m, struct str text);

/* The condition that a request fails first: path, then the others in this order. */
enum route_condition {
    ROUTE_HOLDS,
    ROUTE_PATH,
    ROUTE_PORT,
    ROUTE_METHOD,
    ROUTE_SCHEME,
    ROUTE_AUTHORITY,
    ROUTE_HEADER,
    ROUTE_QUERY
};
struct route_miss {
    enum route_condition what;
    uint32_t at; /* in headers or query */
};

/* Why a rule does not hold, by the matchers that route_pick uses. For explain and tests: it
 * looks at one rule without the index. */
struct route_miss route_misses(const struct route_match *m, const struct route_request *rq);
