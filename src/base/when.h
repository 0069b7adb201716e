/*
 * base/when - instants and durations as text. Pure: reads no clock.
 *
 * Instants are milliseconds since 1970 (UTC); durations are milliseconds.
 */
#pragma once

#include "base/str.h"

#define WHEN_LEN 24 /* 2026-11-24T09:15:03.042Z */

/* RFC 3339 with milliseconds and a NUL. */
void when_format(int64_t unix_ms, char out[static WHEN_LEN + 1]);

/* Reads RFC 3339 ("2026-11-24T09:15:03Z", fraction and offset allowed). */
MUST_USE bool when_parse(struct str s, int64_t *ret_unix_ms);

/* Reads Go's durations ("1h30m", "1.5s", "100ms", "-1s", "0") to nanoseconds. */
MUST_USE bool duration_parse(struct str s, int64_t *ret_ns);
