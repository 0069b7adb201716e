/*
 * telemetry/log_value - one value of a log line, and how it is printed.
 *
 * A stranger chooses the octets of headers, paths and server names. Printed here they can
 * neither end a line, nor close a quote, nor reach a terminal as a control sequence, nor
 * make a JSON line invalid; everything else stands as it came.
 */
#pragma once

#include "base/buf.h"

#define LOG_VALUE_ROOM 384

enum log_value_kind { LOG_VALUE_NONE, LOG_VALUE_NUMBER, LOG_VALUE_TEXT };

struct log_value {
    uint8_t kind; /* enum log_value_kind */
    int64_t number;
    struct str text;           /* borrowed, or in `room` */
    char room[LOG_VALUE_ROOM]; /* not zeroed */
};

/* How a value stands in its line. */
enum log_style {
    LOG_STYLE_TEXT,     /* bare; missing is "-" */
    LOG_STYLE_JSON,     /* a whole JSON value; missing is null */
    LOG_STYLE_JSON_PART /* inside a JSON string; missing is "-" */
};

/* Adds the literal `before` and the value behind it. */
void log_value_add(struct buf *out, struct str before, const struct log_value *v,
                   enum log_style style);

/* In LOG_STYLE_TEXT `"`, `\`, control characters (C1 too) and octets that are not UTF-8 become
 * \xHH; in the JSON styles they follow JSON, and what is not UTF-8 becomes U+FFFD. No quotes
 * are added. */
void log_escape_add(struct buf *out, struct str s, enum log_style style);

/* Octets of the printable character at the front of `s` (not empty), which is well-formed UTF-8
 * and no control character; else 0. */
size_t log_char_len(struct str s);

/* Decimal digits in `out`, which has room for 20 and a sign; returns how many. */
size_t log_number_format(int64_t v, char *out);
