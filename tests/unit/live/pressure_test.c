/*
 * Steps of memory pressure: where each begins, and that none flaps.
 */
#include "live/pressure.h"

#include "unit/check.h"

TEST(each_step_begins_at_its_share_and_ends_a_little_below)
{
    static const struct {
        enum pressure before;
        uint64_t used;
        enum pressure want;
    } cases[] = {
        { PRESSURE_NONE, 0, PRESSURE_NONE },      { PRESSURE_NONE, 9199, PRESSURE_NONE },
        { PRESSURE_NONE, 9200, PRESSURE_SAVE },   { PRESSURE_NONE, 9499, PRESSURE_SAVE },
        { PRESSURE_NONE, 9500, PRESSURE_REFUSE }, { PRESSURE_NONE, 9800, PRESSURE_SHED },
        { PRESSURE_NONE, 20000, PRESSURE_SHED },  { PRESSURE_SAVE, 9199, PRESSURE_SAVE },
        { PRESSURE_SAVE, 8800, PRESSURE_SAVE },   { PRESSURE_SAVE, 8799, PRESSURE_NONE },
        { PRESSURE_SAVE, 9300, PRESSURE_SAVE },   { PRESSURE_REFUSE, 9100, PRESSURE_REFUSE },
        { PRESSURE_REFUSE, 9099, PRESSURE_SAVE }, { PRESSURE_REFUSE, 8700, PRESSURE_NONE },
        { PRESSURE_SHED, 9400, PRESSURE_SHED },   { PRESSURE_SHED, 9399, PRESSURE_REFUSE },
        { PRESSURE_SHED, 8900, PRESSURE_SAVE },
    };

    for (size_t i = 0; i < LEN(cases); i++)
        CHECK_EQ(pressure_of(cases[i].before, cases[i].used * 1000, UINT64_C(10000000)),
                 cases[i].want);
}

TEST(without_a_limit_there_is_no_pressure)
{
    CHECK_EQ(pressure_of(PRESSURE_SHED, UINT64_MAX, 0), PRESSURE_NONE);
}

TEST(limits_of_any_size_are_compared_without_overflow)
{
    CHECK_EQ(pressure_of(PRESSURE_NONE, UINT64_MAX, UINT64_MAX), PRESSURE_SHED);
    CHECK_EQ(pressure_of(PRESSURE_NONE, UINT64_C(1) << 40, UINT64_C(1) << 41), PRESSURE_NONE);
}

TEST(what_is_told_is_what_is_read)
{
    CHECK_EQ(live_pressure_tell(96, 0), PRESSURE_NONE);
    CHECK_EQ(live_pressure_tell(96000, 100000), PRESSURE_REFUSE);
    CHECK_EQ(live_pressure(), PRESSURE_REFUSE);
    CHECK_EQ(live_pressure_tell(92000, 100000), PRESSURE_REFUSE);
    CHECK_EQ(live_pressure_tell(10, 100000), PRESSURE_NONE);
    CHECK_EQ(live_pressure_tell(0, 0), PRESSURE_NONE);
}
