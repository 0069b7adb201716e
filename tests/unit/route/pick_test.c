#include "route/route.h"

#include "base/buf.h"
#include "base/rng.h"
#include "unit/check.h"
#include "unit/route/naive.h"

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

/* ---- any routes against the naive matcher --------------------------------------------------- */

static struct str any_of(struct rng *rng, const char *const *texts, size_t n)
{
    return str_of(texts[rng_below(rng, n)]);
}

static struct str any_path(struct rng *rng, struct arena *a, uint64_t segments)
{
    static const char *const parts[] = { "/", "/a", "/b", "/A", "/ab", "a", "b", "/aB", "*" };
    struct buf path;
    struct str copy;

    buf_init(&path, 256);
    for (uint64_t n = rng_below(rng, segments); n > 0; n--)
        buf_add(&path, any_of(rng, parts, LEN(parts)));
    copy = arena_dup(a, buf_str(&path));
    buf_fini(&path);
    return copy;
}

static struct text_matcher any_path_matcher(struct rng *rng, struct arena *a)
{
    static const char *const regexes[] = { "/a.*", "/[ab]/.*", "/a|/b/a", ".*b", "/" };
    struct text_matcher m = { .how = (uint8_t)rng_below(rng, 4) };

    m.value = m.how == TEXT_REGEX ? any_of(rng, regexes, LEN(regexes)) : any_path(rng, a, 5);
    m.nocase = m.how != TEXT_REGEX && rng_below(rng, 3) == 0;
    return m;
}

static const char *const words[] = { "", "a", "ab", "b", "A" };

static struct text_matcher any_word_matcher(struct rng *rng)
{
    static const char *const regexes[] = { "a.*", ".*", "b?" };
    struct text_matcher m = { .how = (uint8_t)rng_below(rng, 5) };

    m.value = m.how == TEXT_REGEX ? any_of(rng, regexes, LEN(regexes))
                                  : any_of(rng, words, LEN(words));
    return m;
}

static struct named_matcher *any_named(struct rng *rng, struct arena *a, uint32_t *ret_n)
{
    static const char *const names[] = { "x", "y", "accept" };
    uint32_t n = rng_below(rng, 3) ? 0 : (uint32_t)rng_below(rng, 3);
    struct named_matcher *v = ARENA_ARRAY(a, struct named_matcher, n);

    for (uint32_t i = 0; i < n; i++) {
        v[i].name = any_of(rng, names, LEN(names));
        v[i].invert = rng_below(rng, 3) == 0;
        v[i].match = any_word_matcher(rng);
    }
    *ret_n = n;
    return v;
}

static const char *const methods[] = { "GET", "POST" };

static struct vhost *any_vhost(struct rng *rng)
{
    struct vhost *vhost = part_new(PART_VHOST, STR("v"));
    struct arena *a = vhost->part.arena;
    struct str err = STR_NONE;

    vhost->routes.n = (uint32_t)rng_below(rng, 30);
    vhost->routes.v = ARENA_ARRAY(a, struct route, vhost->routes.n);
    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        struct route_match *m = &vhost->routes.v[i].match;

        vhost->routes.v[i].id = i;
        m->path = any_path_matcher(rng, a);
        m->headers.v = any_named(rng, a, &m->headers.n);
        m->query.v = any_named(rng, a, &m->query.n);
        m->port = rng_below(rng, 5) ? 0 : (uint16_t)(80 + rng_below(rng, 2));
        if (rng_below(rng, 4) == 0)
            m->method = (struct text_matcher){ TEXT_EXACT, false,
                                               any_of(rng, methods, LEN(methods)), NULL };
    }
    CHECK(part_finish(&vhost->part, &err));
    return vhost;
}

static struct str any_query(struct rng *rng, struct arena *a)
{
    static const char *const parts[] = { "x", "y", "=", "&", "a", "b", "x=a", "&y=", "accept" };
    struct buf query;
    struct str copy;

    buf_init(&query, 256);
    for (uint64_t n = rng_below(rng, 6); n > 0; n--)
        buf_add(&query, any_of(rng, parts, LEN(parts)));
    copy = arena_dup(a, buf_str(&query));
    buf_fini(&query);
    return copy;
}

static void any_request(struct rng *rng, struct arena *a, struct headers *headers,
                        struct route_request *ret)
{
    static const char *const names[] = { "x", "Y", "Accept", "z" };

    *headers = (struct headers){ 0 };
    for (uint64_t n = rng_below(rng, 4); n > 0; n--)
        headers_add(headers, a, any_of(rng, names, LEN(names)), any_of(rng, words, LEN(words)));
    *ret = (struct route_request){ .path = any_path(rng, a, 6),
                                   .query = any_query(rng, a),
                                   .method = any_of(rng, methods, LEN(methods)),
                                   .port = (uint16_t)(80 + rng_below(rng, 2)),
                                   .headers = headers };
}

TEST(the_index_agrees_with_a_naive_matcher)
{
    uint32_t matched = 0, pairs = 0;
    struct rng rng;

    rng_init(&rng, 31);
    for (uint32_t i = 0; i < 2000; i++) {
        struct vhost *vhost = any_vhost(&rng);

        for (uint32_t k = 0; k < 100; k++) {
            struct headers headers;
            struct route_request rq;
            struct arena a;

            CASE(pairs++);
            arena_init(&a, 1024);
            any_request(&rng, &a, &headers, &rq);
            CHECK(route_pick(vhost, &rq) == naive_pick(vhost, &rq));
            matched += route_pick(vhost, &rq) != NULL;
            arena_fini(&a);
        }
        part_unref(&vhost->part);
    }
    CHECK(matched > pairs / 10 && matched < pairs - pairs / 10);
}
