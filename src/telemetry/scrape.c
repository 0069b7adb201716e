/*
 * telemetry/scrape - what all workers counted, printed: Prometheus text 0.0.4, OpenMetrics
 * 1.0, and Envoy's own "name: value" lines.
 *
 * Source: istio-api facts 6.1, conventions facts 4.1.
 */
#include "telemetry/log_count.h"
#include "telemetry/log_value.h"
#include "telemetry/merge.h"
#include "telemetry/metrics.h"
#include "telemetry/turns.h"

/* ---- printing ---- */

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM };

/* OpenMetrics wants counters to end in _total and names the family without it; Envoy's names
 * stay as they are, so their type is "unknown" there. */
static void family_add(struct buf *out, const char *name, const char *help, enum family_type type,
                       bool openmetrics)
{
    static const struct str names[] = { STR_INIT("counter"), STR_INIT("gauge"),
                                        STR_INIT("histogram") };
    struct str family = str_of(name), type_name = names[type];

    if (openmetrics && type == FAMILY_COUNTER) {
        if (str_ends(family, STR("_total")))
            family.n -= 6;
        else
            type_name = STR("unknown");
    }
    buf_printf(out, "# HELP %.*s %s.\n# TYPE %.*s %.*s\n", STRF(family), help, STRF(family),
               STRF(type_name));
}

static void number_add(struct buf *out, uint64_t v)
{
    char room[24];

    buf_add(out, str_make(room, log_number_format((int64_t)v, room)));
}

static void requests_add(struct buf *out, const struct merged_all *all, bool openmetrics)
{
    family_add(out, "istio_requests_total", "Requests answered", FAMILY_COUNTER, openmetrics);
    for (size_t i = 0; i < all->series_n; i++) {
        buf_add(out, STR("istio_requests_total{"));
        buf_add(out, all->series[i]->labels);
        buf_add(out, STR("} "));
        number_add(out, all->series[i]->requests);
        buf_addc(out, '\n');
    }
}

static const struct {
    const char *name, *help;
} histogram_names[SERIES_HISTOGRAMS] = {
    [SERIES_DURATION] = { "istio_request_duration_milliseconds",
                          "From the first octet of the request to the last of the response" },
    [SERIES_REQUEST_BYTES] = { "istio_request_bytes", "Octets of request bodies" },
    [SERIES_RESPONSE_BYTES] = { "istio_response_bytes", "Octets of response bodies" },
};

static void sample_begin(struct buf *out, struct str name, struct str suffix, struct str labels)
{
    buf_add(out, name);
    buf_add(out, suffix);
    buf_addc(out, '{');
    buf_add(out, labels);
}

static void histogram_add(struct buf *out, const struct merged *m, size_t h)
{
    struct str name = str_of(histogram_names[h].name);
    uint64_t below = 0, us = m->sums[h] / 1000;

    for (uint32_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
        below += m->buckets[h][i];
        sample_begin(out, name, STR("_bucket"), m->labels);
        buf_add(out, STR(",le=\""));
        buf_add(out, histogram_bound_text(i));
        buf_add(out, STR("\"} "));
        number_add(out, below);
        buf_addc(out, '\n');
    }
    sample_begin(out, name, STR("_sum"), m->labels);
    if (h == SERIES_DURATION)
        buf_printf(out, "} %llu.%03llu\n", (unsigned long long)us / 1000,
                   (unsigned long long)us % 1000);
    else
        buf_printf(out, "} %llu\n", (unsigned long long)m->sums[h]);
    sample_begin(out, name, STR("_count"), m->labels);
    buf_add(out, STR("} "));
    number_add(out, below);
    buf_addc(out, '\n');
}

static void histograms_add(struct buf *out, const struct merged_all *all, bool openmetrics)
{
    for (size_t h = 0; h < SERIES_HISTOGRAMS; h++) {
        family_add(out, histogram_names[h].name, histogram_names[h].help, FAMILY_HISTOGRAM,
                   openmetrics);
        for (size_t i = 0; i < all->series_n; i++)
            histogram_add(out, all->series[i], h);
    }
}

/* Gauges are sums of deltas that workers publish one by one: for a moment below zero. */
static uint64_t column_of(const struct merged_owner *o, const struct stat_line *l)
{
    return (uint64_t)MAX(o->columns[l->column], 0);
}

static void stat_line_add(struct buf *out, const struct merged_all *all, const struct stat_line *l)
{
    for (size_t i = 0; i < all->owner_n; i++) {
        const struct merged_owner *o = all->owners[i];

        if (o->owner != l->owner)
            continue;
        buf_add(out, str_of(l->name));
        buf_printf(out, "{%s=\"%s", l->label, l->prefix);
        buf_add(out, o->escaped);
        buf_addc(out, '"');
        buf_add(out, str_of(l->extra));
        buf_add(out, STR("} "));
        number_add(out, column_of(o, l));
        buf_addc(out, '\n');
    }
}

static void stats_add(struct buf *out, const struct merged_all *all, bool openmetrics)
{
    const char *last = "";

    for (size_t i = 0; i < stat_line_count; i++) {
        const struct stat_line *l = &stat_lines[i];

        if (strcmp(l->name, last) != 0)
            family_add(out, l->name, l->help, l->is_gauge ? FAMILY_GAUGE : FAMILY_COUNTER,
                       openmetrics);
        last = l->name;
        stat_line_add(out, all, l);
    }
}

/* ---- the process ---- */

struct process_line {
    const char *name, *dotted, *help;
    bool is_counter;
    double value;
};

#define PROCESS_LINES 14

static size_t process_lines(struct process_line lines[static PROCESS_LINES])
{
    struct metrics_process p;
    size_t n = 0;

    metrics_process_read(&p);
#define LINE(prometheus, envoy, text, counter, number)                                             \
    lines[n++] = (struct process_line){ prometheus, envoy, text, counter, (double)(number) }
    LINE("envoy_server_live", "server.live", "1 while serving, 0 while draining", false, p.is_live);
    LINE("envoy_server_uptime", "server.uptime", "Seconds since the start", false,
         (uint64_t)p.uptime_s);
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
#undef LINE
    MUST(n <= PROCESS_LINES);
    return n;
}

static void value_add(struct buf *out, const char *name, const char *sep, double value)
{
    buf_add(out, str_of(name));
    buf_add(out, str_of(sep));
    buf_printf(out, "%.15g\n", value);
}

static void process_add(struct buf *out, bool openmetrics)
{
    struct process_line lines[PROCESS_LINES] = { 0 };
    size_t n = process_lines(lines);

    for (size_t i = 0; i < n; i++) {
        family_add(out, lines[i].name, lines[i].help,
                   lines[i].is_counter ? FAMILY_COUNTER : FAMILY_GAUGE, openmetrics);
        value_add(out, lines[i].name, " ", lines[i].value);
    }
    family_add(out, "istio_build", "Which program this is", FAMILY_GAUGE, openmetrics);
    buf_add(out, STR("istio_build{component=\"proxy\",tag=\"" LATEEN_VERSION "\"} 1\n"));
}

void metrics_scrape(struct buf *out, bool openmetrics)
{
    const struct merged_all *all = merge_begin();

    requests_add(out, all, openmetrics);
    histograms_add(out, all, openmetrics);
    stats_add(out, all, openmetrics);
    merge_end();
    process_add(out, openmetrics);
    turns_scrape(out);
    if (openmetrics)
        buf_add(out, STR("# EOF\n"));
}

/* ---- "name: value" ---- */

/* The owner's name stands for each "$"; what could break the line is escaped. */
static void dotted_add(struct buf *out, const char *dotted, struct str owner)
{
    for (; *dotted; dotted++) {
        if (*dotted == '$')
            log_escape_add(out, owner, LOG_STYLE_TEXT);
        else
            buf_addc(out, *dotted);
    }
}

static void owner_dotted_add(struct buf *out, const struct merged_owner *o)
{
    for (size_t i = 0; i < stat_line_count; i++) {
        const struct stat_line *l = &stat_lines[i];

        if (l->owner != o->owner || !l->dotted)
            continue;
        dotted_add(out, l->dotted, o->name);
        buf_add(out, STR(": "));
        number_add(out, column_of(o, l));
        buf_addc(out, '\n');
    }
}

void metrics_stats_text(struct buf *out)
{
    struct process_line lines[PROCESS_LINES] = { 0 };
    const struct merged_all *all = merge_begin();
    size_t n;

    for (size_t i = 0; i < all->owner_n; i++)
        owner_dotted_add(out, all->owners[i]);
    merge_end();
    n = process_lines(lines);
    for (size_t i = 0; i < n; i++) {
        if (lines[i].dotted)
            value_add(out, lines[i].dotted, ": ", lines[i].value);
    }
    turns_text(out);
}
