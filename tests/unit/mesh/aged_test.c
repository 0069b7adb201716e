/*
 * Objects in the order of their age, as few and many come and go, against sorting all of them.
 */
#include "base/rng.h"
#include "mesh/aged.h"
#include "unit/check.h"

#include <stdio.h>

#define OBJECTS 200

static struct api_object objects[OBJECTS];
static struct api_meta metas[OBJECTS];
static char names[OBJECTS][16];

/* Every third has a timestamp, and some of these the same. */
static void objects_fill(struct rng *rng)
{
    static const struct api_kind kind = { .kind = STR_INIT("Any") };

    for (size_t i = 0; i < OBJECTS; i++) {
        snprintf(names[i], sizeof(names[i]), "n%03zu", (i * 77) % OBJECTS);
        metas[i] = (struct api_meta){ .name = str_of(names[i]), .namespace = STR("x") };
        metas[i].creation_timestamp.set = i % 3 == 0;
        metas[i].creation_timestamp.unix_ms = (int64_t)rng_below(rng, 20);
        objects[i] = (struct api_object){ .kind = &kind, .meta = &metas[i] };
    }
}

static bool is_older(const struct api_object *a, const struct api_object *b)
{
    const struct opt_time *x = &a->meta->creation_timestamp, *y = &b->meta->creation_timestamp;

    if (x->set != y->set)
        return x->set;
    if (x->set && x->unix_ms != y->unix_ms)
        return x->unix_ms < y->unix_ms;
    return str_cmp(a->meta->name, b->meta->name) < 0;
}

static void check_list(const struct aged *a, const bool *there, size_t n)
{
    CHECK_EQ(a->list.n, n);
    for (size_t i = 0; i < a->list.n; i++) {
        CHECK(there[a->list.v[i] - objects]);
        if (i)
            CHECK(is_older(a->list.v[i - 1], a->list.v[i]));
    }
}

TEST(objects_that_come_and_go_stay_in_the_order_of_their_age)
{
    bool there[OBJECTS] = { false };
    struct aged a = { 0 };
    struct rng rng;
    size_t n = 0;

    rng_init(&rng, 7);
    objects_fill(&rng);
    for (int step = 0; step < 500; step++) {
        size_t touched = (size_t)rng_below(&rng, step % 10 ? 4 : 60);

        for (size_t i = 0; i < touched; i++) {
            size_t at = (size_t)rng_below(&rng, OBJECTS / touched) * touched + i;

            if (there[at])
                aged_del(&a, &objects[at]);
            else
                aged_add(&a, &objects[at]);
            if (!there[at] && step % 7 == 0)
                aged_add(&a, &objects[at]); /* found under one key twice */
            n += there[at] ? SIZE_MAX : 1;
            there[at] = !there[at];
        }
        aged_settle(&a);
        check_list(&a, there, n);
    }
    aged_fini(&a);
}
