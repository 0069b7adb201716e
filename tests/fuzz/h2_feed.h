/*
 * tests/fuzz/h2_feed - the HTTP/2 codec over any octets, with an owner that takes all it is
 * given, refuses what is malformed, and checks what must hold after each event.
 */
#pragma once

#include "base/arena.h"
#include "codec/h2/h2.h"
#include "codec/h2/message.h"

#define H2_FEED_STREAMS 100

struct h2_feed_limits {
    size_t max_octets; /* of a head */
    size_t open;       /* a client's streams, their requests sent */
};

struct h2_seen {
    const struct h2_error *error;  /* of the connection; NULL: it goes on */
    uint64_t hash;                 /* of all events but the cuts of DATA */
    size_t events, octets, broken; /* stream errors */
};

struct h2_seen h2_feed_run(struct str in, enum h2_side side, size_t piece,
                           const struct h2_feed_limits *limits);
/* Whole, in parts and octet by octet it must come out the same. */
void h2_feed_check(struct str in, enum h2_side side);
