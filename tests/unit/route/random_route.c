#include "unit/route/random_route.h"

#include "base/buf.h"
#include "unit/check.h"

/* How one virtual host is made. */
struct recipe {
    uint32_t routes_max;
    uint32_t segments; /* of a path, below */
    uint32_t regexes;  /* of 100 paths */
    uint32_t exact;    /* of 100 named matchers */
    uint32_t named;    /* of 100 routes have some */
    uint32_t values;   /* of a header */
    uint32_t patterns; /* the first of them are drawn from */
};

static const struct recipe recipes[] = {
    { 30, 5, 25, 20, 33, 5, 60 },   /* mixed */
    { 80, 2, 10, 90, 90, 40, 20 },  /* rules on one path that differ by a value */
    { 60, 2, 20, 60, 95, 5, 5 },    /* the same with few values: groups in groups */
    { 150, 3, 90, 20, 20, 5, 250 }, /* regexes */
    { 60, 12, 5, 20, 40, 5, 20 },   /* prefixes in prefixes */
    { 4, 4, 50, 50, 50, 5, 60 },    /* next to nothing */
};

static struct str any_of(struct rng *rng, const char *const *texts, size_t n)
{
    return str_of(texts[rng_below(rng, n)]);
}

static bool chance(struct rng *rng, uint32_t of_100)
{
    return rng_below(rng, 100) < of_100;
}

static struct str joined(struct rng *rng, struct arena *a, const char *const *parts, size_t n,
                         uint64_t count)
{
    struct buf text;
    struct str copy;

    buf_init(&text, 256);
    for (; count > 0; count--) {
        struct str part = any_of(rng, parts, n);

        if (text.n + part.n < 60)
            buf_add(&text, part);
    }
    copy = arena_dup(a, buf_str(&text));
    buf_fini(&text);
    return copy;
}

static struct str any_path(struct rng *rng, struct arena *a, uint64_t segments)
{
    static const char *const parts[] = {
        "/",
        "/",
        "/a",
        "/a",
        "/b",
        "/A",
        "/ab",
        "a",
        "b",
        "/aB",
        "/svc1",
        "svc12",
        "/svc3",
        "/SVC",
        "item3",
        "item",
        "7",
        "/",
        "kel",
        "K",
        "/",
        "/a",
        "*",
        "/b",
        "\xc3\xa9",
        "\xff",
        "/item1",
        "/a/b",
        "\xe2\x84\xaa",
        "3",
    };
    /* The last ones are rare: without them most paths are plain. */
    size_t n = rng_below(rng, 8) ? 12 : LEN(parts);

    return joined(rng, a, parts, n, rng_below(rng, segments));
}

/* Pattern number `i` of the tests'. */
static struct str pattern_of(struct arena *a, uint32_t i)
{
    static const char *const plain[] = {
        "/a.*",    "/[ab]/.*", "/a|/b/a",          ".*b",           "/",           ".*",
        "/a/b/.*", "/(a|b)*",  "/svc[0-9]+/.*",    "(?i)/svc1.*",   "(?i).*kel.*", ".*item",
        "/a?b?.*", "",         "/[^/]+/item[0-9]", "/ab.*|/svc3.*", "(/a|/b)+",    "(?i)/a/b",
        ".*K.*",   "/.*7.*",
    };
    if (i < LEN(plain))
        return str_of(plain[i]);
    i -= (uint32_t)LEN(plain);
    switch (i % 6) {
    case 0:
        return arena_printf(a, "/svc%u.*", i / 6);
    case 1:
        return arena_printf(a, ".*item%u.*", i / 6);
    case 2:
        return arena_printf(a, "(?i)/[a-z]+%u/?.*", i / 6);
    case 3:
        return arena_printf(a, "/a/.*svc%u", i / 6);
    case 4:
        return arena_printf(a, "(/a|/svc%u)/.*", i / 6);
    default:
        return arena_printf(a, ".*%u", i / 6);
    }
}

static struct text_matcher path_matcher(struct rng *rng, struct arena *a, const struct recipe *r)
{
    static const uint8_t literal[] = { TEXT_ANY, TEXT_EXACT, TEXT_PREFIX, TEXT_PREFIX };
    struct text_matcher m = { .how = literal[rng_below(rng, LEN(literal))] };

    if (chance(rng, r->regexes)) {
        m.how = TEXT_REGEX;
        m.value = pattern_of(a, (uint32_t)rng_below(rng, r->patterns));
        return m;
    }
    m.value = any_path(rng, a, r->segments);
    m.nocase = rng_below(rng, 4) == 0;
    return m;
}

static const char *const words[] = { "", "a", "ab", "b", "A" };

static struct str any_word(struct rng *rng, struct arena *a, uint32_t values)
{
    uint64_t i = rng_below(rng, values);

    return i < LEN(words) ? str_of(words[i]) : arena_printf(a, "v%u", (unsigned)i);
}

static struct text_matcher word_matcher(struct rng *rng, struct arena *a, const struct recipe *r)
{
    static const char *const regexes[] = { "a.*", ".*", "b?" };
    struct text_matcher m = { .how = (uint8_t)rng_below(rng, 5) };

    if (chance(rng, r->exact))
        m.how = TEXT_EXACT;
    m.nocase = m.how != TEXT_REGEX && rng_below(rng, 8) == 0;
    m.value = m.how == TEXT_REGEX ? any_of(rng, regexes, LEN(regexes))
                                  : any_word(rng, a, r->values);
    return m;
}

static const char *const methods[] = { "GET", "POST", "PUT" };
static const char *const authorities[] = { "x.test", "x.test:80", "y.test" };

static struct named_matcher *named_matchers(struct rng *rng, struct arena *a,
                                            const struct recipe *r, bool is_query, uint32_t *ret_n)
{
    static const char *const names[] = { "x", "y", "accept", "x", ":method", "host", ":path" };
    uint32_t n = chance(rng, r->named) ? (uint32_t)rng_below(rng, 3) : 0;
    struct named_matcher *v = ARENA_ARRAY(a, struct named_matcher, n);

    for (uint32_t i = 0; i < n; i++) {
        bool is_plain = is_query || rng_below(rng, 5);

        v[i].name = any_of(rng, names, is_plain ? 4 : LEN(names));
        v[i].invert = rng_below(rng, 5) == 0;
        v[i].match = word_matcher(rng, a, r);
        if (v[i].match.how != TEXT_REGEX && str_eq(v[i].name, STR(":method")))
            v[i].match.value = any_of(rng, methods, LEN(methods));
        if (v[i].match.how != TEXT_REGEX && str_eq(v[i].name, STR("host")))
            v[i].match.value = any_of(rng, authorities, LEN(authorities));
    }
    *ret_n = n;
    return v;
}

static struct text_matcher *one_of(struct rng *rng, struct arena *a, const char *const *texts,
                                   size_t n)
{
    struct text_matcher *m = ARENA_NEW(a, struct text_matcher);

    *m = (struct text_matcher){ .how = TEXT_EXACT, .value = any_of(rng, texts, n) };
    if (rng_below(rng, 8) == 0)
        m->how = TEXT_PREFIX;
    return m;
}

static void match_fill(struct rng *rng, struct arena *a, const struct recipe *r,
                       struct route_match *m)
{
    static const char *const schemes[] = { "http", "https" };

    m->path = path_matcher(rng, a, r);
    m->headers.v = named_matchers(rng, a, r, false, &m->headers.n);
    m->query.v = named_matchers(rng, a, r, true, &m->query.n);
    m->port = rng_below(rng, 5) ? 0 : (uint16_t)(80 + rng_below(rng, 2));
    if (rng_below(rng, 4) == 0)
        m->method = one_of(rng, a, methods, LEN(methods));
    if (rng_below(rng, 10) == 0)
        m->authority = one_of(rng, a, authorities, LEN(authorities));
    if (rng_below(rng, 10) == 0)
        m->scheme = one_of(rng, a, schemes, LEN(schemes));
}

static struct vhost *vhost_begin(uint32_t routes)
{
    struct vhost *vhost = part_new(PART_VHOST, STR("v"));

    vhost->routes.n = routes;
    vhost->routes.v = ARENA_ARRAY(vhost->part.arena, struct route, routes);
    for (uint32_t i = 0; i < routes; i++)
        vhost->routes.v[i].id = i;
    return vhost;
}

static struct vhost *vhost_end(struct vhost *vhost)
{
    struct str err = STR_NONE;

    CHECK(part_finish(&vhost->part, &err));
    return vhost;
}

struct vhost *random_vhost(struct rng *rng)
{
    const struct recipe *r = &recipes[rng_below(rng, LEN(recipes))];
    struct vhost *vhost = vhost_begin((uint32_t)rng_below(rng, r->routes_max));

    for (uint32_t i = 0; i < vhost->routes.n; i++)
        match_fill(rng, vhost->part.arena, r, &vhost->routes.v[i].match);
    return vhost_end(vhost);
}

struct vhost *random_patterns(void)
{
    struct vhost *vhost = vhost_begin(250 + 3);
    static const char *const regexes[] = { "a.*", ".*", "b?" };

    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        struct text_matcher *m = &vhost->routes.v[i].match.path;

        m->how = TEXT_REGEX;
        m->value = i < 250 ? pattern_of(vhost->part.arena, i) : str_of(regexes[i - 250]);
    }
    return vhost_end(vhost);
}

void random_request(struct rng *rng, struct arena *a, struct headers *headers,
                    struct route_request *ret)
{
    static const char *const names[] = { "x", "Y", "Accept", "X", "z", "Host" };
    static const char *const parts[] = { "x", "y", "=", "&", "a", "b", "x=a", "&y=v7", "accept" };
    struct str path = any_path(rng, a, rng_below(rng, 4) ? 5 : 16), query, target;

    query = joined(rng, a, parts, LEN(parts), rng_below(rng, 6));
    if (path.n + 1 + query.n > 63)
        query = STR("");
    target = arena_printf(a, "%.*s?%.*s", STRF(path), STRF(query));
    *headers = (struct headers){ 0 };
    for (uint64_t n = rng_below(rng, 5); n > 0; n--)
        headers_add(headers, a, any_of(rng, names, LEN(names)), any_word(rng, a, 40));
    *ret = (struct route_request){ .path = str_sub(target, 0, path.n),
                                   .query = str_from(target, path.n + 1),
                                   .authority = any_of(rng, authorities, LEN(authorities)),
                                   .method = any_of(rng, methods, LEN(methods)),
                                   .scheme = rng_below(rng, 2) ? STR("http") : STR("https"),
                                   .port = (uint16_t)(80 + rng_below(rng, 2)),
                                   .headers = headers };
}
