/*
 * model/encode - parts to octets and back by their shapes; for the folder's own files.
 *
 * Integers are little-endian of their field's width; a string is its length + 1 as u32 (0:
 * not set) and its octets; a slot is the name of the part it stands for; a list is its
 * length as u32 and its elements. A part: kind u8, name, count of origins and these, fields.
 */
#pragma once

#include "base/buf.h"
#include "model/root.h"

void part_hash(const struct part *p, uint64_t *ret_content, uint64_t *ret_origins);

void put_u8(struct buf *out, uint8_t v);
void put_u32(struct buf *out, uint32_t v);
void put_u64(struct buf *out, uint64_t v);
void put_str(struct buf *out, struct str s);
void part_encode(const struct part *p, struct buf *out);

/* What is still to be read. After the first error `failed` says why and all reads give 0. */
struct reader {
    struct str rest;
    const char *failed; /* a literal */
    struct slots *slots;
    struct arena *arena; /* of the part being read */
    uint32_t origin_count;
};

uint8_t take_u8(struct reader *r);
uint32_t take_u32(struct reader *r);
uint64_t take_u64(struct reader *r);
struct str take_str(struct reader *r); /* borrowed from the image */
/* One part with part_finish done, or NULL with `failed` set. */
struct part *part_decode(struct reader *r);
