#include "cli/respawn.h"

#include "unit/check.h"

TEST(a_row_of_crashes_costs_no_wait_and_more_of_them_do)
{
    struct respawn r = { 0 };
    uint64_t now_ms = 1000000;

    for (int i = 0; i < 30; i++) {
        CASE(i);
        CHECK_EQ(respawn_wait_ms(&r, now_ms++, true), 0);
    }
    for (uint64_t wait_ms = 100; wait_ms < 10000; wait_ms *= 2)
        CHECK_EQ(respawn_wait_ms(&r, now_ms++, true), wait_ms);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(respawn_wait_ms(&r, now_ms++, true), 10000);
}

TEST(one_crash_a_second_is_forgiven)
{
    struct respawn r = { 0 };
    uint64_t now_ms = 5000;

    for (int i = 0; i < 300; i++, now_ms += 1000) {
        CASE(i);
        CHECK_EQ(respawn_wait_ms(&r, now_ms, true), 0);
    }
    for (int i = 0; i < 29; i++)
        CHECK_EQ(respawn_wait_ms(&r, now_ms, true), 0);
    CHECK_EQ(respawn_wait_ms(&r, now_ms + 1000, true), 0); /* one has come back */
    CHECK_EQ(respawn_wait_ms(&r, now_ms + 1000, true), 0);
    CHECK_EQ(respawn_wait_ms(&r, now_ms + 1999, true), 100);
    CHECK_EQ(respawn_wait_ms(&r, now_ms + 60000, true), 0);
}

TEST(a_process_that_never_served_soon_waits_ten_seconds)
{
    struct respawn r = { 0 };
    uint64_t now_ms = 0, most_ms = 0, starts = 0;

    while (now_ms < 600000) {
        uint64_t wait_ms = respawn_wait_ms(&r, now_ms, false);

        most_ms = MAX(most_ms, wait_ms);
        now_ms += wait_ms + 10; /* it dies at once */
        starts++;
    }
    CHECK_EQ(most_ms, 10000);
    CHECK(starts < 140); /* two each 10 s, and those before */
}
