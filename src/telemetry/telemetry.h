/*
 * telemetry/telemetry - readers of the decision record: access log and metrics.
 *
 * Per worker and without locks on the path; the log writer thread and the scraper read what
 * workers publish.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/h2/error.h"
#include "telemetry/record.h"

/* ---- access log formats: Envoy's format strings ---- */

struct log_format;

/* Istio's default, text or JSON, when `format` is empty. With `json` a format is an object of
 * names and format strings, as Envoy's json_format. NULL with a text for people (arena) for an
 * operator that is not known or not built. The format lives in the arena, its strings too. */
struct log_format *log_format_parse(struct str format, bool json, struct arena *arena,
                                    struct str *reterr);
/* Appends one line with its newline; where it does not fit, out->full is set and what was
 * written of it must be cut off. Strangers' octets that could break a line are escaped. */
void log_format_write(const struct log_format *f, const struct record *r, struct buf *out);

/* ---- the log writer: one thread a program, batches, never blocks a worker ---- */

struct access_log;

/* `path`: a file, /dev/stdout or /dev/stderr. Opens it and starts the thread. The format is
 * borrowed until access_log_close. */
struct access_log *access_log_open(struct str path, const struct log_format *format,
                                   enum err *reterr);
/* Writes what waits, two seconds at most where the reader is stuck; all ends must be freed
 * before. Takes NULL. */
void access_log_close(struct access_log *log);
void access_log_reopen(struct access_log *log);            /* SIGUSR1; any thread */
uint64_t access_log_dropped(const struct access_log *log); /* lines: lagging, or not writable */

/* A worker's end of it. Lines gather in a buffer that goes to the thread when it is large, and
 * by log_end_turn at the end of a turn when it is 100 ms old. */
struct log_writer_end;
struct log_writer_end *log_end_new(struct access_log *log); /* log may be NULL: no logging */
void log_end_free(struct log_writer_end *e);                /* hands over what waits; takes NULL */
void log_end_add(struct log_writer_end *e, const struct record *r);
void log_end_flush(struct log_writer_end *e); /* now */
/* To be called before the loop waits. Returns in how many ms it wants to be called again, 0
 * when nothing waits. */
uint32_t log_end_turn(struct log_writer_end *e, uint64_t now_ms);

/* ---- metrics ---- */

/* Plain per-worker counters and gauges with Envoy's names: one row each in telemetry/stats.c
 * (name, type, help, whose). Workers add with relaxed stores, the scraper sums. */
enum stat_id {
    STAT_DOWNSTREAM_CX_TOTAL,
    STAT_DOWNSTREAM_CX_ACTIVE,
    STAT_DOWNSTREAM_RQ_TOTAL,
    STAT_DOWNSTREAM_RQ_ACTIVE,
    STAT_DOWNSTREAM_RQ_TIMEOUT,
    STAT_DOWNSTREAM_RQ_OVERLOAD,
    STAT_DOWNSTREAM_PROTOCOL_ERROR,
    STAT_FAULT_DELAYS,
    STAT_FAULT_ABORTS,
    STAT_TLS_HANDSHAKE,
    STAT_TLS_ERROR,
    STAT_UPSTREAM_CX_TOTAL,
    STAT_UPSTREAM_CX_ACTIVE,
    STAT_UPSTREAM_CX_CONNECT_FAIL,
    STAT_UPSTREAM_RQ_TOTAL, /* counted by metrics_request, from record.attempts */
    STAT_UPSTREAM_RQ_RETRY,
    /* at a cluster's finite limits */
    STAT_UPSTREAM_CX_OVERFLOW,
    STAT_UPSTREAM_RQ_PENDING_TOTAL,
    STAT_UPSTREAM_RQ_PENDING_ACTIVE,
    STAT_UPSTREAM_RQ_PENDING_OVERFLOW,
    STAT_UPSTREAM_RQ_RETRY_OVERFLOW,
    STAT_IDLE_RACE_RECOVERED,
    STAT_ACCEPT_REFUSED,
    STAT_ALL_REFUSED,
    STAT_OVERLOAD_REFUSED,
    STAT_ADDRESS_REFUSED,
    STAT_UPSTREAM_PROTOCOL_ERROR,
    STAT_H2_FIRST, /* by enum h2_count; of the process, and of a cluster */
    STAT_H2_END = STAT_H2_FIRST + H2_COUNT_ENDED,
    STAT_COUNT = STAT_H2_END
};

struct metrics;                    /* of one worker */
struct metrics *metrics_new(void); /* registers itself for scrapes */
void metrics_free(struct metrics *m);
/* For the listener of a downstream stat, the cluster of an upstream stat; NULL where it is
 * not known ("unknown"). The part may be freed after the call. */
/* The counters of an owner, for whoever counts there often; good as long as `m`. */
struct stat_row;
struct stat_row *metrics_listener_row(struct metrics *m, const struct listener *l);
struct stat_row *metrics_cluster_row(struct metrics *m, const struct cluster *c);
void metrics_row_stat(struct stat_row *r, enum stat_id id, int64_t delta);
void metrics_listener_stat(struct metrics *m, const struct listener *l, enum stat_id id,
                           int64_t delta);
void metrics_cluster_stat(struct metrics *m, const struct cluster *c, enum stat_id id,
                          int64_t delta);
/* The same with NULL, or for the stats of the whole process. */
void metrics_stat(struct metrics *m, enum stat_id id, int64_t delta);
/* What HTTP/2 counted of a client's connection, of a cluster's. */
void metrics_listener_h2(struct metrics *m, const struct listener *l,
                         const uint32_t counts[static H2_COUNTS]);
void metrics_cluster_h2(struct metrics *m, const struct cluster *c,
                        const uint32_t counts[static H2_COUNTS]);
/* Counts a finished request: istio_requests_total, durations, sizes; envoy_cluster_* and
 * listener series by their names. */
void metrics_request(struct metrics *m, const struct record *r);

/* The label-block id of a cluster's or endpoint's labels, interned for the life of the
 * process (design 5.12). 0 is "all unknown". Any thread, with a lock: for part_hooks. */
uint32_t metrics_block_of_cluster(const struct cluster *c);
uint32_t metrics_block_of_endpoint(const struct endpoint *e);

/* The gateway's own side of Istio's labels; empty prints as "unknown". Copied. To be called
 * once, before the first scrape. */
struct metrics_source {
    struct str workload, namespace, principal, app, version;
    struct str canonical_service, canonical_revision, cluster;
};
void metrics_set_source(const struct metrics_source *source);

/* The gauge envoy_server_live: false while draining. Any thread. */
void metrics_set_live(bool live);
/* When the first certificate that is served expires, in ms since 1970; 0: none is served. */
void metrics_set_first_expiry(int64_t ms);

/* One page of all workers' numbers and the process's, under way: it is made in pieces, each a
 * small part of a turn and of the whole, so nobody holds a page of hundreds of megabytes. */
struct scrape;
enum scrape_form {
    SCRAPE_TEXT,        /* Prometheus text 0.0.4 */
    SCRAPE_OPENMETRICS, /* OpenMetrics 1.0 */
    SCRAPE_STATS,       /* Envoy's own names, one "name: value" a line: the page /stats */
    SCRAPE_STATS_JSON   /* the same as Envoy's JSON */
};
struct scrape_ask {
    uint8_t form;      /* enum scrape_form */
    bool used_only;    /* leaves out what is 0 */
    struct str filter; /* a regex that some part of the name must match; empty: all */
};

/* NULL with a text for people: the filter is no regex. */
struct scrape *scrape_new(const struct scrape_ask *ask, struct buf *error);
/* Appends the next piece, SCRAPE_PIECE octets and one row's more at most, or nothing; other
 * scrapers wait meanwhile. False: that was all. Any thread but a worker's. */
#define SCRAPE_PIECE (32 * 1024)
MUST_USE bool scrape_more(struct scrape *s, struct buf *out);
void scrape_free(struct scrape *s); /* takes NULL; at any time */
