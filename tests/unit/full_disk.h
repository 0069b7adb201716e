/*
 * tests/unit/full_disk - a disk on which nothing more can be written, for a moment.
 */
#pragma once

#include "unit/check.h"

#include <signal.h>
#include <sys/resource.h>

static inline struct rlimit full_disk_begin(void)
{
    struct rlimit before, full;

    signal(SIGXFSZ, SIG_IGN);
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = (struct rlimit){ 0, before.rlim_max };
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
    return before;
}

static inline void full_disk_end(struct rlimit before)
{
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
}
