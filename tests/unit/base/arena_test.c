#include "base/arena.h"
#include "unit/check.h"

TEST(what_is_larger_than_a_chunk_does_not_end_the_chunk)
{
    struct arena a;
    char *first, *large, *second;

    arena_init(&a, 1024);
    first = arena_raw(&a, 16);
    large = arena_raw(&a, 5000);
    second = arena_raw(&a, 16);
    memset(large, 'x', 5000);
    CHECK(second == first + 16);
    CHECK(a.total < 1024 + 5000 + 100);
    arena_reset(&a); /* keeps the chunk, not the large one */
    CHECK(a.total < 1024 + 100);
    CHECK(arena_raw(&a, 16) == first);
    arena_fini(&a);
    CHECK_EQ(a.total, 0);
}

TEST(a_first_piece_larger_than_a_chunk_has_its_own)
{
    struct arena a;
    char *p;

    arena_init(&a, 256);
    p = arena_alloc(&a, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(p[i], 0);
    CHECK(arena_raw(&a, 16) != NULL);
    arena_reset(&a);
    CHECK(a.total <= 256 + 64);
    arena_fini(&a);
}
