/*
 * telemetry/telemetry - readers of the decision record: access log and metrics.
 *
 * Per worker and without locks on the path; the log writer thread and the scraper read what
 * workers publish.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "telemetry/record.h"

/* ---- access log formats: Envoy's format strings ---- */

struct log_format;

/* Istio's default text when `format` is empty. NULL with a text for people (arena) for an
 * operator that is not known. */
struct log_format *log_format_parse(struct str format, bool json, struct arena *arena,
                                    struct str *reterr);
/* Appends one line with its newline. */
void log_format_write(const struct log_format *f, const struct record *r, struct buf *out);

/* ---- the log writer: one thread a program, batches, never blocks a worker ---- */

struct access_log;

/* `path`: a file, or /dev/stdout. Opens it and starts the thread. */
struct access_log *access_log_open(struct str path, const struct log_format *take_format,
                                   enum err *reterr);
void access_log_close(struct access_log *log);  /* writes what waits; takes NULL */
void access_log_reopen(struct access_log *log); /* SIGUSR1; any thread */
uint64_t access_log_dropped(const struct access_log *log);

/* A worker's end of it. Lines gather in a buffer that log_sink_flush hands to the thread:
 * at the end of a turn when it is large or 100 ms old (the caller flushes on idle). */
struct log_writer_end;
struct log_writer_end *log_end_new(struct access_log *log); /* log may be NULL: no logging */
void log_end_free(struct log_writer_end *e);
void log_end_add(struct log_writer_end *e, const struct record *r);
void log_end_flush(struct log_writer_end *e);

/* ---- metrics ---- */

/* Plain per-worker counters and gauges with Envoy's names: one row each in telemetry/stats.c
 * (name, type, help, labels). Workers add with relaxed stores, the scraper sums. */
enum stat_id {
    STAT_DOWNSTREAM_CX_TOTAL,
    STAT_DOWNSTREAM_CX_ACTIVE,
    STAT_DOWNSTREAM_RQ_TOTAL,
    STAT_DOWNSTREAM_RQ_ACTIVE,
    STAT_DOWNSTREAM_RQ_TIMEOUT,
    STAT_DOWNSTREAM_PROTOCOL_ERROR,
    STAT_TLS_HANDSHAKE,
    STAT_TLS_ERROR,
    STAT_UPSTREAM_CX_TOTAL,
    STAT_UPSTREAM_CX_ACTIVE,
    STAT_UPSTREAM_CX_CONNECT_FAIL,
    STAT_UPSTREAM_RQ_TOTAL,
    STAT_UPSTREAM_RQ_RETRY,
    STAT_IDLE_RACE_RECOVERED,
    STAT_ACCEPT_REFUSED,
    STAT_COUNT
};

struct metrics;                    /* of one worker */
struct metrics *metrics_new(void); /* registers itself for scrapes */
void metrics_free(struct metrics *m);
void metrics_stat(struct metrics *m, enum stat_id id, int64_t delta);
/* Counts a finished request: istio_requests_total, durations, sizes; envoy_cluster_* and
 * listener series by their names. */
void metrics_request(struct metrics *m, const struct record *r);

/* The label-block id of a cluster's or endpoint's labels, interned for the life of the
 * process (design 5.12). Compiler thread. 0 is "all unknown". */
uint32_t metrics_block_of_cluster(const struct cluster *c);
uint32_t metrics_block_of_endpoint(const struct endpoint *e);

/* Prometheus text of all workers and of the process. Any thread but a worker's. */
void metrics_scrape(struct buf *out, bool openmetrics);
