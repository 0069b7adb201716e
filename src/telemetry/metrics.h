/*
 * telemetry/metrics - what one worker counts, and all workers that there are. For the
 * folder's own files; others use telemetry/telemetry.h.
 */
#pragma once

#include "base/list.h"
#include "telemetry/series.h"
#include "telemetry/stats.h"

struct metrics {
    struct list node; /* in the register, under its lock */
    struct series_table series;
    struct stat_table stats;
    uint32_t series_seen, stats_seen; /* rows that the merger has taken in; its own */
};

/* Calls `see` with each worker's; none can go away meanwhile. */
void metrics_each(void (*see)(struct metrics *m, void *arg), void *arg);

/* What the process says about itself, read when scraped. */
struct metrics_process {
    double uptime_s, start_s, cpu_s;
    uint64_t allocated, heap, resident, virtual, open_files, max_files, threads;
    uint64_t first_expiry_days; /* UINT32_MAX: no certificate is served */
    bool is_live;
};
void metrics_process_read(struct metrics_process *ret);
void metrics_process_begin(void); /* the clock of `uptime_s` starts; harmless again */
