/*
 * model/origins - where the pieces of a part come from, in few octets.
 *
 * A part may have three origins a route, nearly alike and seldom read: they are kept as a row
 * of differences, each to the one before. Finding one goes through all before it.
 */
#pragma once

#include "base/buf.h"
#include "model/part.h"

/* Goes through the origins of a part in their order. */
struct origin_reader {
    struct str rest;
    uint32_t left;
    struct origin now; /* valid until the next step; file and object as long as the part */
    struct buf path;
};
void origin_reader_init(struct origin_reader *r, const struct part *p);
void origin_reader_fini(struct origin_reader *r);
bool origin_reader_next(struct origin_reader *r);

/* All of them; texts and paths live in `a` or as long as the part. */
struct origin_list {
    const struct origin *v;
    uint32_t n;
};
struct origin_list part_origins(const struct part *p, struct arena *a);

/* The origin `id`, which the part must have; its path lives in `a`. */
struct origin part_origin_get(const struct part *p, origin_id id, struct arena *a);
