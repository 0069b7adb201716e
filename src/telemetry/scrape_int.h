/*
 * telemetry/scrape_int - a page of numbers and how its parts are printed, for the folder's
 * own files: scrape.c goes through the rows, scrape_prometheus.c and scrape_stats.c print.
 */
#pragma once

#include "telemetry/merge.h"

struct regex;

enum scrape_phase { SCRAPE_TAKE_IN, SCRAPE_ROWS, SCRAPE_PROCESS, SCRAPE_DONE };

struct scrape {
    uint8_t form, phase; /* enum scrape_form, enum scrape_phase */
    bool used_only, after_first;
    struct regex *filter; /* NULL: all */
    /* what there was at the begin: one page shows the same series in each family */
    uint64_t epoch;
    size_t series_n, owner_n[OWNER_KINDS];
    const struct series *other;
    /* where it is */
    size_t family, at;
};

/* One more row, or the end of a family. False: no row is left. */
MUST_USE bool scrape_prometheus_step(struct scrape *s, const struct merged_all *all,
                                     struct buf *out);
MUST_USE bool scrape_stats_step(struct scrape *s, const struct merged_all *all, struct buf *out);

bool scrape_wants(const struct scrape *s, struct str name);

/* What an owner's rows add up to. Gauges are sums of deltas that workers publish one by one:
 * for a moment below zero, which counts as 0. */
uint64_t stat_row_sum(const struct stat_row *first, uint32_t column);
/* The counter that stands `at` so many octets in each row. */
uint64_t series_sum(const struct series *first, size_t at);

/* A number that has no owner. */
struct process_line {
    const char *name, *dotted, *help;
    bool is_counter;
    double value;
};

#define PROCESS_LINES 22

size_t process_lines(const struct merged_all *all, struct process_line ret[static PROCESS_LINES]);
void process_line_prometheus(struct buf *out, const struct process_line *l, bool openmetrics);
void scrape_build_line(struct buf *out, bool openmetrics);
void scrape_stat_add(struct scrape *s, struct buf *out, struct str name, double value);
