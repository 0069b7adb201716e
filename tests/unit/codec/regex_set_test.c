#include "codec/regex_set.h"

#include "codec/regex.h"
#include "codec/regex_copies.h"
#include "unit/check.h"

#include <pthread.h>

TEST(a_set_says_which_patterns_match_the_whole_text)
{
    static const struct str patterns[] = { STR_INIT("/a.*"), STR_INIT(".*b"), STR_INIT(""),
                                           STR_INIT("(?i)/A"), STR_INIT("/a|/b") };
    static const struct {
        const char *text;
        uint64_t want;
    } cases[] = { { "/a", 1 | 8 | 16 }, { "/ab", 1 | 2 }, { "", 4 },    { "/b", 2 | 16 },
                  { "x", 0 },           { NULL, 4 },      { "\xff", 0 } };
    struct regex_set *s = regex_set_new(patterns, LEN(patterns));

    CHECK(s != NULL);
    for (size_t i = 0; i < LEN(cases); i++) {
        uint64_t got = 99;

        CASE(i);
        CHECK(regex_set_match(s, str_of(cases[i].text), &got));
        CHECK_EQ(got, cases[i].want);
    }
    regex_set_free(s);
    regex_set_free(NULL);
}

TEST(a_set_over_its_budget_is_refused)
{
    struct arena *a = arena_new(4096);
    struct str patterns[REGEX_SET_MAX];

    for (unsigned i = 0; i < REGEX_SET_MAX; i++)
        patterns[i] = arena_printf(a, "/%u/[a-z]{250}[0-9]{250}", i);
    CHECK(regex_set_new(patterns, REGEX_SET_MAX) == NULL);
    CHECK(regex_set_new(&(struct str)STR_INIT("("), 1) == NULL);
    arena_free(a);
}

TEST(literals_stand_in_whatever_the_pattern_matches)
{
    static const struct {
        const char *pattern, *want; /* joined by blanks */
    } cases[] = {
        { "/a/.*", "/a/" },
        { "/api/v[0-9]+/Users/[^/]+/items", "/api/v /users/ /items" },
        { "(?i).*Foo.*", "foo" },
        { ".*x.*", "" }, /* one octet is not worth it */
        { "/a|/b", "" },
        { "(/ab|/cd)/x", "" },
        { ".*", "" },
        { "", "" },
        { "/a?bc", "bc" },
    };
    struct arena *a = arena_new(4096);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct regex *r = regex_new(str_of(cases[i].pattern), NULL);
        struct str want = str_of(cases[i].want), got[8];
        uint32_t n = regex_literals(r, a, got, LEN(got)), wanted = 0;

        CASE(i);
        while (want.n) {
            struct str one = str_cut(&want, ' ');
            uint32_t k = 0;

            while (k < n && !str_eq(got[k], one))
                k++;
            CHECK(k < n);
            wanted++;
        }
        CHECK_EQ(n, wanted);
        CHECK_EQ(regex_literals(r, a, got, 1), MIN(n, 1));
        regex_free(r);
    }
    arena_free(a);
}

/* ---- threads ------------------------------------------------------------------------------ */

struct shared {
    struct regex *regex;
    struct regex_set *set;
    _Atomic uint32_t wrong;
};

static void *match_often(void *arg)
{
    struct shared *s = arg;
    uint64_t bits;

    for (uint32_t i = 0; i < 4 * REGEX_HOT; i++) {
        bool fine = regex_is_full(s->regex, STR("/a/b")) && !regex_is_full(s->regex, STR("/b")) &&
                    regex_set_match(s->set, STR("/a/b"), &bits) && bits == 1;

        s->wrong += !fine;
    }
    return NULL;
}

TEST(threads_that_match_often_get_copies_and_the_same_answers)
{
    static const struct str patterns[] = { STR_INIT("/a/.*"), STR_INIT("/c") };
    struct shared s = { regex_new(patterns[0], NULL), regex_set_new(patterns, 2), 0 };
    pthread_t threads[40]; /* more than get copies */

    for (size_t i = 0; i < LEN(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, match_often, &s), 0);
    for (size_t i = 0; i < LEN(threads); i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(s.wrong, 0);
    regex_free(s.regex);
    regex_set_free(s.set);
}
