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
