#include "mesh/names.h"

#include "unit/check.h"

TEST(short_hosts_get_the_namespace_of_the_configuration)
{
    static const struct {
        const char *host, *want;
    } rows[] = {
        { "reviews", "reviews.ns.svc.cluster.local" },
        { "Reviews", "reviews.ns.svc.cluster.local" },
        { "reviews.other", "reviews.other" },
        { "*", "*" },
        { "*.x", "*.x" },
        { "10.0.0.1", "10.0.0.1" },
        { "::1", "::1" },
        { "A.Test", "a.test" },
    };
    struct arena a;

    arena_init(&a, 512);
    for (size_t i = 0; i < LEN(rows); i++) {
        CASE(i);
        CHECK_STRZ(name_host(&a, str_of(rows[i].host), STR("ns")), rows[i].want);
    }
    arena_fini(&a);
}

TEST(hosts_intersect_where_one_covers_the_other)
{
    static const struct {
        const char *a, *b, *want; /* NULL: no intersection */
    } rows[] = {
        { "a.x", "a.x", "a.x" },     { "a.x", "b.x", NULL },      { "*", "a.x", "a.x" },
        { "a.x", "*", "a.x" },       { "*", "*", "*" },           { "*.x", "a.x", "a.x" },
        { "*.x", "x", NULL },        { "*.x", ".x", NULL },       { "*.x", "a.b.x", "a.b.x" },
        { "*.x", "*.b.x", "*.b.x" }, { "*.b.x", "*.x", "*.b.x" }, { "*.x", "*.y", NULL },
        { "*.x", "*", "*.x" },       { "ax", "*.x", NULL },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct str both = STR_NONE;
        bool any = name_intersect(str_of(rows[i].a), str_of(rows[i].b), &both);

        CASE(i);
        CHECK_EQ(any, rows[i].want != NULL);
        if (rows[i].want)
            CHECK_STRZ(both, rows[i].want);
    }
}

TEST(server_hosts_may_name_a_namespace)
{
    static const struct {
        const char *written, *ns, *host;
    } rows[] = {
        { "a.x", NULL, "a.x" },
        { "*/a.x", NULL, "a.x" },
        { "./a.x", "own", "a.x" },
        { "other/*.x", "other", "*.x" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct str ns, host;

        CASE(i);
        name_server_host(str_of(rows[i].written), STR("own"), &ns, &host);
        CHECK_STR(ns, str_of(rows[i].ns));
        CHECK_EQ(str_is_set(ns), rows[i].ns != NULL);
        CHECK_STRZ(host, rows[i].host);
    }
}

TEST(gateways_are_named_with_and_without_namespace)
{
    static const struct {
        const char *written, *want;
    } rows[] = {
        { "gw", "own/gw" },
        { "other/gw", "other/gw" },
        { "gw.other.svc.cluster.local", "other/gw" },
        { "mesh", "mesh" },
    };
    struct arena a;

    arena_init(&a, 512);
    for (size_t i = 0; i < LEN(rows); i++) {
        CASE(i);
        CHECK_STRZ(name_gateway(&a, str_of(rows[i].written), STR("own")), rows[i].want);
    }
    arena_fini(&a);
}

TEST(exports_are_seen_from_the_gateways_namespace)
{
    static const struct {
        struct str to[2];
        size_t n;
        const char *own, *from;
        bool want;
    } rows[] = {
        { { { 0 } }, 0, "a", "b", true },
        { { STR_INIT("*") }, 1, "a", "b", true },
        { { STR_INIT(".") }, 1, "a", "b", false },
        { { STR_INIT(".") }, 1, "a", "a", true },
        { { STR_INIT("b") }, 1, "a", "b", true },
        { { STR_INIT("c"), STR_INIT(".") }, 2, "a", "b", false },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct str_list list = { (struct str *)(uintptr_t)rows[i].to, rows[i].n };

        CASE(i);
        CHECK_EQ(name_is_exported(&list, str_of(rows[i].own), str_of(rows[i].from)), rows[i].want);
    }
}
