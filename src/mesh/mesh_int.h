/*
 * mesh/mesh_int - what a mesh keeps from one update to the next.
 */
#pragma once

#include "base/map.h"
#include "mesh/inputs.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh.h"
#include "mesh/plan.h"
#include "mesh/store.h"
#include "mesh/wanted_int.h"

struct mesh {
    struct mesh_options o;
    struct store *store;
    struct lookups lookups;
    struct inputs inputs;
    struct slots *slots;
    struct root *root;         /* the last one published; NULL: none */
    uint64_t made;             /* pieces of work, ever */
    bool has_read;             /* an update found something to read */
    struct registry *registry; /* NULL: none yet */
    struct memos memos;        /* of the plan's pieces */
    struct plan *plan;         /* NULL: none yet */
    struct plan_work work;     /* done for plans */
    struct map cells;          /* address of a VirtualService -> struct vs_cell */
    struct memos verdicts;     /* of objects about which there is something to say */
    bool has_verdicts;         /* of every object */
    struct wanted_list wanted;
    struct map issued;   /* "ns/name" of a Certificate -> struct issued */
    struct arena *arena; /* of the summary and the mesh config in effect */
    struct map files;    /* path -> struct seen_file, of files.c */
    struct mesh_summary *summary;
    bool is_shown; /* the summary's lists are there */
    const struct api_meshconfig *config;
    const struct api_object *config_object; /* NULL: the defaults */
    struct trace *trace;                    /* of the last update; NULL: none */
};

/* ---- files.c ---- */
void mesh_file_seen(struct compile *c, struct str path); /* an input of the piece under way */
void files_touch(struct compile *c);                     /* the readers of those that differ */
void files_free(struct mesh *m);
