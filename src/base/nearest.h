/*
 * base/nearest - "did you mean": the nearest of some names by edit distance.
 */
#pragma once

#include "base/str.h"

/* The best so far; zeroed at the start. */
struct nearest {
    struct str name; /* STR_NONE: nothing near enough */
    size_t distance;
};

/* Offers a candidate. Near enough is at most a third of the longer name, at least 1. */
void nearest_offer(struct nearest *best, struct str typed, struct str candidate);
