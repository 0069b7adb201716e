/*
 * lb/deck - weights dealt as cards (design 7): exact per deck, unpredictable inside.
 *
 * A deck holds the weights in lowest terms. Up to DECK_CARDS_MAX cards it is shuffled anew
 * each time it is used up; above that it is a round of lb/spread.
 */
#pragma once

#include "lb/spread.h"

#define DECK_CARDS_MAX 100

struct deck {
    uint32_t *weights; /* as given */
    uint32_t n;
    uint8_t cards[DECK_CARDS_MAX]; /* numbers of items, shuffled */
    uint8_t card_n;                /* 0: too many, dealt by `spread` */
    uint8_t at;                    /* the next card */
    struct spread spread;
};

/* At least one weight is above 0. */
void deck_init(struct deck *d, const uint32_t *weights, uint32_t n);
void deck_fini(struct deck *d);
uint32_t deck_next(struct deck *d, struct rng *rng);
