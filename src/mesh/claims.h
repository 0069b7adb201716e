/*
 * mesh/claims - VirtualServices that name a host and yet serve it nowhere, and why: for
 * explain, which sees in a snapshot only what is served.
 */
#pragma once

#include "base/notes.h"
#include "mesh/mesh.h"

struct mesh_claim {
    struct str object, path, text; /* in the arena given */
    struct pos pos;
};
typedef void mesh_claim_fn(void *arg, const struct mesh_claim *claim);

/* `host` in lower case; as of the last update. */
void mesh_each_claim(const struct mesh *m, struct str host, struct arena *a, mesh_claim_fn *fn,
                     void *arg);
