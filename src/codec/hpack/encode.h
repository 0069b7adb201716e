/*
 * codec/hpack/encode - fields to header blocks. Source: RFC 7541.
 *
 * Pure. What repeats from message to message goes into the dynamic table; what is secret is
 * never indexed (7.1.3); what differs each time is sent as it is, and a short value then without
 * Huffman's code.
 */
#pragma once

#include "base/buf.h"
#include "codec/hpack/table.h"

struct hpack_encoder {
    struct hpack_table table;
    size_t lowest; /* of the sizes since the last block; SIZE_MAX: it did not change */
};

/* `max` bounds the table whatever the other side allows. */
void hpack_encoder_init(struct hpack_encoder *e, size_t max);
void hpack_encoder_fini(struct hpack_encoder *e);
/* The other side's SETTINGS_HEADER_TABLE_SIZE. */
void hpack_encoder_resize(struct hpack_encoder *e, size_t size);
/* Gives its memory back; the next block tells the other side that the table was emptied (4.2). */
void hpack_encoder_rest(struct hpack_encoder *e);

/* Begins a block; then the fields in order, names in lower case. False: beyond the buffer's
 * maximum; the encoder is then out of step and the connection must end. */
MUST_USE bool hpack_encode_begin(struct hpack_encoder *e, struct buf *out);
MUST_USE bool hpack_encode(struct hpack_encoder *e, const struct hpack_field *field,
                           struct buf *out);
