#include "base/rng.h"
#include "base/slab.h"

#include "unit/check.h"

#define OBJECTS 3000

TEST(trimming_keeps_what_is_out_and_gives_back_blocks_that_are_wholly_free)
{
    static uint32_t *out[OBJECTS];
    struct slab s;
    struct rng rng;
    size_t kept = 0;

    rng_init(&rng, 7);
    slab_init(&s, 300, OBJECTS);
    for (int round = 0; round < 20; round++) {
        size_t share = rng_u64(&rng) % 100, from = rng_u64(&rng) % OBJECTS;

        for (size_t i = 0; i < OBJECTS; i++) {
            if (!out[i]) {
                out[i] = slab_get(&s);
                CHECK(out[i] != NULL);
                *out[i] = (uint32_t)i;
            }
        }
        CHECK(slab_get(&s) == NULL);
        for (size_t i = 0; i < OBJECTS; i++) { /* a run of neighbours stays, and some others */
            if ((i + from) % OBJECTS < 500 || rng_u64(&rng) % 1000 < share)
                continue;
            slab_put(&s, out[i]);
            out[i] = NULL;
        }
        slab_trim(&s);
        kept = 0;
        for (size_t i = 0; i < OBJECTS; i++) {
            if (out[i]) {
                CHECK_EQ(*out[i], i);
                kept++;
            }
        }
        CHECK_EQ(s.live, kept);
    }
    slab_fini(&s);
}

TEST(after_a_burst_one_object_costs_one_block)
{
    static void *out[OBJECTS];
    struct slab s;

    slab_init(&s, 300, OBJECTS);
    for (size_t i = 0; i < OBJECTS; i++)
        out[i] = slab_get(&s);
    CHECK(slab_octets(&s) > 10 * SLAB_BLOCK_OCTETS);
    for (size_t i = 0; i < OBJECTS; i++) {
        if (i != 1234)
            slab_put(&s, out[i]);
    }
    slab_trim(&s);
    CHECK(slab_octets(&s) <= SLAB_BLOCK_OCTETS);
    CHECK(slab_octets(&s) >= s.size);
    out[0] = slab_get(&s); /* of the block that stayed */
    CHECK(slab_octets(&s) <= SLAB_BLOCK_OCTETS);
    slab_put(&s, out[0]);
    slab_put(&s, out[1234]);
    slab_trim(&s);
    CHECK_EQ(slab_octets(&s), 0);
    slab_fini(&s);
}
