#include "route/route.h"

#include "unit/check.h"
#include "unit/route/naive.h"
#include "unit/route/random_route.h"

#include <stdlib.h>

/* LATEEN_LONG=1 (make lookup-long): ten million pairs instead of three hundred thousand. */
static uint32_t vhosts_to_try(void)
{
    const char *is_long = getenv("LATEEN_LONG");

    return is_long && *is_long == '1' ? 100000 : 3000;
}

static int number_of(const struct route *route)
{
    return route ? (int)route->id : -1;
}

TEST(the_index_agrees_with_a_naive_matcher)
{
    uint32_t matched = 0, pairs = 0, vhosts = vhosts_to_try();
    struct vhost *patterns = random_patterns();
    struct arena *a = arena_new(8192);
    struct rng rng;

    rng_init(&rng, 31);
    for (uint32_t i = 0; i < vhosts; i++) {
        struct vhost *vhost = random_vhost(&rng);

        for (uint32_t k = 0; k < 100; k++) {
            struct headers headers;
            struct route_request rq;
            const struct route *got, *want;

            CASE(pairs++);
            random_request(&rng, a, &headers, &rq);
            got = route_pick(vhost, &rq);
            want = naive_pick(vhost, &rq);
            if (got != want)
                printf("%.*s: route %d, not %d\n", STRF(rq.path), number_of(got), number_of(want));
            CHECK(got == want);
            matched += got != NULL;
            arena_reset(a);
        }
        part_unref(&vhost->part);
    }
    printf("%u pairs, %u matched\n", pairs, matched);
    CHECK(matched > pairs / 10 && matched < pairs - pairs / 10);
    arena_free(a);
    part_unref(&patterns->part);
}

/* Each needs a program that fills a set's budget alone. */
TEST(regexes_that_fit_no_set_are_asked_one_by_one)
{
    struct vhost *vhost = part_new(PART_VHOST, STR("v")), *again = part_new(PART_VHOST, STR("w"));
    struct vhost *both[] = { vhost, again };
    struct str err = STR_NONE;

    for (uint32_t k = 0; k < LEN(both); k++) {
        both[k]->routes.n = 8;
        both[k]->routes.v = ARENA_ARRAY(both[k]->part.arena, struct route, 8);
        for (uint32_t i = 0; i < 8; i++) {
            struct text_matcher *m = &both[k]->routes.v[i].match.path;

            both[k]->routes.v[i].id = i;
            m->how = TEXT_REGEX;
            m->value = arena_printf(both[k]->part.arena, "/[a-z]+%u|\\pL{30}", i);
        }
        CHECK(part_finish(&both[k]->part, &err));
    }
    for (uint32_t i = 0; i < 8; i++) {
        char path[16];
        struct route_request rq = { .method = STR("GET") };

        snprintf(path, sizeof(path), "/abc%u", i);
        rq.path = str_of(path);
        CASE(i);
        CHECK_EQ(number_of(route_pick(vhost, &rq)), i);
        part_unref(i == 4 ? &again->part : NULL);
    }
    part_unref(&vhost->part);
}
