/*
 * Connections between workers: even, and only between those that serve the same.
 */
#include "live/seats.h"

#include "live/host.h"
#include "unit/check.h"

static uint32_t delivered;

static void deliver(struct mail *m, struct loop *to)
{
    (void)m;
    (void)to;
    delivered++;
}

static void open_both(struct loop *loop)
{
    for (uint32_t i = 0; i < 2; i++) {
        seats_open(i, loop, NULL);
        seats_serve(i, 7);
    }
}

static void close_both(void)
{
    seats_close(0);
    seats_close(1);
}

/* All arrive at one worker, the worst that the kernel can do. */
TEST(two_workers_stay_even_whoever_accepts)
{
    static const struct {
        uint32_t connections, fewest;
    } cases[] = { { 2, 0 }, { 3, 1 }, { 8, 3 }, { 64, 29 }, { 1000, 469 } };
    struct loop *loop = loop_new(NULL);

    for (size_t i = 0; i < LEN(cases); i++) {
        open_both(loop);
        for (uint32_t k = 0; k < cases[i].connections; k++)
            seats_add(seats_pick(0), 1);
        CHECK_EQ(seats_taken(0) + seats_taken(1), cases[i].connections);
        CHECK_EQ(seats_taken(1) >= cases[i].fewest, true);
        close_both();
    }
    loop_free(loop);
}

TEST(nothing_goes_to_a_worker_that_serves_another_snapshot_or_none)
{
    struct loop *loop = loop_new(NULL);

    open_both(loop);
    seats_add(0, 5);
    CHECK_EQ(seats_pick(0), 1);
    seats_serve(1, 8);
    CHECK_EQ(seats_pick(0), 0);
    seats_serve(0, 8);
    CHECK_EQ(seats_pick(0), 1);
    seats_close(1);
    CHECK_EQ(seats_pick(0), 0);
    close_both();
    loop_free(loop);
}

TEST(what_is_sent_is_counted_at_once_and_delivered)
{
    struct loop *loop = loop_new(NULL);
    struct seat_mail one = { .mail.deliver = deliver }, late = { .mail.deliver = deliver };
    int owner;

    seats_open(1, loop, &owner);
    CHECK_EQ(seats_send(1, &one), true);
    CHECK_EQ(seats_taken(1), 1);
    loop_turn(loop, 0);
    CHECK_EQ(delivered, 1);
    CHECK(one.owner == &owner);
    seats_close(1);
    CHECK_EQ(seats_send(1, &late), false);
    CHECK_EQ(seats_taken(1), 1);
    loop_free(loop);
}
