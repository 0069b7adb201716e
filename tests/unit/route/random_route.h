/*
 * tests/unit/route/random_route - virtual hosts and requests made by chance, of several
 * shapes: mixed; many rules on few paths; many regexes; prefixes in prefixes.
 */
#pragma once

#include "base/rng.h"
#include "route/route.h"

/* A finished part; the caller unrefs. */
struct vhost *random_vhost(struct rng *rng);
/* Octets from `a`; `headers` is what ret->headers points to. */
void random_request(struct rng *rng, struct arena *a, struct headers *headers,
                    struct route_request *ret);
/* Keeps all patterns that random_vhost uses compiled (model/pattern.h): saves most time. */
struct vhost *random_patterns(void);
