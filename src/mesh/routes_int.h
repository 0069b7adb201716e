/*
 * mesh/routes_int - a route configuration while it is put together.
 */
#pragma once

#include "mesh/compile.h"

struct rules {
    struct rule_ref *v;
    size_t n, cap;
};

struct vhost_plan {
    struct str host;                 /* lower case */
    const struct server_ref *server; /* the first that brought it */
    bool redirect_https;
    struct vhost_source {
        const struct api_object *vs;
        const struct server_ref *server;
        bool is_stub; /* `vs` is broken: its hosts answer 500 */
    } * used;
    size_t used_n, used_cap;
};

struct routes_plan {
    struct str name;
    uint64_t digest;    /* of the name */
    struct map by_host; /* host -> struct vhost_plan, in the order found */
};

enum vs_mark { MARK_BOUND = 1, MARK_USED };
void routes_mark(struct compile *c, const struct api_object *vs, enum vs_mark mark);
