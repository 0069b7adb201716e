/*
 * telemetry/scrape - all workers' numbers added up and printed: Prometheus text 0.0.4,
 * OpenMetrics 1.0, and Envoy's own "name: value" lines.
 *
 * Series stay known from scrape to scrape with their labels rendered once. One scrape at a
 * time. Source: istio-api facts 6.1, conventions facts 4.1.
 */
#include "telemetry/blocks.h"
#include "telemetry/flags.h"
#include "telemetry/log_count.h"
#include "telemetry/log_value.h"
#include "telemetry/metrics.h"

#include <pthread.h>

#define LABELS_MAX (1 << 18)

/* One of Istio's series, summed over the workers. */
struct merged {
    struct series_key key;
    struct str labels; /* without braces */
    uint64_t requests;
    uint64_t buckets[SERIES_HISTOGRAMS][HISTOGRAM_BOUNDS + 1];
    uint64_t sums[SERIES_HISTOGRAMS];
};

/* One owner's stats, summed over the workers. */
struct owner {
    uint8_t owner;
    struct str name, escaped;
    int64_t columns[STAT_COLUMNS];
};

static struct {
    pthread_mutex_t lock; /* of all below: one scrape at a time */
    struct arena arena;
    bool begun;
    struct str source; /* `reporter="source",source_workload=...` */
    struct map by_key;
    struct merged **merged;
    size_t merged_count, merged_cap;
    struct merged *other;
    struct map by_owner[OWNER_KINDS];
    struct owner **owners;
    size_t owner_count, owner_cap;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- who we are ---- */

static void source_render(const struct metrics_source *s)
{
    struct buf text;

    buf_init(&text, LABELS_MAX);
    buf_add(&text, STR("reporter=\"source\""));
    label_add(&text, "source_workload", s->workload);
    label_add(&text, "source_workload_namespace", s->namespace);
    label_add(&text, "source_principal", s->principal);
    label_add(&text, "source_app", s->app);
    label_add(&text, "source_version", s->version);
    label_add(&text, "source_canonical_service", s->canonical_service);
    label_add(&text, "source_canonical_revision", s->canonical_revision);
    label_add(&text, "source_cluster", s->cluster);
    all.source = arena_dup(&all.arena, buf_str(&text));
    buf_fini(&text);
}

static void all_begin(void)
{
    if (all.begun)
        return;
    all.begun = true;
    arena_init(&all.arena, 1 << 16);
    source_render(&(struct metrics_source){ 0 });
}

void metrics_set_source(const struct metrics_source *source)
{
    pthread_mutex_lock(&all.lock);
    all_begin();
    source_render(source);
    pthread_mutex_unlock(&all.lock);
}

/* ---- adding up ---- */

static struct str number_text(int64_t v, char room[static 24])
{
    return str_make(room, log_number_format(v, room));
}

static void key_render(struct buf *text, const struct series_key *k)
{
    char room[FLAGS_TEXT_MAX];

    buf_add(text, block_text(BLOCK_ENDPOINT, k->endpoint_block));
    buf_add(text, block_text(BLOCK_CLUSTER, k->cluster_block));
    label_add(text, "request_protocol", k->protocol == SERIES_GRPC ? STR("grpc") : STR("http"));
    label_add(text, "response_code", number_text(k->code, room));
    if (k->grpc != GRPC_STATUS_NONE)
        label_add(text, "grpc_response_status", number_text(k->grpc, room));
    label_add(text, "response_flags", flags_format(k->flags, room));
}

/* What stands for all series beyond the budget. */
static void other_render(struct buf *text)
{
    static const char *const names[] = {
        "destination_workload",
        "destination_workload_namespace",
        "destination_service",
        "destination_service_name",
        "destination_service_namespace",
        "request_protocol",
        "response_code",
        "response_flags",
    };

    for (size_t i = 0; i < LEN(names); i++)
        label_add(text, names[i], STR("__other__"));
}

static struct merged *merged_new(const struct series_key *key)
{
    struct merged *m = ARENA_NEW(&all.arena, struct merged);
    struct buf text;

    m->key = *key;
    buf_init(&text, LABELS_MAX);
    buf_add(&text, all.source);
    if (key->protocol == SERIES_OTHER)
        other_render(&text);
    else
        key_render(&text, key);
    label_add(&text, "connection_security_policy", STR_NONE); /* the client side: "unknown" */
    m->labels = arena_dup(&all.arena, buf_str(&text));
    buf_fini(&text);
    all.merged = arena_grow(&all.arena, all.merged, all.merged_count, &all.merged_cap,
                            sizeof(struct merged *));
    all.merged[all.merged_count++] = m;
    map_put(&all.by_key, str_make((const char *)&m->key, sizeof(m->key)), m);
    return m;
}

/* Workers have a budget each; here it holds for the process. What was printed once stays. */
static struct merged *merged_of(const struct series_key *key)
{
    static const struct series_key other = { .protocol = SERIES_OTHER, .grpc = GRPC_STATUS_NONE };
    struct merged *m = map_get(&all.by_key, str_make((const char *)key, sizeof(*key)));

    if (m)
        return m;
    if (key->protocol != SERIES_OTHER && all.merged_count - (all.other != NULL) < SERIES_BUDGET)
        return merged_new(key);
    if (!all.other)
        all.other = merged_new(&other);
    return all.other;
}

static uint64_t counter_read(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

static void merged_add(struct merged *m, const struct series *s)
{
    m->requests += counter_read(&s->requests);
    for (size_t h = 0; h < SERIES_HISTOGRAMS; h++) {
        for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
            m->buckets[h][i] += counter_read(&s->histograms[h].buckets[i]);
        m->sums[h] += counter_read(&s->histograms[h].sum);
    }
}

static struct owner *owner_of(const struct stat_row *r)
{
    struct owner *o = map_get(&all.by_owner[r->owner], r->name);
    struct buf text;

    if (o)
        return o;
    o = ARENA_NEW(&all.arena, struct owner);
    o->owner = r->owner;
    o->name = arena_dup(&all.arena, r->name);
    buf_init(&text, LABELS_MAX);
    label_value_add(&text, o->name);
    o->escaped = arena_dup(&all.arena, buf_str(&text));
    buf_fini(&text);
    all.owners = arena_grow(&all.arena, all.owners, all.owner_count, &all.owner_cap,
                            sizeof(struct owner *));
    all.owners[all.owner_count++] = o;
    map_put(&all.by_owner[r->owner], o->name, o);
    return o;
}

static void owner_add(struct owner *o, const struct stat_row *r)
{
    for (size_t i = 0; i < STAT_COLUMNS; i++)
        o->columns[i] += atomic_load_explicit(&r->columns[i], memory_order_relaxed);
}

static void see_worker(const struct metrics *m, void *arg)
{
    uint32_t series = series_table_count(&m->series), rows = stat_table_count(&m->stats);

    (void)arg;
    for (uint32_t i = 0; i < series; i++) {
        const struct series *s = series_at(&m->series, i);

        merged_add(merged_of(&s->key), s);
    }
    for (uint32_t i = 0; i < rows; i++) {
        const struct stat_row *r = stat_row_at(&m->stats, i);

        owner_add(owner_of(r), r);
    }
}

static void gather(void)
{
    all_begin();
    for (size_t i = 0; i < all.merged_count; i++) {
        struct merged *m = all.merged[i];

        m->requests = 0;
        memset(m->buckets, 0, sizeof(m->buckets));
        memset(m->sums, 0, sizeof(m->sums));
    }
    for (size_t i = 0; i < all.owner_count; i++)
        memset(all.owners[i]->columns, 0, sizeof(all.owners[i]->columns));
    metrics_each(see_worker, NULL);
}

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

    buf_add(out, number_text((int64_t)v, room));
}

static void requests_add(struct buf *out, bool openmetrics)
{
    family_add(out, "istio_requests_total", "Requests answered", FAMILY_COUNTER, openmetrics);
    for (size_t i = 0; i < all.merged_count; i++) {
        buf_add(out, STR("istio_requests_total{"));
        buf_add(out, all.merged[i]->labels);
        buf_add(out, STR("} "));
        number_add(out, all.merged[i]->requests);
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

static void histograms_add(struct buf *out, bool openmetrics)
{
    for (size_t h = 0; h < SERIES_HISTOGRAMS; h++) {
        family_add(out, histogram_names[h].name, histogram_names[h].help, FAMILY_HISTOGRAM,
                   openmetrics);
        for (size_t i = 0; i < all.merged_count; i++)
            histogram_add(out, all.merged[i], h);
    }
}

/* Gauges are sums of deltas that workers publish one by one: for a moment below zero. */
static uint64_t column_of(const struct owner *o, const struct stat_line *l)
{
    return (uint64_t)MAX(o->columns[l->column], 0);
}

static void stat_line_add(struct buf *out, const struct stat_line *l)
{
    for (size_t i = 0; i < all.owner_count; i++) {
        const struct owner *o = all.owners[i];

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

static void stats_add(struct buf *out, bool openmetrics)
{
    const char *last = "";

    for (size_t i = 0; i < stat_line_count; i++) {
        const struct stat_line *l = &stat_lines[i];

        if (strcmp(l->name, last) != 0)
            family_add(out, l->name, l->help, l->is_gauge ? FAMILY_GAUGE : FAMILY_COUNTER,
                       openmetrics);
        last = l->name;
        stat_line_add(out, l);
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

static void process_add(struct buf *out, bool openmetrics)
{
    struct process_line lines[PROCESS_LINES];
    size_t n = process_lines(lines);

    for (size_t i = 0; i < n; i++) {
        family_add(out, lines[i].name, lines[i].help,
                   lines[i].is_counter ? FAMILY_COUNTER : FAMILY_GAUGE, openmetrics);
        buf_printf(out, "%s %.17g\n", lines[i].name, lines[i].value);
    }
    family_add(out, "istio_build", "Which program this is", FAMILY_GAUGE, openmetrics);
    buf_add(out, STR("istio_build{component=\"proxy\",tag=\"" LATEEN_VERSION "\"} 1\n"));
}

void metrics_scrape(struct buf *out, bool openmetrics)
{
    pthread_mutex_lock(&all.lock);
    gather();
    requests_add(out, openmetrics);
    histograms_add(out, openmetrics);
    stats_add(out, openmetrics);
    process_add(out, openmetrics);
    pthread_mutex_unlock(&all.lock);
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

void metrics_stats_text(struct buf *out)
{
    struct process_line lines[PROCESS_LINES];
    size_t n = process_lines(lines);

    pthread_mutex_lock(&all.lock);
    gather();
    for (size_t o = 0; o < all.owner_count; o++) {
        for (size_t i = 0; i < stat_line_count; i++) {
            if (stat_lines[i].owner != all.owners[o]->owner || !stat_lines[i].dotted)
                continue;
            dotted_add(out, stat_lines[i].dotted, all.owners[o]->name);
            buf_add(out, STR(": "));
            number_add(out, column_of(all.owners[o], &stat_lines[i]));
            buf_addc(out, '\n');
        }
    }
    pthread_mutex_unlock(&all.lock);
    for (size_t i = 0; i < n; i++) {
        if (lines[i].dotted)
            buf_printf(out, "%s: %.17g\n", lines[i].dotted, lines[i].value);
    }
}
