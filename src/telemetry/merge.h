/*
 * telemetry/merge - all workers' rows by what they count, for whoever prints them.
 *
 * Nothing is copied: the rows of one series (or one owner) hang together by `peer`, the
 * printer adds them up. What is known stays known from one scrape to the next; the budget
 * holds for the process here: what was taken in once stays, what comes beyond is counted
 * in `__other__`.
 */
#pragma once

#include "telemetry/series.h"
#include "telemetry/stats.h"

struct merged_rows {
    void **v; /* the first row of each */
    size_t n, cap;
};

struct merged_all {
    struct merged_rows series;              /* struct series; without `other` */
    const struct series *other;             /* beyond the budget; NULL: nothing is */
    struct merged_rows owners[OWNER_KINDS]; /* struct stat_row */
    struct str source;                      /* `reporter="source",source_workload=...` */
    uint64_t epoch; /* another number: a worker went, and rows stand elsewhere */
};

#define MERGE_AT_ONCE 4096 /* rows */

/* Takes in what workers have added, MERGE_AT_ONCE rows at most; false in `ret_all_in` while
 * there is more. The result is the caller's until merge_end; others wait. */
const struct merged_all *merge_begin(bool *ret_all_in);
void merge_end(void);

/* A worker's rows are going away. */
void merge_forget(void);
