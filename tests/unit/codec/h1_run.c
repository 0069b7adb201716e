#include "h1_run.h"

#include "unit/check.h"

static void check_same(const struct h1_seen *got, const struct h1_seen *want)
{
    CHECK_STR(got->error ? got->error->name : STR("none"),
              want->error ? want->error->name : STR("none"));
    CHECK_EQ(got->more, want->more);
    if (got->error || got->more)
        return;
    CHECK_EQ(got->used, want->used);
    CHECK_STR(got->body, want->body);
    CHECK_EQ(got->trailers.n, want->trailers.n);
    for (uint32_t i = 0; i < got->trailers.n; i++)
        CHECK_STR(got->trailers.v[i].value, want->trailers.v[i].value);
}

struct h1_seen h1_run(struct str in, enum h1_side side, enum method method, struct arena *a)
{
    struct h1_seen whole = h1_feed(in, in.n ? in.n : 1, side, method, a), got;

    for (size_t first = 0; first < in.n; first++) {
        struct arena scratch;

        arena_init(&scratch, 4096);
        got = h1_feed(in, first, side, method, &scratch);
        check_same(&got, &whole);
        arena_fini(&scratch);
    }
    return whole;
}
