/*
 * model/compact - a part's data moved into an arena without waste: strings packed, equal
 * ones once, lists as long as they are. What building left behind is freed.
 */
#pragma once

#include "model/part.h"

/* Before anything is derived. Pointers into the old arena end here; `p` itself stays. */
void part_compact(struct part *p);
