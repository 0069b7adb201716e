#include "codec/regex.h"

#include "unit/check.h"

TEST(regexes_match_whole_or_in_part)
{
    static const struct {
        const char *pattern, *text;
        bool full, partial;
    } cases[] = {
        { "/a/.*", "/a/b", true, true }, { "/a", "/a/b", false, true },
        { "b$", "/a/b", false, true },   { "(?i)/A", "/a", true, true },
        { "", "", true, true },          { "", "x", false, true },
        { ".", "\xff", false, false },   { "\\d+", "x", false, false },
        { "a|b", "ab", false, true },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct regex *r = regex_new(str_of(cases[i].pattern), NULL);

        CASE(i);
        CHECK(r != NULL);
        CHECK_EQ(regex_is_full(r, str_of(cases[i].text)), cases[i].full);
        CHECK_EQ(regex_is_partial(r, str_of(cases[i].text)), cases[i].partial);
        CHECK(regex_size(r) > 0);
        regex_free(r);
    }
}

TEST(bad_regexes_are_refused_with_a_reason)
{
    static const char *const bad[] = {
        "(", "[a", "*", "a{1001}", "(?=x)", "\\1", "(((a{99}){99}){99})"
    };
    struct arena *a = arena_new(4096);
    char *many = arena_alloc(a, 2000);
    struct buf why;

    buf_init(&why, 1000);
    for (size_t i = 0; i < LEN(bad); i++) {
        CASE(i);
        buf_reset(&why);
        CHECK(regex_new(str_of(bad[i]), &why) == NULL);
        CHECK(why.n > 0);
    }
    memset(many, 'a', 1999);
    CHECK(regex_new(str_of(many), &why) == NULL);
    CHECK(regex_new(str_of(many), NULL) == NULL);
    regex_free(NULL);
    buf_fini(&why);
    arena_free(a);
}

TEST(rewrites_put_captures_in)
{
    struct arena *a = arena_new(4096);
    struct regex *r = regex_new(STR("/v(\\d)/([^/]+)"), NULL);
    struct str plain = STR("/x");
    struct buf why;

    buf_init(&why, 1000);
    CHECK(regex_rewrite_check(r, STR("/\\2/\\1"), &why));
    CHECK(!regex_rewrite_check(r, STR("/\\3"), &why));
    CHECK(why.n > 0);
    CHECK(!regex_rewrite_check(r, STR("\\"), NULL));
    CHECK_STRZ(regex_replace_all(r, STR("/a/v1/b/v2/c"), STR("/\\2.\\1"), a), "/a/b.1/c.2");
    CHECK(regex_replace_all(r, plain, STR("y"), a).p == plain.p);
    CHECK_STRZ(regex_replace_all(r, STR("/v1/b"), STR(""), a), "");
    regex_free(r);
    buf_fini(&why);
    arena_free(a);
}
