/*
 * base/rng - fast pseudo-random numbers (xoshiro256**), handed in so that tests can seed
 * them (design 5.9). Not for keys or secrets.
 */
#pragma once

#include "base/must.h"

#include <stdbool.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* uniform in [0, n), n > 0 */
