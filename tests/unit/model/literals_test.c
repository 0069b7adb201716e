#include "model/path_index_literals.h"

#include "unit/check.h"

TEST(the_prefilter_names_the_patterns_whose_texts_stand_in_the_path)
{
    static const struct str of0[] = { STR_INIT("/api/v"), STR_INIT("/users") };
    static const struct str of1[] = { STR_INIT("/api/v"), STR_INIT("/items/") };
    static const struct str of2[] = { STR_INIT("ab") };
    static const struct str of3[] = { STR_INIT("abc") };
    static const struct literal_choice choices[] = {
        { of0, 2 }, { of1, 2 }, { of2, 1 }, { of3, 1 }, { NULL, 0 }
    };
    static const struct {
        const char *path;
        uint32_t want; /* bits */
    } cases[] = {
        { "/api/v1/users", 1 },
        { "/API/V1/USERS", 1 },
        { "/api/v1", 0 },
        { "/items/users", 3 },
        { "/items", 0 },
        { "/users/items/", 3 },
        { "ab", 4 },
        { "xABCx", 12 },
        { "abd", 4 },
        { "abab", 4 },
        { "", 0 },
        { "a", 0 },
        { "bc", 0 },
    };
    struct arena *a = arena_new(4096);
    struct literal_index *x = literal_index_build(choices, LEN(choices), a);
    struct literal_hits hits;

    for (size_t i = 0; i < LEN(cases); i++) {
        uint32_t got = 0;

        CASE(i);
        literal_index_scan(x, str_of(cases[i].path), &hits);
        CHECK(!hits.is_all);
        for (uint32_t k = 0; k < hits.n; k++) {
            CHECK(k == 0 || hits.patterns[k] > hits.patterns[k - 1]);
            got |= 1u << hits.patterns[k];
        }
        CHECK_EQ(got, cases[i].want);
    }
    literal_index_scan(x, STR("/\xe2\x84\xaa"), &hits);
    CHECK(hits.is_all);
    arena_free(a);
}

TEST(too_many_hits_count_as_all)
{
    struct literal_choice choices[LITERAL_HITS_MAX + 1];
    struct arena *a = arena_new(4096);
    struct str text = STR("/items");
    struct literal_hits hits;

    for (size_t i = 0; i < LEN(choices); i++)
        choices[i] = (struct literal_choice){ &text, 1 };
    literal_index_scan(literal_index_build(choices, LITERAL_HITS_MAX, a), STR("/items"), &hits);
    CHECK(!hits.is_all && hits.n == LITERAL_HITS_MAX);
    literal_index_scan(literal_index_build(choices, LEN(choices), a), STR("/items"), &hits);
    CHECK(hits.is_all);
    arena_free(a);
}
