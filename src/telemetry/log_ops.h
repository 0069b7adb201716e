/*
 * telemetry/log_ops - the operators of access log formats: one row each.
 *
 * A row says how an argument is read and how the value is taken from the decision record.
 * Operators of Envoy that are not built yet have a row without a getter, so that the error
 * can tell them from misspelt ones. Source: istio-api facts 6.3.
 */
#pragma once

#include "telemetry/log_value.h"
#include "telemetry/record.h"

struct log_operator;

/* An operator as it stands in a format: its argument read. */
struct log_op {
    const struct log_operator *row;
    struct str arg, alt; /* header names, time format, text */
    uint16_t id, alt_id; /* enum header_id, or a pseudo header: log_ops.c */
    uint16_t from, to;   /* COMMON_DURATION: offsets of two times; its unit in `max` */
    uint32_t scale;      /* ns a unit */
    uint32_t max;        /* `:n`: octets at most; 0: all */
};

/* Reads what stands between two percent signs: "REQ(X?Y):20". False with a text for people
 * (arena). Strings are borrowed from `text`. */
MUST_USE bool log_op_parse(struct str text, struct arena *arena, struct log_op *ret,
                           struct str *reterr);
/* The operator's value for one request. */
void log_op_get(const struct log_op *op, const struct record *r, struct log_value *ret);
