/*
 * telemetry/scrape - a page of numbers, piece by piece: which rows, in which order.
 *
 * Source: istio-api facts 6.1, conventions facts 4.1.
 */
#include "telemetry/scrape_int.h"

#include "codec/regex.h"
#include "live/pressure.h"
#include "telemetry/log_count.h"
#include "telemetry/metrics.h"
#include "telemetry/turns.h"

#include <stddef.h>
#include <stdlib.h>

#define STEPS_AT_ONCE 2000 /* a filter may leave out many rows */

struct scrape *scrape_new(const struct scrape_ask *ask, struct buf *error)
{
    struct regex *filter = ask->filter.n ? regex_new(ask->filter, error) : NULL;
    struct scrape *s;

    if (ask->filter.n && !filter)
        return NULL;
    s = must_alloc(sizeof(*s));
    s->form = ask->form;
    s->used_only = ask->used_only;
    s->filter = filter;
    return s;
}

void scrape_free(struct scrape *s)
{
    if (!s)
        return;
    regex_free(s->filter);
    free(s);
}

bool scrape_wants(const struct scrape *s, struct str name)
{
    return !s->filter || regex_is_partial(s->filter, name);
}

/* ---- adding up ---- */

uint64_t stat_row_sum(const struct stat_row *first, uint32_t column)
{
    int64_t sum = 0;

    for (const struct stat_row *r = first; r; r = r->peer)
        sum += atomic_load_explicit(&r->columns[column], memory_order_relaxed);
    return (uint64_t)MAX(sum, 0);
}

uint64_t series_sum(const struct series *first, size_t at)
{
    uint64_t sum = 0;

    for (const struct series *r = first; r; r = r->peer)
        sum += atomic_load_explicit((const _Atomic uint64_t *)(const void *)((const char *)r + at),
                                    memory_order_relaxed);
    return sum;
}

/* ---- the process ---- */

size_t process_lines(const struct merged_all *all, struct process_line ret[static PROCESS_LINES])
{
    struct metrics_process p;
    size_t n = 0;

    metrics_process_read(&p);
#define LINE(prometheus, envoy, text, counter, number)                                             \
    ret[n++] = (struct process_line){ prometheus, envoy, text, counter, (double)(number) }
    LINE("envoy_server_live", "server.live", "1 while serving, 0 while draining", false, p.is_live);
    LINE("envoy_server_uptime", "server.uptime", "Seconds since the start", false,
         (uint64_t)p.uptime_s);
    LINE("envoy_server_days_until_first_cert_expiring", "server.days_until_first_cert_expiring",
         "Days until the first certificate that is served expires", false, p.first_expiry_days);
    LINE("envoy_server_memory_allocated", "server.memory_allocated", "Octets in use on the heap",
         false, p.allocated);
    LINE("envoy_server_memory_heap_size", "server.memory_heap_size",
         "Octets that the heap has from the system", false, p.heap);
    LINE("process_cpu_seconds_total", NULL, "Processor time used", true, p.cpu_s);
    LINE("process_resident_memory_bytes", NULL, "Resident memory", false, p.resident);
    LINE("process_virtual_memory_bytes", NULL, "Address space", false, p.virtual);
    LINE("process_start_time_seconds", NULL, "Start, seconds since 1970", false, p.start_s);
    LINE("process_open_fds", NULL, "Open descriptors", false, p.open_files);
    LINE("process_max_fds", NULL, "Descriptors that may be open", false, p.max_files);
    LINE("process_threads", NULL, "Threads", false, p.threads);
    LINE("lateen_access_log_lines_total", "access_log.lines", "Access log lines written", true,
         log_lines_written());
    LINE("lateen_access_log_dropped_total", "access_log.dropped",
         "Access log lines dropped: the writer lagged or the file could not be written", true,
         log_lines_dropped());
    LINE("lateen_overload_memory_limit_bytes", "overload.memory_limit",
         "Memory that the process may have, 0 without a limit", false,
         atomic_load_explicit(&live_pressure_now.limit, memory_order_relaxed));
    LINE("lateen_overload_memory_used_bytes", "overload.memory_used",
         "Memory that counts against the limit", false,
         atomic_load_explicit(&live_pressure_now.used, memory_order_relaxed));
    LINE("lateen_overload_level", "overload.level",
         "0; 1 connections are not kept; 2 requests are refused; 3 they are reset", false,
         live_pressure());
    LINE("lateen_overload_workers_behind", "overload.workers_behind",
         "Workers that cannot keep up with what comes", false, live_workers_behind_count());
    LINE("lateen_metrics_series", "metrics.series",
         "Sets of labels of Istio's series that are kept", false, all->series.n);
    LINE("lateen_metrics_series_max", "metrics.series_max", "How many are kept at most", false,
         SERIES_BUDGET);
    LINE("lateen_metrics_beyond_budget_total", "metrics.beyond_budget",
         "Requests counted under __other__ because no further set of labels is kept", true,
         series_sum(all->other, offsetof(struct series, requests)));
#undef LINE
    MUST(n <= PROCESS_LINES);
    return n;
}

static void process_add(struct scrape *s, const struct merged_all *all, struct buf *out)
{
    struct process_line lines[PROCESS_LINES] = { 0 };
    size_t n = process_lines(all, lines);
    bool prometheus = s->form == SCRAPE_TEXT || s->form == SCRAPE_OPENMETRICS;

    for (size_t i = 0; i < n; i++) {
        const char *name = prometheus ? lines[i].name : lines[i].dotted;

        if (!name || !scrape_wants(s, str_of(name)) || (s->used_only && lines[i].value == 0))
            continue;
        if (prometheus)
            process_line_prometheus(out, &lines[i], s->form == SCRAPE_OPENMETRICS);
        else
            scrape_stat_add(s, out, str_of(name), lines[i].value);
    }
    if (prometheus && scrape_wants(s, STR("istio_build")))
        scrape_build_line(out, s->form == SCRAPE_OPENMETRICS);
    if (prometheus)
        turns_scrape(s, out);
    else
        turns_stats(s, out);
}

/* ---- steps ---- */

/* All rows are taken in: this page shows what there is now. */
static void rows_begin(struct scrape *s, const struct merged_all *all)
{
    s->phase = SCRAPE_ROWS;
    s->epoch = all->epoch;
    s->series_n = all->series.n;
    s->other = all->other;
    for (size_t i = 0; i < OWNER_KINDS; i++)
        s->owner_n[i] = all->owners[i].n;
}

static void rows_add(struct scrape *s, const struct merged_all *all, struct buf *out)
{
    size_t end = out->n + SCRAPE_PIECE;
    bool prometheus = s->form == SCRAPE_TEXT || s->form == SCRAPE_OPENMETRICS;
    bool more = s->epoch == all->epoch; /* else the rows went with their worker */

    for (size_t i = 0; more && i < STEPS_AT_ONCE && out->n < end; i++)
        more = prometheus ? scrape_prometheus_step(s, all, out) : scrape_stats_step(s, all, out);
    if (!more)
        s->phase = SCRAPE_PROCESS;
}

static void page_begin(const struct scrape *s, struct buf *out)
{
    if (s->form == SCRAPE_STATS_JSON)
        buf_add(out, STR("{\"stats\":["));
}

static void page_end(const struct scrape *s, struct buf *out)
{
    if (s->form == SCRAPE_STATS_JSON)
        buf_add(out, STR("]}\n"));
    else if (s->form == SCRAPE_OPENMETRICS)
        buf_add(out, STR("# EOF\n"));
}

bool scrape_more(struct scrape *s, struct buf *out)
{
    bool all_in;
    const struct merged_all *all = merge_begin(&all_in);

    if (s->phase == SCRAPE_TAKE_IN && all_in) {
        rows_begin(s, all);
        page_begin(s, out);
    } else if (s->phase == SCRAPE_ROWS) {
        rows_add(s, all, out);
    } else if (s->phase == SCRAPE_PROCESS) {
        process_add(s, all, out);
        page_end(s, out);
        s->phase = SCRAPE_DONE;
    }
    merge_end();
    return s->phase != SCRAPE_DONE;
}
