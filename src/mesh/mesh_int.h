/*
 * mesh/mesh_int - what a mesh keeps from one update to the next.
 */
#pragma once

#include "base/map.h"
#include "mesh/memo.h"
#include "mesh/mesh.h"
#include "mesh/store.h"

struct mesh {
    struct mesh_options o;
    struct store *store;
    struct slots *slots;
    struct root *root; /* the last one published; NULL: none */
    bool has_read;     /* an update found something to read */
    struct memos memos;
    uint64_t changed[OBJ_KINDS]; /* how many objects of a kind ever changed */
    struct registry *registry;   /* NULL: none yet */
    uint64_t registry_round;
    struct map issued;   /* "ns/name" of a Certificate -> struct issued */
    struct arena *arena; /* of the summary and the mesh config in effect */
    struct mesh_summary *summary;
    const struct api_meshconfig *config;
    const struct api_object *config_object; /* NULL: the defaults */
    struct trace *trace;                    /* of the last update; NULL: none */
};
