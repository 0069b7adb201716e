/*
 * model/feed - the one interface from control to data (design 2): "serve this root".
 *
 * Inside one process the root is handed over by reference; between processes the same call
 * writes an image, which a struct image_reader reads.
 */
#pragma once

#include "model/root.h"

struct feed {
    /* Takes over the caller's reference. `round` is the compiler's and grows: what is live is
     * told by it. Called on the compiler thread, or the one that reads images. */
    void (*publish)(struct feed *f, struct root *take_root, uint64_t round);
};
