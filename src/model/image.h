/*
 * model/image - a whole snapshot as octets and back: the last-good file, the hand-over of
 * an upgrade, and the interface between control and data when they are processes.
 *
 * Versioned and checksummed; reading checks every length, so a damaged file is an error and
 * never a crash. Derived fields are rebuilt by part_finish.
 */
#pragma once

#include "base/buf.h"
#include "model/root.h"

/* Appends the image of `r`. */
void image_write(const struct root *r, struct buf *out);
/* Reads an image into a new root (one reference), or NULL with a text in `reterr` (a
 * literal). `slots` learns the names. */
struct root *image_read(struct str octets, struct slots *slots, struct str *reterr);

/* One part alone: what a feed between processes sends. */
void part_write(const struct part *p, struct buf *out);
struct part *part_read(struct str octets, struct str *reterr);
