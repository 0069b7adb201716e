/*
 * telemetry/scrape_prometheus - rows as Prometheus text 0.0.4 and OpenMetrics 1.0.
 *
 * The families: counters, the histograms, then a line of telemetry/stats.c each.
 */
#include "telemetry/scrape_int.h"

#include "telemetry/blocks.h"
#include "telemetry/flags.h"
#include "telemetry/log_value.h"

#include <stddef.h>

#define LABELS_MAX (1 << 18)

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

static struct str number_text(uint64_t v, char room[static 24])
{
    return str_make(room, (size_t)(log_number_put(room, v) - room));
}

static void number_add(struct buf *out, uint64_t v)
{
    char room[24];

    buf_add(out, number_text(v, room));
}

/* ---- labels of Istio's series ---- */

static void key_render(struct buf *text, const struct series_key *k)
{
    char room[FLAGS_TEXT_MAX];

    buf_add(text, block_text(BLOCK_ENDPOINT, k->endpoint_block));
    buf_add(text, block_text(BLOCK_CLUSTER, k->cluster_block));
    label_add(text, "request_protocol", k->protocol == SERIES_GRPC ? STR("grpc") : STR("http"));
    label_add(text, "response_code", number_text(k->code, room));
    if (k->grpc != GRPC_STATUS_NONE)
        label_add(text, "grpc_response_status", number_text((uint64_t)k->grpc, room));
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

static void labels_render(struct buf *text, const struct series *row, const struct series *other,
                          struct str source)
{
    buf_add(text, source);
    if (row == other)
        other_render(text);
    else
        key_render(text, &row->key);
    label_add(text, "connection_security_policy", STR_NONE); /* the client side: "unknown" */
}

static void sample_begin(struct buf *out, struct str name, struct str suffix, struct str labels)
{
    buf_add(out, name);
    buf_add(out, suffix);
    buf_addc(out, '{');
    buf_add(out, labels);
}

/* ---- histograms ---- */

static const struct {
    const char *name, *help;
} histogram_names[SERIES_HISTOGRAMS] = {
    [SERIES_DURATION] = { "istio_request_duration_milliseconds", "Time from a request's first "
                                                                 "octet to its response's last" },
    [SERIES_REQUEST_BYTES] = { "istio_request_bytes", "Octets of request bodies" },
    [SERIES_RESPONSE_BYTES] = { "istio_response_bytes", "Octets of response bodies" },
};

struct histogram_sum {
    uint64_t buckets[HISTOGRAM_BOUNDS + 1], sum;
};

static void histogram_sum(const struct series *first, size_t h, struct histogram_sum *ret)
{
    *ret = (struct histogram_sum){ 0 };
    for (const struct series *r = first; r; r = r->peer) {
        for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
            ret->buckets[i] += atomic_load_explicit(&r->histograms[h].buckets[i],
                                                    memory_order_relaxed);
        ret->sum += atomic_load_explicit(&r->histograms[h].sum, memory_order_relaxed);
    }
}

static void histogram_add(struct buf *out, const struct series *row, struct str labels, size_t h)
{
    struct str name = str_of(histogram_names[h].name);
    struct histogram_sum sum;
    uint64_t below = 0, us;

    histogram_sum(row, h, &sum);
    us = sum.sum / 1000;
    for (uint32_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
        below += sum.buckets[i];
        sample_begin(out, name, STR("_bucket"), labels);
        buf_add(out, STR(",le=\""));
        buf_add(out, histogram_bound_text(i));
        buf_add(out, STR("\"} "));
        number_add(out, below);
        buf_addc(out, '\n');
    }
    sample_begin(out, name, STR("_sum"), labels);
    if (h == SERIES_DURATION)
        buf_printf(out, "} %llu.%03llu\n", (unsigned long long)us / 1000,
                   (unsigned long long)us % 1000);
    else
        buf_printf(out, "} %llu\n", (unsigned long long)sum.sum);
    sample_begin(out, name, STR("_count"), labels);
    buf_add(out, STR("} "));
    number_add(out, below);
    buf_addc(out, '\n');
}

/* ---- counters ---- */

enum { COUNT_REQUESTS, COUNT_REQUEST_MESSAGES, COUNT_RESPONSE_MESSAGES, COUNTS };

static const struct {
    const char *name, *help;
    size_t at; /* in struct series */
    bool grpc; /* of gRPC alone */
} count_names[COUNTS] = {
    [COUNT_REQUESTS] = { "istio_requests_total", "Requests answered",
                         offsetof(struct series, requests), false },
    [COUNT_REQUEST_MESSAGES] = { "istio_request_messages_total", "gRPC messages from clients",
                                 offsetof(struct series, request_messages), true },
    [COUNT_RESPONSE_MESSAGES] = { "istio_response_messages_total", "gRPC messages to clients",
                                  offsetof(struct series, response_messages), true },
};

static void count_add(struct buf *out, const struct series *row, struct str labels, size_t k)
{
    if (count_names[k].grpc && row->key.protocol == SERIES_HTTP)
        return;
    sample_begin(out, str_of(count_names[k].name), STR_NONE, labels);
    buf_add(out, STR("} "));
    number_add(out, series_sum(row, count_names[k].at));
    buf_addc(out, '\n');
}

/* ---- families ---- */

#define ISTIO_FAMILIES (COUNTS + SERIES_HISTOGRAMS)

static bool is_openmetrics(const struct scrape *s)
{
    return s->form == SCRAPE_OPENMETRICS;
}

static const struct stat_line *line_of(const struct scrape *s)
{
    return &stat_lines[s->family - ISTIO_FAMILIES];
}

static const char *family_name(const struct scrape *s)
{
    if (s->family < COUNTS)
        return count_names[s->family].name;
    return s->family < ISTIO_FAMILIES ? histogram_names[s->family - COUNTS].name : line_of(s)->name;
}

static void family_begin(const struct scrape *s, struct buf *out)
{
    const char *name = family_name(s);

    if (s->family < COUNTS)
        family_add(out, name, count_names[s->family].help, FAMILY_COUNTER, is_openmetrics(s));
    else if (s->family < ISTIO_FAMILIES)
        family_add(out, name, histogram_names[s->family - COUNTS].help, FAMILY_HISTOGRAM,
                   is_openmetrics(s));
    else if (s->family == ISTIO_FAMILIES || strcmp(line_of(s)[-1].name, name) != 0)
        family_add(out, name, line_of(s)->help,
                   line_of(s)->is_gauge ? FAMILY_GAUGE : FAMILY_COUNTER, is_openmetrics(s));
}

static size_t family_rows(const struct scrape *s)
{
    return s->family < ISTIO_FAMILIES ? s->series_n + (s->other != NULL)
                                      : s->owner_n[line_of(s)->owner];
}

static void series_add(const struct scrape *s, const struct merged_all *all, struct buf *out)
{
    const struct series *row = s->at < s->series_n ? all->series.v[s->at] : all->other;
    struct buf labels;

    buf_init(&labels, LABELS_MAX);
    labels_render(&labels, row, all->other, all->source);
    if (s->family < COUNTS)
        count_add(out, row, buf_str(&labels), s->family);
    else
        histogram_add(out, row, buf_str(&labels), s->family - COUNTS);
    buf_fini(&labels);
}

static void stat_add(const struct scrape *s, const struct merged_all *all, struct buf *out)
{
    const struct stat_line *l = line_of(s);
    const struct stat_row *row = all->owners[l->owner].v[s->at];
    uint64_t value = stat_row_sum(row, l->column);

    if ((s->used_only || l->is_sparse) && value == 0)
        return;
    buf_add(out, str_of(l->name));
    if (l->label) {
        buf_printf(out, "{%s=\"%s", l->label, l->prefix);
        label_value_add(out, row->name);
        buf_addc(out, '"');
        buf_add(out, str_of(l->extra));
        buf_addc(out, '}');
    }
    buf_addc(out, ' ');
    number_add(out, value);
    buf_addc(out, '\n');
}

bool scrape_prometheus_step(struct scrape *s, const struct merged_all *all, struct buf *out)
{
    if (s->family == ISTIO_FAMILIES + stat_line_count)
        return false;
    if (!scrape_wants(s, str_of(family_name(s)))) {
        s->family++;
        return true;
    }
    if (s->at == 0)
        family_begin(s, out);
    if (s->at == family_rows(s)) {
        s->family++;
        s->at = 0;
        return true;
    }
    if (s->family < ISTIO_FAMILIES)
        series_add(s, all, out);
    else
        stat_add(s, all, out);
    s->at++;
    return true;
}

/* ---- what has no owner ---- */

void process_line_prometheus(struct buf *out, const struct process_line *l, bool openmetrics)
{
    family_add(out, l->name, l->help, l->is_counter ? FAMILY_COUNTER : FAMILY_GAUGE, openmetrics);
    buf_printf(out, "%s %.15g\n", l->name, l->value);
}

void scrape_build_line(struct buf *out, bool openmetrics)
{
    family_add(out, "istio_build", "Which program this is", FAMILY_GAUGE, openmetrics);
    buf_add(out, STR("istio_build{component=\"proxy\",tag=\"" LATEEN_VERSION "\"} 1\n"));
}
