/*
 * telemetry/log_ops - the operators of access log formats: one row each.
 *
 * A row says how an argument is read and how the value is written from the decision record.
 * Operators of Envoy that are not built yet have a row without a writer, so that the error
 * can tell them from misspelt ones. Source: istio-api facts 6.3.
 */
#pragma once

#include "telemetry/log_value.h"
#include "telemetry/record.h"

struct log_op;
struct log_pen;

/* Writes the value at `at`, where a short one has room (telemetry/log_pen.h); returns what is
 * behind it. */
typedef char *log_op_write(const struct log_op *op, const struct record *r, char *at,
                           struct log_pen *pen);

/* An operator as it stands in a format: its argument read. */
struct log_op {
    log_op_write *write;
    uint16_t at, to;    /* offsets of the record's fields; of durations the two times */
    uint16_t id;        /* enum header_id, or a pseudo header: log_headers.c */
    uint32_t scale;     /* of COMMON_DURATION: ns a unit */
    uint16_t max;       /* `:n`: octets at most; 0: all */
    uint16_t short_max; /* no longer texts are written in one go */
    uint8_t style;      /* enum log_style */
    bool is_quoted;     /* texts are */
    uint8_t none_len;
    char none[4];             /* stands for what is missing */
    struct str arg;           /* header name, time format, text */
    const struct log_op *alt; /* of headers: asked where this one is missing */
};

/* Reads what stands between two percent signs: "REQ(X?Y):20". False with a text for people
 * (arena). Strings are borrowed from `text`. */
MUST_USE bool log_op_parse(struct str text, enum log_style style, struct arena *arena,
                           struct log_op *ret, struct str *reterr);
