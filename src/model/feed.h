/*
 * model/feed - the one interface from control to data (design 2): "serve this root".
 *
 * Inside one process the root is handed over by reference; between processes the same
 * call writes an image. With LATEEN_FEED=image in the environment the in-process feed also
 * goes through the image, so that tests run the codec on every publish.
 */
#pragma once

#include "model/root.h"

struct feed {
    /* Takes over the caller's reference. `round` is the compiler's and grows: what is live is
     * told by it. Called on the compiler thread. */
    void (*publish)(struct feed *f, struct root *take_root, uint64_t round);
};

/* The reading side: images that come one behind the other. A root shares with the one before
 * what did not change, and is the same where nothing differs. On one thread. */
struct image_reader;
struct image_reader *image_reader_new(void);
void image_reader_free(struct image_reader *r); /* takes NULL */
/* One reference, or NULL with a text in `reterr` (a literal). */
struct root *image_reader_next(struct image_reader *r, struct str octets, struct str *reterr);

/* A feed in front of `to` (borrowed) that sends each root as an image and reads it back, as
 * between processes: `to` gets a root that shares with the one before what did not change. */
struct feed *feed_image_new(struct feed *to);
void feed_image_free(struct feed *f); /* takes NULL */
