/*
 * echo/proto - the little of protocol buffers that a gRPC echo needs: fields, one by one.
 *
 * Pure. Source: the wire format of proto3 (varints and length-delimited fields; 32 and 64 bit
 * fields are skipped by number like any other that is not known).
 */
#pragma once

#include "base/buf.h"

struct proto_field {
    uint32_t id;
    uint64_t number;   /* of a varint, or of the 32 or 64 bits */
    struct str octets; /* STR_NONE: it is a number */
};

/* Takes a field off the front of `in`. False: `in` is empty, or broken and then is not. */
MUST_USE bool proto_next(struct str *in, struct proto_field *ret);

/* What is 0 or empty is left out, as proto3 does it. False: beyond the buffer's maximum. */
MUST_USE bool proto_add_number(struct buf *to, uint32_t id, uint64_t v);
MUST_USE bool proto_add_octets(struct buf *to, uint32_t id, struct str s);
