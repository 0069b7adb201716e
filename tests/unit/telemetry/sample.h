/*
 * tests/unit/telemetry/sample - a decision record as the request path fills it.
 */
#pragma once

#include "telemetry/telemetry.h"

/* A request of the tutorial that succeeded; lists live in the arena, so that a test can
 * change them. */
void sample_record(struct record *ret, struct arena *a);
/* The same connection, answered 404 by the gateway itself: almost nothing is set. */
void sample_not_found(struct record *ret, struct arena *a);
/* Replaces or adds a request header. */
void sample_set(struct record *r, struct arena *a, const char *name, struct str value);

/* The whole page of a form, in place of what `out` held. */
struct str sample_page(struct buf *out, enum scrape_form form);
