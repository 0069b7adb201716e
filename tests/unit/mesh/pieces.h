/*
 * tests/unit/mesh/pieces - which pieces of its work a mesh did again in an update, and what they
 * had read: it looks into the mesh (mesh/mesh_int.h).
 */
#pragma once

#include "mesh/mesh.h"

struct pieces;

/* What there is now; parts are held. */
struct pieces *pieces_take(const struct mesh *m);
void pieces_free(struct pieces *p); /* takes NULL */

/* Checks that between the two only pieces were made again that had read something which changed,
 * and that all others kept their parts, as the same pointers. Returns how many were made again. */
size_t pieces_check(const struct pieces *before, const struct pieces *after);
