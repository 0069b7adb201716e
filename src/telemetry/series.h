/*
 * telemetry/series - one worker's table of Istio's series: created on first use, counted by
 * the worker alone, read by the scraper at the same time.
 *
 * Append-only, so no reader can meet a moving row. Counters have one writer: a relaxed load
 * and a relaxed store, no locked instruction. Beyond the budget everything is counted in one
 * series, `__other__` (design 5.12).
 */
#pragma once

#include "telemetry/record.h"

#include <stdatomic.h>

#define SERIES_BUDGET 10000
#define HISTOGRAM_BOUNDS 19 /* and one bucket above them */

/* Compared as octets: no padding. */
struct series_key {
    uint32_t cluster_block, endpoint_block; /* telemetry/blocks.h */
    uint32_t flags;                         /* enum response_flag */
    uint16_t code;
    uint8_t protocol; /* enum series_protocol */
    int8_t grpc;      /* gRPC status, or -1 */
};

enum series_protocol { SERIES_HTTP, SERIES_GRPC, SERIES_OTHER };

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BOUNDS + 1]; /* each for itself, not added up */
    _Atomic uint64_t sum;                           /* octets, or nanoseconds */
};

enum series_histogram {
    SERIES_DURATION,
    SERIES_REQUEST_BYTES,
    SERIES_RESPONSE_BYTES,
    SERIES_HISTOGRAMS
};

struct series {
    struct series_key key;
    _Atomic uint64_t requests;
    _Atomic uint64_t request_messages, response_messages; /* gRPC */
    struct histogram histograms[SERIES_HISTOGRAMS];
    struct series *peer; /* the merger's (telemetry/merge.h); the worker leaves it alone */
};

#define SERIES_PER_CHUNK 64
#define SERIES_CHUNKS (SERIES_BUDGET / SERIES_PER_CHUNK + 1)

struct series_table {
    _Atomic uint32_t n;
    struct series *chunks[SERIES_CHUNKS]; /* set before `n` says so */
    struct series *other;                 /* where the budget is spent; also in a chunk */
    uint32_t *index;                      /* the worker's own: number + 1; 0 is empty */
    uint32_t index_size;                  /* a power of two */
};

void series_table_init(struct series_table *t);
void series_table_fini(struct series_table *t);

/* The worker: the series of a key, made where it is new. */
struct series *series_get(struct series_table *t, const struct series_key *key);
void series_key_of(const struct record *r, struct series_key *ret);
void series_count(struct series *s, const struct record *r);

/* The scraper: rows from 0 to series_table_count() - 1. */
uint32_t series_table_count(const struct series_table *t);
struct series *series_at(const struct series_table *t, uint32_t i);

/* The upper bounds as text ("0.5", "1", ...), as `le` prints them. */
struct str histogram_bound_text(uint32_t i);

/* One writer: adds without a locked instruction. */
static inline void counter_add(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
