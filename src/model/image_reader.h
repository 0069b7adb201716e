/*
 * model/image_reader - images of a snapshot and of those that follow it. A root shares with the
 * one before what did not change, and is the same where nothing differs. On one thread.
 */
#pragma once

#include "model/root.h"

struct image_reader;

struct image_reader *image_reader_new(void);
void image_reader_free(struct image_reader *r); /* takes NULL */
/* A change of the root read last; as below. */
struct root *image_reader_change(struct image_reader *r, struct str octets, struct str *reterr);
/* One reference, or NULL with a text in `reterr` (a literal). */
struct root *image_reader_next(struct image_reader *r, struct str octets, struct str *reterr);
