/*
 * tests/unit/mesh/leaf_world - objects of every kind that api/ knows, each in a file of its own
 * and each with a part in what is served.
 */
#pragma once

#include "base/arena.h"

struct leaf_object {
    const char *file, *text;
    const char *field, *other; /* another good value of a field, JSON; NULL: none is needed */
};

#define LEAF_OBJECTS_MAX 40

/* Those of tests/manifests/leaves/world.yaml, and Secrets made in `a`. Returns how many. */
size_t leaf_objects(struct arena *a, struct leaf_object ret[LEAF_OBJECTS_MAX]);
const char *leaf_mesh_config(struct arena *a);
