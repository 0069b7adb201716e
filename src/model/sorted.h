/*
 * model/sorted - what image and dump need of a root beyond its public side; for the
 * folder's own files.
 */
#pragma once

#include "model/root.h"

/* All parts by kind and name: the same order in every process. The caller frees. */
const struct part **root_sorted(const struct root *r, uint32_t *ret_n);

/* root_kind_differences of every kind. */
void root_differences(const struct root *from, const struct root *to, root_differs_fn *differs,
                      void *arg);

void root_edit_generation(struct root_edit *e, uint64_t generation);
/* The root as edited so far; borrowed. */
const struct root *root_edit_next(const struct root_edit *e);

/* How many chunks of a kind two roots have in common; for tests. */
uint32_t root_chunks_shared(const struct root *a, const struct root *b, enum part_kind kind);
