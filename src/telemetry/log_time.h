/*
 * telemetry/log_time - instants of access log lines as text, UTC.
 *
 * Source: Envoy's %START_TIME% and %START_TIME(format)%: strftime's conversions, %s (seconds
 * since 1970), %f (nine digits of the fraction) and %1f to %9f.
 */
#pragma once

#include "base/str.h"

#define LOG_TIME_LEN 24 /* 2026-11-24T09:15:03.042Z */

/* RFC 3339 with milliseconds: LOG_TIME_LEN octets at `out`; `before_us` is the instant whose text
 * stands there already, 0: none. */
void log_time_renew(char *out, int64_t before_us, int64_t unix_us);

/* STR_NONE, or what in `format` cannot be printed (borrowed from it). */
struct str log_time_check(struct str format);
/* By a checked format; what does not fit in `size` is left out. */
size_t log_time_format_by(struct str format, int64_t unix_us, char *out, size_t size);
