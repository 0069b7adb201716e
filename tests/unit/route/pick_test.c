#include "route/route.h"

#include "unit/check.h"

/* ---- tables: observed.md, Matches and Paths ------------------------------------------------- */

static struct vhost *vhost_of(const struct route_match *matches, uint32_t n)
{
    struct vhost *vhost = part_new(PART_VHOST, STR("v"));
    struct str err = STR_NONE;

    vhost->routes.v = ARENA_ARRAY(vhost->part.arena, struct route, n);
    vhost->routes.n = n;
    for (uint32_t i = 0; i < n; i++) {
        vhost->routes.v[i].match = matches[i];
        vhost->routes.v[i].id = i;
    }
    CHECK(part_finish(&vhost->part, &err));
    return vhost;
}

#define EXACT(text)                                                                                \
    {                                                                                              \
        .how = TEXT_EXACT, .value = STR_INIT(text)                                                 \
    }
#define PREFIX(text)                                                                               \
    {                                                                                              \
        .how = TEXT_PREFIX, .value = STR_INIT(text)                                                \
    }
#define REGEX(text)                                                                                \
    {                                                                                              \
        .how = TEXT_REGEX, .value = STR_INIT(text)                                                 \
    }
#define NOCASE(kind, text)                                                                         \
    {                                                                                              \
        .how = kind, .nocase = true, .value = STR_INIT(text)                                       \
    }
#define PRESENT                                                                                    \
    {                                                                                              \
        .how = TEXT_PRESENT                                                                        \
    }

TEST(a_path_matches_exactly_by_raw_prefix_or_by_the_whole_regex)
{
    static const struct {
        struct text_matcher path;
        const char *text;
        bool want;
    } cases[] = {
        { EXACT("/foo"), "/foo", true },
        { EXACT("/foo"), "/foo/", false },
        { EXACT("/foo"), "/Foo", false },
        { NOCASE(TEXT_EXACT, "/Foo"), "/fOO", true },
        { NOCASE(TEXT_EXACT, "/Foo"), "/fOOt", false },
        { PREFIX("/foo"), "/foobar", true },
        { PREFIX("/foo"), "/fo", false },
        { PREFIX("/foo"), "/FOO", false },
        { NOCASE(TEXT_PREFIX, "/foo"), "/FOObar", true },
        { PREFIX("/a/../foo"), "/foo", false },
        { EXACT("/x?y=1"), "/x", false },
        { EXACT("/%C3%A9"), "/%c3%a9", false },
        { REGEX("/a.*"), "/abc", true },
        { REGEX("/a.*"), "/Abc", false },
        { REGEX("a"), "/a", false },
        { REGEX("/a"), "/ab", false },
        { { .how = TEXT_ANY }, "/x", true },
        { { .how = TEXT_ANY }, "*", false },
        { EXACT("*"), "*", true },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct vhost *vhost = vhost_of(&(struct route_match){ .path = cases[i].path }, 1);
        struct route_request rq = { .path = str_of(cases[i].text) };

        CASE(i);
        CHECK_EQ(route_pick(vhost, &rq) != NULL, cases[i].want);
        part_unref(&vhost->part);
    }
}

TEST(the_first_route_that_matches_wins_whatever_its_kind)
{
    static const struct route_match matches[] = {
        { .path = PREFIX("/a/b/c") },
        { .path = REGEX("/a/[0-9]+") },
        { .path = EXACT("/a/7") },
        { .path = PREFIX("/a") },
        { .path = EXACT("/a/b/c/d") },
        { .path = NOCASE(TEXT_PREFIX, "/a/b") },
        { .path = NOCASE(TEXT_EXACT, "/x") },
        { .path = { .how = TEXT_ANY }, .port = 80 },
        { .path = EXACT("/z") },
    };
    static const struct {
        const char *path;
        int32_t want;
    } cases[] = {
        { "/a/b/c/d", 0 }, { "/a/7", 1 }, { "/a/7x", 3 }, { "/a", 3 }, { "/A/B", 5 },
        { "/X", 6 },       { "/xy", -1 }, { "/z", 8 },    { "", -1 },
    };
    struct vhost *vhost = vhost_of(matches, LEN(matches));

    for (size_t i = 0; i < LEN(cases); i++) {
        struct route_request rq = { .path = str_of(cases[i].path), .port = 443 };
        const struct route *got = route_pick(vhost, &rq);

        CASE(i);
        CHECK_EQ(got ? (int32_t)got->id : -1, cases[i].want);
    }
    part_unref(&vhost->part);
}

TEST(headers_are_tested_value_by_value)
{
    static const struct {
        struct text_matcher match;
        bool invert;
        const char *values[3];
        bool want;
    } cases[] = {
        { EXACT("one"), false, { "two", "one" }, true },
        { EXACT("one,two"), false, { "one", "two" }, false },
        { EXACT("one,two"), false, { "one,two" }, true },
        { EXACT("one"), false, { NULL }, false },
        { EXACT("one"), false, { "One" }, false },
        { PREFIX("on"), false, { "two", "one" }, true },
        { REGEX("o.e"), false, { "one" }, true },
        { REGEX("o"), false, { "one" }, false },
        { PRESENT, false, { "" }, true },
        { PRESENT, false, { NULL }, false },
        { EXACT("one"), true, { "two", "one" }, false },
        { EXACT("one"), true, { "two", "three" }, true },
        { EXACT("one"), true, { NULL }, true },
        { PRESENT, true, { NULL }, true },
        { PRESENT, true, { "" }, false },
        { EXACT(""), true, { NULL }, false }, /* a missing one counts as empty */
        { REGEX(".*"), true, { NULL }, false },
        { REGEX("a"), true, { "b" }, true },
        { REGEX("a"), true, { "\xc3\xa4" }, true },
        { REGEX("a"),
          true,
          { "\xff" },
          false }, /* no characters: it could hide what is forbidden */
        { REGEX("a"), true, { "b", "\xc3" }, false },
        { REGEX("a.*"), false, { "a\xff" }, false },
        { EXACT("a"), true, { "\xff" }, true },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct named_matcher m = { .name = STR("x-y"), .invert = cases[i].invert };
        struct route_match match = { .headers = { &m, 1 } };
        struct headers headers = { 0 };
        struct arena a;
        struct route_request rq = { .path = STR("/"), .headers = &headers };
        struct vhost *vhost;

        CASE(i);
        arena_init(&a, 1024);
        m.match = cases[i].match;
        for (size_t k = 0; cases[i].values[k]; k++)
            headers_add(&headers, &a, STR("X-Y"), str_of(cases[i].values[k]));
        vhost = vhost_of(&match, 1);
        CHECK_EQ(route_pick(vhost, &rq) != NULL, cases[i].want);
        part_unref(&vhost->part);
        arena_fini(&a);
    }
}

TEST(pseudo_headers_are_matched_by_their_names)
{
    static const struct {
        const char *name;
        struct text_matcher match;
        bool want;
    } cases[] = {
        { "host", EXACT("x.test:80"), true },
        { "host", EXACT("x.test"), false },
        { ":authority", PREFIX("x.test"), true },
        { ":method", EXACT("GET"), true },
        { ":scheme", EXACT("https"), false },
        { ":path", EXACT("/a?b=c"), true },
        { ":path", REGEX("/a[?].*"), true },
        { ":path", EXACT("/a"), false },
        { ":status", PRESENT, false },
        { "hosts", PRESENT, false },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct named_matcher m = { .name = str_of(cases[i].name), .match = cases[i].match };
        struct route_match match = { .headers = { &m, 1 } };
        struct headers none = { 0 };
        struct str target = STR("/a?b=c");
        struct route_request rq = { .path = str_sub(target, 0, 2),
                                    .query = str_from(target, 3),
                                    .authority = STR("x.test:80"),
                                    .method = STR("GET"),
                                    .scheme = STR("http"),
                                    .headers = &none };
        struct vhost *vhost = vhost_of(&match, 1);

        CASE(i);
        CHECK_EQ(route_pick(vhost, &rq) != NULL, cases[i].want);
        part_unref(&vhost->part);
    }
}

TEST(of_a_query_parameter_the_first_counts_as_it_stands)
{
    static const struct {
        struct text_matcher match;
        const char *query;
        bool want;
    } cases[] = {
        { EXACT("1"), "v=1", true },
        { EXACT("1"), "a&v=1&b", true },
        { EXACT("1"), "v=2&v=1", false },
        { EXACT("1"), "v=%31", false },
        { EXACT("1"), "w=2;v=1", false },
        { EXACT("1;x"), "v=1;x", true },
        { EXACT(""), "v", true },
        { EXACT(""), "v=", true },
        { EXACT(""), "", false },
        { EXACT(""), NULL, false },
        { PRESENT, "v", true },
        { PRESENT, "vv=1", false },
        { EXACT("a=b"), "v=a=b", true },
        { PREFIX("a"), "V=ab", false },
        { REGEX("[0-9]+"), "v=17", true },
        { REGEX("[0-9]+"), "v=17x", false },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct named_matcher m = { .name = STR("v") };
        struct route_match match = { .query = { &m, 1 } };
        struct route_request rq = { .path = STR("/"), .query = str_of(cases[i].query) };
        struct vhost *vhost;

        CASE(i);
        m.match = cases[i].match;
        vhost = vhost_of(&match, 1);
        CHECK_EQ(route_pick(vhost, &rq) != NULL, cases[i].want);
        part_unref(&vhost->part);
    }
}
