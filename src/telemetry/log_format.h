/*
 * telemetry/log_format - a parsed access log format: a run of literals and operators.
 *
 * A JSON format is the same run: braces, names and quotes are literals, written once when
 * the format is parsed. For the folder's own files; others use telemetry/telemetry.h.
 */
#pragma once

#include "telemetry/log_ops.h"
#include "telemetry/telemetry.h"

#define LOG_LITERAL_MAX 32 /* octets; longer ones take several items */

/* A literal and the operator behind it, which may be one that writes nothing. */
struct log_item {
    char literal[LOG_LITERAL_MAX];
    size_t literal_len;
    struct log_op op;
};

struct log_format {
    struct log_item *items;
    size_t n, cap;
    size_t room; /* for a line of short values (telemetry/log_pen.h) */
};

/* Builds a format: literals gather in `literal` until an operator takes them. */
struct log_builder {
    struct arena *arena;
    struct log_format *format;
    struct buf literal;
    struct str error; /* set: the text for people */
};

/* Cuts the next piece off `text`: a run without operators (`*ret_op` STR_NONE) or what stands
 * between two percent signs; "%%" is a literal percent sign. False: no closing sign. */
MUST_USE bool log_piece_cut(struct str *text, struct str *ret_literal, struct str *ret_op);
/* Appends an operator in that style; false: b->error is set. */
MUST_USE bool log_builder_op(struct log_builder *b, struct str op, enum log_style style);

/* Reads an object of names and format strings (Envoy's json_format) into the builder. */
MUST_USE bool log_json_parse(struct log_builder *b, struct str text);
