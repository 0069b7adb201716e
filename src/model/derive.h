/*
 * model/derive - the fields of parts marked "derived": built by part_finish, dropped by
 * part_destroy. For the folder's own files.
 */
#pragma once

#include "model/parts.h"

/* The first half of part_finish: takes the slots, computes the hashes. */
void part_seal(struct part *p);
MUST_USE bool derive_build(struct part *p, struct str *reterr);
void derive_drop(struct part *p); /* also of what was built only in part */
