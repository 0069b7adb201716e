#include "lb/deck.h"

#include <stdlib.h>
#include <string.h>

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* One round in order; deck_next shuffles it, as it does after each round. */
static void cards_lay(struct deck *d, uint32_t divisor)
{
    for (uint32_t i = 0; i < d->n; i++) {
        for (uint32_t k = 0; k < d->weights[i] / divisor; k++)
            d->cards[d->card_n++] = (uint8_t)i;
    }
    d->at = d->card_n;
}

void deck_init(struct deck *d, const uint32_t *weights, uint32_t n)
{
    uint32_t divisor = 0;
    uint64_t sum = 0;

    *d = (struct deck){ .n = n };
    d->weights = must_alloc(sizeof(*weights) * MAX(n, 1));
    for (uint32_t i = 0; i < n; i++) {
        d->weights[i] = weights[i];
        divisor = gcd(divisor, weights[i]);
        sum += weights[i];
    }
    MUST(sum > 0);
    /* A card is a uint8_t: items without weight could bring numbers above it. */
    if (sum / divisor <= DECK_CARDS_MAX && n <= UINT8_MAX) {
        cards_lay(d, divisor);
        return;
    }
    spread_init(&d->spread, n);
    for (uint32_t i = 0; i < n; i++)
        spread_weight(&d->spread, i, weights[i] / divisor);
}

void deck_fini(struct deck *d)
{
    free(d->weights);
    spread_fini(&d->spread);
    *d = (struct deck){ 0 };
}

static void cards_shuffle(struct deck *d, struct rng *rng)
{
    for (uint32_t i = d->card_n; i > 1; i--) {
        uint64_t k = rng_below(rng, i);
        uint8_t card = d->cards[k];

        d->cards[k] = d->cards[i - 1];
        d->cards[i - 1] = card;
    }
    d->at = 0;
}

uint32_t deck_next(struct deck *d, struct rng *rng)
{
    if (d->card_n == 0)
        return spread_next(&d->spread, rng);
    if (d->at == d->card_n)
        cards_shuffle(d, rng);
    return d->cards[d->at++];
}
