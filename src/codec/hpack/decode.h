/*
 * codec/hpack/decode - header blocks to fields. Source: RFC 7541, 3, 5, 6.
 *
 * Pure. A block is given whole (HEADERS and all its CONTINUATION). What exceeds the limits
 * is still read, since the tables of both sides must stay the same, but not kept.
 */
#pragma once

#include "codec/hpack/error.h"
#include "codec/hpack/table.h"

struct hpack_decoder {
    struct hpack_table table;
};

/* `max` is the SETTINGS_HEADER_TABLE_SIZE we announced. */
void hpack_decoder_init(struct hpack_decoder *d, size_t max);
void hpack_decoder_fini(struct hpack_decoder *d);

struct hpack_limits {
    size_t max_octets;    /* of all names and values, decoded, cookies included */
    uint32_t max_headers; /* fields */
};

/* Appends the fields, in arrival order, pseudo-headers among them, to `ret`; their octets
 * are copied to the arena. A field has an id only if its name has no capital. `ret_over`: a limit
 * was reached, and the rest was dropped. */
MUST_USE const struct hpack_error *hpack_decode(struct hpack_decoder *d, struct str block,
                                                const struct hpack_limits *limits, struct arena *a,
                                                struct headers *ret, bool *ret_over);
