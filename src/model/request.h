/*
 * model/request - what of a request the matchers of routes look at, and the values in it.
 *
 * Pure views; nothing is copied. Shared by the index of a virtual host and by route/.
 */
#pragma once

#include "codec/header.h"

/* Borrowed for the call. */
struct route_request {
    struct str host;      /* lower case, without port */
    struct str authority; /* as received */
    struct str path;      /* normalised, without query */
    struct str query;     /* without '?'; cut from the same octets as `path` */
    struct str method, scheme;
    uint16_t port; /* the listener's manifest port */
    const struct headers *headers;
};

/* The value of ":authority", ":path" (query included), ":method", ":scheme" or "host" (the
 * authority, port included); STR_NONE: the name is not one of these, or there is none. */
struct str request_pseudo_header(const struct route_request *rq, struct str name);

/* The first occurrence only; not decoded; "?v" is "v=". STR_NONE: not there. */
struct str request_query_value(const struct route_request *rq, struct str name);

/* The values that a header matcher tests, one by one, never joined: the pseudo header's, or
 * those of each header of that name (lower case). */
struct header_values {
    const struct route_request *rq;
    struct str pseudo; /* until it is given */
    const struct header *next;
};
void header_values_init(struct header_values *v, const struct route_request *rq, struct str name);
bool header_values_next(struct header_values *v, struct str *ret);
