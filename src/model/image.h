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

#define IMAGE_VERSION 8 /* behind the magic; another one is not read */

/* Appends the image of `r`. */
void image_write(const struct root *r, struct buf *out);
/* Reads an image into a new root (one reference), or NULL with a text in `reterr` (a
 * literal). `slots` learns the names. */
struct root *image_read(struct str octets, struct slots *slots, struct str *reterr);

/* Appends what makes `to` of `from`: the parts that differ, and the names of those that are gone.
 * Costs what differs. */
void image_write_change(const struct root *from, const struct root *to, struct buf *out);
/* The next root from `base`, which has the content of `from`; one reference. NULL with a text: it
 * is of another snapshot, or damaged. */
struct root *image_read_change(struct root *base, struct str octets, struct slots *slots,
                               struct str *reterr);

/* One part alone. */
void part_write(const struct part *p, struct buf *out);
struct part *part_read(struct str octets, struct str *reterr);
