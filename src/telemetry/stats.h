/*
 * telemetry/stats - Envoy's counters and gauges: the table of them, and one worker's rows, a
 * row an owner (a listener, a cluster, the process).
 *
 * Rows are appended only and belong to the worker; the scraper reads them at the same time.
 */
#pragma once

#include "base/map.h"
#include "telemetry/telemetry.h"

#include <stdatomic.h>

enum stat_owner { OWNER_PROCESS, OWNER_LISTENER, OWNER_CLUSTER, OWNER_KINDS };

/* Columns of a row: the stats of enum stat_id, then the responses by class. */
enum { STAT_CLASS_1XX = STAT_COUNT, STAT_COLUMNS = STAT_CLASS_1XX + 5 };

/* How a column is printed. Several lines may print one column. */
struct stat_line {
    uint8_t column, owner; /* enum stat_owner */
    bool is_gauge;
    bool is_sparse;     /* printed once it is not 0: most clusters never speak HTTP/2 */
    const char *name;   /* Prometheus name */
    const char *label;  /* of the owner's name, or NULL */
    const char *prefix; /* before the owner's name in the label */
    const char *extra;  /* further labels, led by a comma, or NULL */
    const char *dotted; /* Envoy's own name; "$" is the owner's. NULL: an alias, not in /stats */
    const char *help;
};

extern const struct stat_line stat_lines[];
extern const size_t stat_line_count;

struct stat_row {
    uint8_t owner;
    struct str name; /* the row's own copy */
    _Atomic int64_t columns[STAT_COLUMNS];
    struct stat_row *peer; /* the merger's (telemetry/merge.h); the worker leaves it alone */
};

#define STAT_ROWS_PER_CHUNK 32
#define STAT_ROW_BUDGET 10000 /* of one worker; what comes later is one row, `__other__` */
#define STAT_CHUNKS (STAT_ROW_BUDGET / STAT_ROWS_PER_CHUNK + 2)

struct stat_table {
    _Atomic uint32_t n;
    struct stat_row *chunks[STAT_CHUNKS];
    struct map by_name[OWNER_KINDS];    /* the worker's own */
    struct stat_row *last[OWNER_KINDS]; /* asked for before */
};

void stat_table_init(struct stat_table *t);
void stat_table_fini(struct stat_table *t);

/* The worker: the row of an owner, made where it is new. */
struct stat_row *stat_row_get(struct stat_table *t, enum stat_owner owner, struct str name);
enum stat_owner stat_owner_of(enum stat_id id);

static inline void stat_row_add(struct stat_row *r, uint32_t column, int64_t delta)
{
    _Atomic int64_t *c = &r->columns[column];

    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + delta,
                          memory_order_relaxed);
}

/* The scraper: rows from 0 to stat_table_count() - 1. */
uint32_t stat_table_count(const struct stat_table *t);
struct stat_row *stat_row_at(const struct stat_table *t, uint32_t i);
