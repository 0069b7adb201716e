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
    /* Takes over the caller's reference. Called on the compiler thread. */
    void (*publish)(struct feed *f, struct root *take_root);
};

/* A feed in front of `to` (borrowed) that sends each root as an image and reads it back, as
 * between processes: `to` gets a root that shares with the one before what did not change. */
struct feed *feed_image_new(struct feed *to);
void feed_image_free(struct feed *f); /* takes NULL */
