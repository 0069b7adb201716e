/*
 * tests/unit/model/random_parts - parts and roots with random content, by their shapes.
 */
#pragma once

#include "base/rng.h"
#include "model/root.h"

/* A finished part of that kind and name. Its references name parts "r0" to "r9". */
struct part *random_part(struct rng *rng, enum part_kind kind, struct str name);
/* Some parts of each kind. */
struct root *random_root(struct rng *rng);
