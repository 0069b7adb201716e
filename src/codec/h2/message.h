/*
 * codec/h2/message - header fields of HTTP/2 to messages and back: pseudo-headers, and what
 * makes a message malformed.
 *
 * Pure. Stricter than HTTP/1 could check: whatever would mean something else once it is
 * written as HTTP/1 is refused. Source: RFC 9113, 8.1 to 8.3; RFC 8441.
 */
#pragma once

#include "codec/h2/error.h"
#include "codec/hpack/table.h"

struct h2_message {
    struct str method, scheme, authority, path, protocol; /* requests; STR_NONE: absent */
    uint16_t status;                                      /* responses */
    struct headers headers; /* without pseudo-headers; cookies joined (8.2.3) */
    int64_t content_length; /* -1: not given */
};

/* NULL, or h2_error_malformed. `fields` as decoded; slices are kept. */
MUST_USE const struct h2_error *h2_request_read(const struct headers *fields, struct arena *a,
                                                struct h2_message *ret);
MUST_USE const struct h2_error *h2_response_read(const struct headers *fields, struct arena *a,
                                                 struct h2_message *ret);
/* Trailers have no pseudo-headers; those that must not be trailers are dropped. */
MUST_USE const struct h2_error *h2_trailers_read(const struct headers *fields, struct arena *a,
                                                 struct headers *ret);

/* The fields of a message for h2_write_block, in an array in the arena: pseudo-headers, then
 * all of `headers` in lower case but what HTTP/2 does not have. */
struct hpack_field *h2_request_fields(const struct h2_message *m, const struct headers *headers,
                                      struct arena *a, size_t *ret_n);
struct hpack_field *h2_response_fields(uint16_t status, const struct headers *headers,
                                       struct arena *a, size_t *ret_n);
struct hpack_field *h2_trailer_fields(const struct headers *headers, struct arena *a,
                                      size_t *ret_n);
