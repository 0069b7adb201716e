/*
 * tests/fuzz/h1_check - what must hold for any octets fed to the HTTP/1 codec.
 */
#pragma once

#include "unit/codec/h1_feed.h"

/* Feeds `in` whole, in two pieces and one by one; all must agree. Returns that of the whole. */
struct h1_seen h1_check_feed(struct str in, enum h1_side side, enum method method, struct arena *a);

/* Two lists are the same, name by name and value by value. */
void h1_check_headers(const struct headers *a, const struct headers *b);
