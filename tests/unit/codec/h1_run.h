/*
 * tests/unit/codec/h1_run - feeds HTTP/1 octets to the codec whole, octet by octet and in
 * two parts split at each place, and checks that every way gives the same.
 */
#pragma once

#include "codec/h1/body.h"
#include "codec/h1/head.h"

/* What came of a message: the head, then its body. */
struct h1_seen {
    const struct h1_error *error;
    bool more;                   /* octets are missing */
    size_t used;                 /* octets of the message; H1_MORE: undefined */
    struct h1_request request;   /* of H1_REQUEST */
    struct h1_response response; /* of H1_RESPONSE */
    struct str body;             /* content, in the arena */
    struct headers trailers;
};

/* One message at the front of `in`. `method` is the request's that a response answers. All
 * ways must agree on error, more, used, body and trailers; the returned one is that of the
 * whole. Slices point into `in` or the arena. */
struct h1_seen h1_run(struct str in, enum h1_side side, enum method method, struct arena *a);
