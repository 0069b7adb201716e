/*
 * codec/h1/write - HTTP/1.1 messages as octets.
 *
 * The caller gives the final headers, framing included; nothing is added. Names go out in
 * lower case, as Envoy sends them, unless `keep_case`. Source: RFC 9112, 3, 4, 5, 7.1.
 */
#pragma once

#include "base/buf.h"
#include "codec/header.h"

/* Each returns false beyond the buffer's maximum, and where a word, name or value would break the
 * framing (an octet that it may not have); then the buffer holds a part and must not be sent. */
MUST_USE bool h1_request_write(struct buf *b, struct str method, struct str target,
                               const struct headers *h, bool keep_case);
/* `reason` STR_NONE: the registry's phrase for the status. */
MUST_USE bool h1_response_write(struct buf *b, uint16_t status, struct str reason,
                                const struct headers *h, bool keep_case);

/* What a list may hold that is not written. */
enum h1_leave_out {
    H1_LEAVE_OUT_NONE,
    H1_LEAVE_OUT_CODING,  /* transfer-encoding */
    H1_LEAVE_OUT_FRAMING, /* and content-length */
};

/* The same in pieces, for a caller that frames a message itself: a first line, fields of a list
 * and others, and the empty line. */
MUST_USE bool h1_request_line_write(struct buf *b, struct str method, struct str target);
MUST_USE bool h1_status_line_write(struct buf *b, uint16_t status, struct str reason);
MUST_USE bool h1_fields_write(struct buf *b, const struct headers *h, bool keep_case,
                              enum h1_leave_out left_out);
/* One of the program's own: a known name, and a value that may be one. */
MUST_USE bool h1_field_write(struct buf *b, enum header_id id, struct str value);
MUST_USE bool h1_head_end_write(struct buf *b);

/* "200" is "OK"; "Unknown" where the registry has none (Envoy's word). */
struct str h1_reason_of(uint16_t status);

#define H1_CHUNK_HEAD_MAX 18
#define H1_CHUNK_TAIL STR("\r\n")
#define H1_LAST_CHUNK STR("0\r\n\r\n") /* without trailers */

/* Formats "1f\r\n", to stand before `size` (not 0) octets of content and H1_CHUNK_TAIL. */
struct str h1_chunk_head(uint64_t size, char octets[H1_CHUNK_HEAD_MAX]);

/* "0\r\n", the trailers, "\r\n". */
MUST_USE bool h1_last_chunk_write(struct buf *b, const struct headers *trailers, bool keep_case);
