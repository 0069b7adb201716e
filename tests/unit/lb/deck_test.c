#include "lb/deck.h"

#include "unit/check.h"

#include <math.h>

static const struct {
    uint32_t n, weights[5];
    uint32_t round; /* cards of a deck */
    bool is_cards;
} rows[] = {
    { 2, { 50, 50 }, 2, true },
    { 2, { 90, 10 }, 10, true },
    { 3, { 33, 33, 34 }, 100, true },
    { 3, { 1, 1, 1 }, 3, true },
    { 2, { 1, 999 }, 1000, false },
    { 2, { 1, 99 }, 100, true },
    { 2, { 1, 100 }, 101, false },
    { 3, { 100, 200, 300 }, 6, true },
    { 3, { 7, 0, 3 }, 10, true },
    { 5, { 101, 103, 107, 109, 113 }, 533, false },
    { 2, { 3, 1000000 }, 1000003, false },
};

TEST(each_deck_holds_exactly_the_weights)
{
    struct rng rng;

    rng_init(&rng, 21);
    for (size_t i = 0; i < LEN(rows); i++) {
        struct deck d;
        uint64_t sum = 0;

        CASE(i);
        deck_init(&d, rows[i].weights, rows[i].n);
        CHECK_EQ(d.card_n > 0, rows[i].is_cards);
        for (uint32_t k = 0; k < rows[i].n; k++)
            sum += rows[i].weights[k];
        for (uint32_t deck = 0; deck < 3; deck++) {
            uint32_t count[5] = { 0 };

            for (uint32_t k = 0; k < rows[i].round; k++)
                count[deck_next(&d, &rng)]++;
            for (uint32_t k = 0; k < rows[i].n; k++)
                CHECK_EQ(count[k], (uint64_t)rows[i].weights[k] * rows[i].round / sum);
        }
        deck_fini(&d);
    }
}

TEST(two_thousand_picks_of_equal_weights_are_a_thousand_each)
{
    struct deck d;
    struct rng rng;
    uint32_t count[2] = { 0 };

    rng_init(&rng, 22);
    deck_init(&d, (const uint32_t[]){ 50, 50 }, 2);
    for (uint32_t i = 0; i < 2000; i++)
        count[deck_next(&d, &rng)]++;
    CHECK_EQ(count[0], 1000);
    CHECK_EQ(count[1], 1000);
    deck_fini(&d);
}

TEST(any_run_of_picks_is_near_its_share_beyond_a_hundred_cards)
{
    struct rng rng;

    rng_init(&rng, 23);
    for (size_t i = 0; i < LEN(rows); i++) {
        uint32_t count[5] = { 0 };
        double sum = 0;
        struct deck d;

        CASE(i);
        if (rows[i].is_cards)
            continue;
        for (uint32_t k = 0; k < rows[i].n; k++)
            sum += rows[i].weights[k];
        deck_init(&d, rows[i].weights, rows[i].n);
        for (uint32_t picks = 1; picks < 20000; picks++) {
            count[deck_next(&d, &rng)]++;
            for (uint32_t k = 0; k < rows[i].n; k++)
                CHECK(fabs(count[k] - (double)picks * rows[i].weights[k] / sum) <= 2.0);
        }
        deck_fini(&d);
    }
}

TEST(decks_are_shuffled_anew_so_that_a_page_with_two_resources_sees_both)
{
    struct deck d;
    struct rng rng;
    uint32_t seen[4] = { 0 };

    rng_init(&rng, 24);
    deck_init(&d, (const uint32_t[]){ 50, 50 }, 2);
    for (uint32_t page = 0; page < 400; page++) {
        uint32_t html = deck_next(&d, &rng), picture = deck_next(&d, &rng);

        seen[html * 2 + picture]++;
    }
    CHECK_EQ(seen[0] + seen[3], 0);
    CHECK(seen[1] > 150 && seen[2] > 150);
    deck_fini(&d);
}
