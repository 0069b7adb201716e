/*
 * mesh/verdict_int - for the files of verdicts only.
 */
#pragma once

#include "mesh/mesh_int.h"

/* Why a leaf that no note speaks of, and that nothing served was made from, has no effect. */
const char *verdict_reason(const struct mesh *m, const struct api_object *o,
                           const struct api_set *set);
