#include "codec/url.h"

#include "unit/check.h"

TEST(paths_are_normalised_as_istios_gateway_does)
{
    static const struct {
        const char *target, *want; /* NULL: refused */
    } cases[] = {
        { "/", "/" },
        { "/a/b", "/a/b" },
        { "/a/./b", "/a/b" },
        { "/a/../b", "/b" },
        { "/a/..", "/" },
        { "/a/.", "/a/" },
        { "/..", "/" },
        { "/../../a", "/a" },
        { "/a/b/..", "/a/" },
        { "/a/b/../", "/a/" },
        { "/a/%2e%2E/b", "/b" },
        { "/a/.%2e/b", "/b" },
        { "/a/%2e/b", "/a/b" },
        { "/a/...", "/a/..." },
        { "/.a/..b", "/.a/..b" },
        { "//a", "//a" },
        { "/a//b", "/a//b" },
        { "/a/b//../c", "/a/b/c" },
        { "/a\\b", "/a/b" },
        { "/a\\..\\b", "/b" },
        { "/%61dmin", "/admin" },
        { "/x/../admin", "/admin" },
        { "/x/..;/admin", "/admin" },
        { "/admin;p=1", "/admin;p=1" },
        { "/%7E%2D%5F", "/~-_" },
        { "/a%2Fb", "/a%2Fb" },
        { "/a%2fb", "/a%2fb" },
        { "/a%5Cb", "/a%5Cb" },
        { "/%zz", "/%zz" },
        { "/%", "/%" },
        { "/%2", "/%2" },
        { "/%252e%252e/", "/%252e%252e/" },
        { "/%%32e%2%65/b", "/%%32e%2%65/b" },
        { "/%%300", "/%%300" },
        { "/%2F%31", "/%2F1" },
        { "/%c3%a9%C3%A9", "/%c3%a9%C3%A9" },
        { "/\"<>|{}^`", "/%22%3C%3E%7C%7B%7D%5E%60" },
        { "/\xc3\xa9", "/%C3%A9" },
        { "/a#b", "/a" },
        { "/a#b?c", "/a" },
        { "/a?b#c", "/a?b" },
        { "/a/../b?x=/../%61\"", "/b?x=/../%61\"" },
        { "/a?", "/a?" },
        { "/%00", NULL },
        { "/a/%00/../b", NULL },
        { "/a?%00", "/a?%00" },
        { "*", NULL },
        { "", NULL },
        { "a/b", NULL },
    };
    struct arena *a = arena_new(4096);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct str got = STR("?"), again = STR("?");

        CASE(i);
        CHECK_EQ(url_path_normalize(str_of(cases[i].target), URL_BASE, a, &got),
                 cases[i].want != NULL);
        if (!cases[i].want)
            continue;
        CHECK_STRZ(got, cases[i].want);
        CHECK(url_path_normalize(got, URL_BASE, a, &again));
        CHECK_STR(again, got);
    }
    arena_free(a);
}

TEST(the_other_path_normalisations_merge_slashes)
{
    static const struct {
        enum url_normalize how;
        const char *target, *want;
    } cases[] = {
        { URL_NONE, "/a/../b#c", "/a/../b" },
        { URL_MERGE_SLASHES, "//a///b/", "/a/b/" },
        { URL_MERGE_SLASHES, "/a//../b", "/a/b" },
        { URL_MERGE_SLASHES, "//../a//.//b?//", "/a/b?//" },
        { URL_MERGE_SLASHES, "/a%2Fb", "/a%2Fb" },
        { URL_DECODE_AND_MERGE_SLASHES, "/a%2Fb%5cc", "/a/b/c" },
        { URL_DECODE_AND_MERGE_SLASHES, "/a/%2F%2e%2e%2fb", "/a/b" },
    };
    struct arena *a = arena_new(4096);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct str got = STR("?");

        CASE(i);
        CHECK(url_path_normalize(str_of(cases[i].target), cases[i].how, a, &got));
        CHECK_STRZ(got, cases[i].want);
    }
    arena_free(a);
}

TEST(a_query_gives_the_first_parameter_undecoded)
{
    struct str path, query;

    url_path_split(STR("/a?x=1&v&x=2&%76=3?"), &path, &query);
    CHECK_STRZ(path, "/a");
    CHECK_STRZ(url_query_get(query, STR("x")), "1");
    CHECK_STRZ(url_query_get(query, STR("v")), "");
    CHECK(str_is_set(url_query_get(query, STR("v"))));
    CHECK_STRZ(url_query_get(query, STR("%76")), "3?");
    CHECK(!str_is_set(url_query_get(query, STR("y"))));
    url_path_split(STR("/a"), &path, &query);
    CHECK(!str_is_set(query));
}

TEST(hosts_lose_their_port_as_envoy_cuts_it)
{
    static const struct {
        const char *authority, *want;
    } cases[] = {
        { "x.test", "x.test" },          { "x.test:80", "x.test" },  { "x.test:", "x.test" },
        { "x.test:80:80", "x.test:80" }, { "x.test.", "x.test." },   { "[::1]", "[::1]" },
        { "[::1]:80", "[::1]" },         { "x.test:abc", "x.test" }, { "", "" },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        CHECK_STRZ(url_host_of(str_of(cases[i].authority)), cases[i].want);
    }
}

TEST(authorities_are_split_strictly)
{
    static const struct {
        const char *authority, *host; /* NULL: refused */
        int port;
        bool is_ipv6;
    } cases[] = {
        { "x.test", "x.test", -1, false },
        { "x.test:8080", "x.test", 8080, false },
        { "x.test:", "x.test", -1, false },
        { "[::1]:443", "::1", 443, true },
        { "[::1]", "::1", -1, true },
        { "1.2.3.4:80", "1.2.3.4", 80, false },
        { "x.test:65536", NULL, 0, false },
        { "x.test:+1", NULL, 0, false },
        { "x.test:80:80", NULL, 0, false },
        { "[x]:80", NULL, 0, false },
        { "[1.2.3.4]", NULL, 0, false },
        { "[::1", NULL, 0, false },
        { "::1", NULL, 0, false },
        { ":80", NULL, 0, false },
        { "", NULL, 0, false },
        { "a b", NULL, 0, false },
        { "u@x.test", NULL, 0, false },
        { "x/y", NULL, 0, false },
        { "x.test\x80", NULL, 0, false },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct url_authority got = { 0 };

        CASE(i);
        CHECK_EQ(url_authority_parse(str_of(cases[i].authority), &got), cases[i].host != NULL);
        if (!cases[i].host)
            continue;
        CHECK_STRZ(got.host, cases[i].host);
        CHECK_EQ(got.port, cases[i].port);
        CHECK_EQ(got.is_ipv6, cases[i].is_ipv6);
    }
}

TEST(hosts_are_lower_cased_and_copied_only_when_needed)
{
    struct arena *a = arena_new(256);
    struct str plain = STR("x.test");

    CHECK_STRZ(url_lower(STR("X.Test-Z"), a), "x.test-z");
    CHECK(url_lower(plain, a).p == plain.p);
    arena_free(a);
}
