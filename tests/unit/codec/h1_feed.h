/*
 * tests/unit/codec/h1_feed - one HTTP/1 message through the codec as a driver feeds it, in
 * pieces. Used by the unit tests and the fuzzers; what breaks the codec's word aborts.
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

/* One message at the front of `in`, given as a piece of `first` octets and the rest, or one by
 * one where `first` is 0. `method` is the request's that a response answers. Slices of the
 * result point into `in` or the arena. */
struct h1_seen h1_feed(struct str in, size_t first, enum h1_side side, enum method method,
                       struct arena *a);
