/*
 * telemetry/merge - all workers' numbers added up, for whoever prints them.
 *
 * Series and owners stay known from one time to the next, with their labels rendered once;
 * the budget holds for the process here: what was printed once stays, what comes beyond is
 * counted in `__other__`.
 */
#pragma once

#include "telemetry/series.h"
#include "telemetry/stats.h"

/* One of Istio's series. */
struct merged {
    struct series_key key;
    struct str labels; /* without braces */
    uint64_t requests;
    uint64_t buckets[SERIES_HISTOGRAMS][HISTOGRAM_BOUNDS + 1];
    uint64_t sums[SERIES_HISTOGRAMS];
};

/* One owner's stats. */
struct merged_owner {
    uint8_t owner; /* enum stat_owner */
    struct str name, escaped;
    int64_t columns[STAT_COLUMNS];
};

struct merged_all {
    struct merged **series;
    size_t series_n;
    struct merged_owner **owners;
    size_t owner_n;
};

/* Adds up. The result is the caller's until merge_end; others wait. */
const struct merged_all *merge_begin(void);
void merge_end(void);
