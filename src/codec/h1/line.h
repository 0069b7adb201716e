/*
 * codec/h1/line - the lines of a head, one at a time: request line, status line, field.
 *
 * For this folder's own files. Lines come without their CRLF. Source: RFC 9112, 3 to 5.
 */
#pragma once

#include "codec/h1/head.h"

/* Octets of a request line besides its target: the longest method, two spaces, version. */
#define H1_LINE_REST 64

struct h1_line {
    uint8_t minor;
    enum method method; /* request line */
    struct str target;
    uint16_t status; /* status line */
    struct str reason;
};

MUST_USE const struct h1_error *h1_request_line(struct str line, const struct h1_limits *limits,
                                                struct h1_line *ret);
MUST_USE const struct h1_error *h1_status_line(struct str line, struct h1_line *ret);

/* Cuts the next line off `rest`, without its CRLF. False: no CRLF there, and what is left
 * is no line. */
bool h1_line_cut(struct str *rest, struct str *ret);

/* Parses field lines up to the end of `lines` into `ret`, at most `max`. */
MUST_USE const struct h1_error *h1_fields_parse(struct str lines, uint32_t max, struct arena *a,
                                                struct headers *ret);

/* The front of a head that may be whole and good (read.c). Each of these moves `at` behind what it
 * has read; false where octets are missing or anything is wrong, and then `ret` is undefined. */
struct h1_cursor {
    const char *at, *end;
};

/* False: so few octets are no head, and the readers may not look at them. */
MUST_USE bool h1_cursor_init(struct h1_cursor *c, struct str in);
MUST_USE bool h1_request_line_read(struct h1_cursor *c, const struct h1_limits *limits,
                                   struct h1_line *ret);
MUST_USE bool h1_status_line_read(struct h1_cursor *c, struct h1_line *ret);
/* Field lines and the empty line behind them, at most `max` fields in `ret`. */
MUST_USE bool h1_fields_read(struct h1_cursor *c, uint32_t max, struct arena *a,
                             struct headers *ret);

/* Splits a target into ret->form, scheme, authority, path. */
MUST_USE const struct h1_error *h1_target_parse(struct str target, enum method method,
                                                struct arena *a, struct h1_request *ret);

/* Framing, keep_alive and upgrade of a message whose minor and headers are set: what is
 * said by the headers alone; kind H1_BODY_NONE where none speaks of a body. */
MUST_USE const struct h1_error *h1_message_judge(struct h1_message *m);
