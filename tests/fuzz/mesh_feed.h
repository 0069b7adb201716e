/*
 * tests/fuzz/mesh_feed - a compiler for fuzz targets that is given one file.
 */
#pragma once

#include "mesh/mesh.h"

/* A compiler whose hooks answer; `recall` may be NULL. */
struct mesh *mesh_feed_new(bool dev, void (*recall)(void *arg, struct mesh *m), void *arg);

/* f.yaml is now `octets`. One reference of the new root, NULL: the snapshot is the same. */
struct root *mesh_feed(struct mesh *m, struct str octets);
