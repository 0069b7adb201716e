/*
 * lb/spread - a low-discrepancy sequence over weighted items.
 *
 * In a round of as many picks as the weights sum up to, each item comes exactly as often as
 * its weight says, and after any number of picks within two of its share: its turns lie
 * evenly in the round, from a start drawn by chance, anew each round. A pick costs O(log n).
 */
#pragma once

#include "base/heap.h"
#include "base/rng.h"

struct spread_item {
    struct heap_node node; /* key: when in the round the next turn is */
    uint32_t weight, taken;
    double start; /* of the first turn, in turns: 0 to 1 */
};

struct spread {
    struct heap heap;
    struct spread_item *items;
    uint32_t n;
};

/* Items of weight 0 never come; at least one weight is above 0. */
void spread_init(struct spread *s, uint32_t n);
void spread_fini(struct spread *s);
void spread_weight(struct spread *s, uint32_t item, uint32_t weight);
uint32_t spread_next(struct spread *s, struct rng *rng);
