/*
 * telemetry/log_value - how the values of log lines are printed.
 *
 * A stranger chooses the octets of headers, paths and server names. Printed here they can
 * neither end a line, nor close a quote, nor reach a terminal as a control sequence, nor
 * make a JSON line invalid; everything else stands as it came.
 */
#pragma once

#include "base/buf.h"

/* How a value stands in its line. */
enum log_style {
    LOG_STYLE_TEXT,     /* bare; missing is "-" */
    LOG_STYLE_JSON,     /* a whole JSON value; missing is null */
    LOG_STYLE_JSON_PART /* inside a JSON string; missing is "-" */
};

/* In LOG_STYLE_TEXT `"`, `\`, control characters (C1 too) and octets that are not UTF-8 become
 * \xHH; in the JSON styles they follow JSON, and what is not UTF-8 becomes U+FFFD. No quotes
 * are added. */
void log_escape_add(struct buf *out, struct str s, enum log_style style);

/* Octets of the printable character at the front of `s` (not empty), which is well-formed UTF-8
 * and no control character; else 0. */
size_t log_char_len(struct str s);

extern const char log_pairs[]; /* the digits of 0 to 99, two each */
/* Puts the decimal digits of v, twenty at most; returns what is behind them. */
char *log_number_put(char *at, uint64_t v);
