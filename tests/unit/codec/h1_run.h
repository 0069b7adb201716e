/*
 * tests/unit/codec/h1_run - feeds HTTP/1 octets to the codec whole, octet by octet and in
 * two parts split at each place, and checks that every way gives the same.
 */
#pragma once

#include "h1_feed.h"

/* One message at the front of `in`. `method` is the request's that a response answers. All
 * ways must agree on error, more, used, body and trailers; the returned one is that of the
 * whole. Slices point into `in` or the arena. */
struct h1_seen h1_run(struct str in, enum h1_side side, enum method method, struct arena *a);
