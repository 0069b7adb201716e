/*
 * Finite limits: exact whoever takes, kept by name, and nobody who waits is forgotten.
 */
#include "live/budget.h"

#include "live/ear.h"
#include "live/host.h"
#include "unit/check.h"

#include <pthread.h>
#include <unistd.h>

TEST(a_budget_lives_as_long_as_somebody_names_it)
{
    struct live_budget *a = live_budget_get(STR("c")), *b = live_budget_get(STR("c"));
    struct live_budget *other = live_budget_get(STR("d"));

    CHECK(a == b && a != other);
    CHECK_STRZ(other->cluster, "d");
    budget_take_anyway(a, BUDGET_CONNECTIONS);
    live_budget_unref(a); /* a part is replaced: another one has its own reference */
    CHECK_EQ(budget_used(b, BUDGET_CONNECTIONS), 1);
    live_budget_unref(live_budget_ref(b));
    live_budget_unref(b);
    b = live_budget_get(STR("c"));
    CHECK_EQ(budget_used(b, BUDGET_CONNECTIONS), 0);
    live_budget_unref(b);
    live_budget_unref(other);
    live_budget_unref(NULL);
}

TEST(no_more_is_taken_than_whoever_takes_allows)
{
    struct live_budget *b = live_budget_get(STR("c"));

    CHECK(budget_take(b, BUDGET_RETRIES, 2));
    CHECK(budget_take(b, BUDGET_RETRIES, 2));
    CHECK(!budget_take(b, BUDGET_RETRIES, 2));
    CHECK(budget_take(b, BUDGET_RETRIES, 3));  /* raised */
    CHECK(!budget_take(b, BUDGET_RETRIES, 1)); /* lowered */
    CHECK(budget_take(b, BUDGET_PENDING, 1));  /* each kind for itself */
    budget_give(b, BUDGET_RETRIES);
    budget_give(b, BUDGET_RETRIES);
    CHECK(!budget_take(b, BUDGET_RETRIES, 1));
    budget_give(b, BUDGET_RETRIES);
    CHECK(budget_take(b, BUDGET_RETRIES, 1));
    live_budget_unref(b);
}

TEST(whose_turn_it_is_goes_round)
{
    static const struct {
        uint64_t waiting;
        uint32_t self, next;
        bool others;
    } cases[] = {
        { 0, 3, LIVE_WORKERS_MAX, false },      { 1u << 3, 3, 3, false },
        { 1u << 3 | 1u << 1, 3, 1, true },      { 1u << 3 | 1u << 1, 1, 3, true },
        { 1u << 3 | 1u << 1, 0, 1, true },      { UINT64_C(1) << 63 | 1, 63, 0, true },
        { UINT64_C(1) << 63 | 1, 0, 63, true },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct live_budget *b = live_budget_get(STR("c"));

        CASE(i);
        for (uint32_t w = 0; w < LIVE_WORKERS_MAX; w++)
            if (cases[i].waiting >> w & 1)
                CHECK(budget_wait(b, w) && !budget_wait(b, w));
        CHECK_EQ(budget_next(b, cases[i].self), cases[i].next);
        CHECK_EQ(budget_others_wait(b, cases[i].self), cases[i].others);
        budget_wait_not(b, cases[i].self);
        CHECK_EQ(budget_next(b, cases[i].self) < LIVE_WORKERS_MAX, cases[i].others);
        live_budget_unref(b);
    }
}

#define THREADS 4
#define ROUNDS 20000
#define MAX_INSIDE 2

static _Atomic int inside, most;

static void *take_and_give(void *arg)
{
    struct live_budget *b = arg;

    for (int i = 0; i < ROUNDS; i++) {
        int now, seen = atomic_load(&most);

        if (!budget_take(b, BUDGET_REQUESTS, MAX_INSIDE))
            continue;
        now = atomic_fetch_add(&inside, 1) + 1;
        while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
            ;
        atomic_fetch_sub(&inside, 1);
        budget_give(b, BUDGET_REQUESTS);
    }
    return NULL;
}

TEST(threads_never_hold_more_than_the_limit)
{
    struct live_budget *b = live_budget_get(STR("c"));
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, take_and_give, b), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(most >= 1 && most <= MAX_INSIDE);
    CHECK_EQ(budget_used(b, BUDGET_REQUESTS), 0);
    live_budget_unref(b);
}

/* ---- ears ---- */

struct listener_thread {
    struct live_ear ear;
    struct loop *loop;
    int heard;
};

static void heard(struct mail *m, struct loop *to)
{
    struct listener_thread *t = CONTAINER_OF(m, struct listener_thread, ear.mail);

    CHECK(to == t->loop);
    live_ear_heard(&t->ear);
    t->heard++;
}

TEST(calls_reach_those_who_are_there_once_until_they_have_looked)
{
    struct listener_thread t[2] = { 0 };

    for (uint32_t i = 0; i < LEN(t); i++) {
        t[i].loop = loop_new(NULL);
        live_ear_open(i, &t[i].ear, t[i].loop, heard);
    }
    live_call(1);
    live_call(1);
    live_call(5); /* nobody */
    loop_turn(t[1].loop, 100);
    CHECK_EQ(t[1].heard, 1);
    live_call_all_but(1);
    loop_turn(t[0].loop, 100);
    loop_turn(t[1].loop, 0);
    CHECK_EQ(t[0].heard, 1);
    CHECK_EQ(t[1].heard, 1);
    live_ear_close(0);
    live_ear_close(0);
    live_call_all_but(1);
    loop_turn(t[0].loop, 0);
    CHECK_EQ(t[0].heard, 1);
    live_ear_close(1);
    for (size_t i = 0; i < LEN(t); i++)
        loop_free(t[i].loop);
}
