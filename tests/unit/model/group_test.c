#include "model/path_index_group.h"

#include "unit/check.h"

static struct text_matcher *exact(struct arena *a, struct str value)
{
    struct text_matcher *m = ARENA_NEW(a, struct text_matcher);

    *m = (struct text_matcher){ .how = TEXT_EXACT, .value = value };
    return m;
}

/* Routes that want x-version: v<i>, each seventh with another method, all of one authority. */
static struct route *versions(struct arena *a, uint32_t n)
{
    struct route *routes = ARENA_ARRAY(a, struct route, n);

    for (uint32_t i = 0; i < n; i++) {
        struct route_match *m = &routes[i].match;

        m->headers.n = 1;
        m->headers.v = ARENA_NEW(a, struct named_matcher);
        m->headers.v[0].name = STR("x-version");
        m->headers.v[0].match.how = TEXT_EXACT;
        m->headers.v[0].match.value = arena_printf(a, "v%u", i % (n / 2));
        m->method = exact(a, i % 7 ? STR("GET") : STR("POST"));
        m->authority = exact(a, STR("x.test"));
    }
    return routes;
}

TEST(a_value_leads_to_its_routes_alone)
{
    enum { N = 1000 };
    struct arena *a = arena_new(65536);
    struct route *routes = versions(a, N);
    uint32_t *ids = ARENA_ARRAY(a, uint32_t, N);
    struct path_group group;

    for (uint32_t i = 0; i < N; i++)
        ids[i] = i;
    path_group_build(&group, routes, ids, N, a);
    for (uint32_t i = 0; i < N; i += 13) {
        struct path_batch batch = { .limit = UINT32_MAX };
        struct route_request rq = { .method = STR("GET"), .authority = STR("x.test") };
        struct headers headers = { 0 };

        CASE(i);
        headers_add(&headers, a, STR("x-version"), arena_printf(a, "v%u", i % (N / 2)));
        rq.headers = &headers;
        path_group_collect(&group, &rq, 0, &batch);
        CHECK_EQ(batch.n, 2);
        CHECK_EQ(batch.ids[0], i % (N / 2));
        CHECK_EQ(batch.ids[1], i % (N / 2) + N / 2);
    }
    arena_free(a);
}

TEST(a_batch_keeps_the_smallest_and_knows_what_it_left_out)
{
    struct path_batch b = { .limit = UINT32_MAX };

    for (uint32_t i = 0; i < 40; i++) { /* 39, 37, ... 1, then 0, 2, ... 38; each twice */
        path_batch_add(&b, i < 20 ? 39 - 2 * i : 2 * i - 40);
        path_batch_add(&b, i < 20 ? 39 - 2 * i : 2 * i - 40);
    }
    CHECK_EQ(b.n, PATH_BATCH);
    for (uint32_t i = 0; i < PATH_BATCH; i++)
        CHECK_EQ(b.ids[i], i);
    CHECK_EQ(b.limit, PATH_BATCH);
}
