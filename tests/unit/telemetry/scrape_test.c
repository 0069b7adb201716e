/*
 * A page of numbers is made in pieces, shows what boards read, and does not grow beyond its
 * budget.
 */
#include "unit/telemetry/sample.h"

#include "telemetry/series.h"
#include "unit/check.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

static struct buf page;
static struct arena arena;

static void begin(void)
{
    arena_init(&arena, 1 << 16);
    buf_init(&page, 1 << 30);
}

static void end(void)
{
    buf_fini(&page);
    arena_fini(&arena);
}

static bool has(struct str text, const char *what)
{
    return str_find_str(text, str_of(what)) < text.n;
}

/* The service `i` of many, as a reload makes it: a part of its own with the same content. */
static void service_init(struct cluster *c, uint32_t i)
{
    struct str host = arena_printf(&arena, "app-%u.ns.svc.cluster.local", i);

    *c = (struct cluster){ .part.name = arena_printf(&arena, "outbound|80||%.*s", STRF(host)),
                           .service = { host, str_sub(host, 0, str_find(host, '.')), STR("ns") } };
    c->label_block = metrics_block_of_cluster(c);
}

static void count_services(struct metrics *m, uint32_t from, uint32_t to)
{
    struct record r;

    sample_record(&r, &arena);
    for (uint32_t i = from; i < to; i++) {
        struct cluster c;

        service_init(&c, i);
        r.cluster = &c;
        metrics_request(m, &r);
    }
}

/* Lines that begin so; `ret_sum`: of their values. */
static uint32_t lines_of(struct str text, const char *name, const char *part, uint64_t *ret_sum)
{
    uint32_t n = 0;

    *ret_sum = 0;
    while (str_is_set(text)) {
        struct str line = str_cut(&text, '\n');
        uint64_t v = 0;

        if (!str_starts(line, str_of(name)) || !has(line, part))
            continue;
        n++;
        if (str_u64(str_from(line, str_rfind(line, ' ') + 1), &v))
            *ret_sum += v;
    }
    return n;
}

TEST(twelve_thousand_sets_of_labels_are_ten_thousand_series_and_other)
{
    struct metrics *a = metrics_new(), *b = metrics_new();
    struct str text;
    uint64_t sum;

    begin();
    count_services(a, 0, 7000);
    count_services(b, 5000, 12000);
    count_services(a, 0, 5000); /* reloaded: other parts, the same labels */
    text = sample_page(&page, SCRAPE_TEXT);
    CHECK_EQ(lines_of(text, "istio_requests_total{", "", &sum), SERIES_BUDGET + 1);
    CHECK_EQ(sum, 19000);
    CHECK_EQ(lines_of(text, "istio_requests_total{", "destination_service=\"__other__\"", &sum), 1);
    CHECK_EQ(sum, 2000);
    CHECK_EQ(lines_of(text, "istio_requests_total{", "app-123.ns", &sum), 1);
    CHECK_EQ(sum, 2);
    CHECK_EQ(lines_of(text, "istio_request_bytes_count{", "", &sum), SERIES_BUDGET + 1);
    CHECK_EQ(sum, 19000);
    CHECK(has(text, "\nlateen_metrics_series 10000\n"));
    CHECK(has(text, "\nlateen_metrics_series_max 10000\n"));
    CHECK(has(text, "\nlateen_metrics_beyond_budget_total 2000\n"));
    count_services(b, 11000, 11010);
    count_services(a, 20000, 20001);
    CHECK(has(sample_page(&page, SCRAPE_TEXT), "\nlateen_metrics_beyond_budget_total 2011\n"));
    metrics_free(a);
    metrics_free(b);
    end();
}

static uint64_t thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* LATEEN_FIGURES prints what a page of the whole budget costs. */
TEST(a_page_of_the_whole_budget_is_made_in_small_pieces)
{
    struct metrics *m = metrics_new();
    struct scrape *s = scrape_new(&(struct scrape_ask){ .form = SCRAPE_OPENMETRICS }, NULL);
    uint64_t octets = 0, most = 0, longest_ns = 0, all_ns = 0;
    size_t heap = mallinfo2().uordblks, tables;
    bool more = true;

    begin();
    count_services(m, 0, SERIES_BUDGET);
    tables = mallinfo2().uordblks - heap;
    while (more) {
        uint64_t from = thread_ns(), took;

        buf_reset(&page);
        more = scrape_more(s, &page);
        took = thread_ns() - from;
        octets += page.n;
        all_ns += took;
        most = MAX(most, page.n);
        longest_ns = MAX(longest_ns, took);
        CHECK(page.n < 2 * SCRAPE_PIECE);
    }
    CHECK(page.cap < 4 * SCRAPE_PIECE); /* all that a page ever holds */
    if (getenv("LATEEN_FIGURES"))
        printf("%u series: %.1f MB, %.0f octets a series; %.1f ms of CPU, longest piece %.3f ms, "
               "largest %zu octets; tables and parts %.1f MB\n",
               SERIES_BUDGET, (double)octets / 1e6, (double)octets / SERIES_BUDGET,
               (double)all_ns / 1e6, (double)longest_ns / 1e6, (size_t)most, (double)tables / 1e6);
    scrape_free(s);
    metrics_free(m);
    end();
}

TEST(a_page_under_way_ends_when_a_worker_goes)
{
    struct metrics *a = metrics_new(), *b = metrics_new();
    struct scrape *s = scrape_new(&(struct scrape_ask){ .form = SCRAPE_TEXT }, NULL);

    begin();
    count_services(a, 0, 1000);
    count_services(b, 500, 1500);
    while (page.n < 3 * SCRAPE_PIECE)
        CHECK(scrape_more(s, &page));
    metrics_free(a);
    while (scrape_more(s, &page))
        ;
    CHECK(has(buf_str(&page), "\nistio_build{"));
    scrape_free(s);
    metrics_free(b);
    end();
}

/* ---- what boards read ---- */

#define BUCKETS                                                                                    \
    "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000",       \
        "30000", "60000", "300000", "600000", "1800000", "3600000", "+Inf"

/* Istio's labels on a request (conventions facts 4.1), in no order. */
static const char *const istio_labels[] = {
    "reporter",
    "source_workload",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_canonical_service",
    "source_canonical_revision",
    "source_cluster",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_cluster",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "request_protocol",
    "response_code",
    "response_flags",
    "connection_security_policy",
};

/* The first sample of a name; STR_NONE without. */
static struct str sample_of(struct str text, struct str name)
{
    while (str_is_set(text)) {
        struct str line = str_cut(&text, '\n'), rest = str_from(line, name.n);

        if (str_starts(line, name) && rest.n && (rest.p[0] == '{' || rest.p[0] == ' '))
            return line;
    }
    return STR_NONE;
}

static bool has_label(struct str line, const char *label)
{
    return has(line, arena_printf(&arena, "{%s=\"", label).p) ||
           has(line, arena_printf(&arena, ",%s=\"", label).p);
}

static size_t label_count(struct str line)
{
    size_t n = 0;

    while (str_is_set(line)) {
        str_cut(&line, '=');
        n += str_is_set(line);
    }
    return n;
}

/* Istio's and Kiali's boards: names, types, labels. */
static const struct {
    const char *name, *type, *label;
} board[] = {
    { "envoy_cluster_upstream_cx_active", "gauge", "cluster_name" },
    { "envoy_cluster_upstream_cx_total", "counter", "cluster_name" },
    { "envoy_cluster_upstream_cx_connect_fail", "counter", "cluster_name" },
    { "envoy_cluster_upstream_rq_total", "counter", "cluster_name" },
    { "envoy_cluster_upstream_rq_retry", "counter", "cluster_name" },
    { "envoy_cluster_upstream_rq", "counter", "response_code_class" },
    { "envoy_listener_downstream_cx_active", "gauge", "listener_address" },
    { "envoy_listener_downstream_cx_total", "counter", "listener_address" },
    { "envoy_listener_http_downstream_rq", "counter", "response_code_class" },
    { "envoy_listener_http_downstream_rq_xx", "counter", "response_code_class" },
    { "envoy_http_downstream_rq_total", "counter", "http_conn_manager_prefix" },
    { "envoy_http_downstream_rq_active", "gauge", "http_conn_manager_prefix" },
    { "envoy_server_live", "gauge", NULL },
    { "envoy_server_uptime", "gauge", NULL },
    { "envoy_server_memory_allocated", "gauge", NULL },
    { "envoy_server_memory_heap_size", "gauge", NULL },
    { "istio_build", "gauge", "component" },
    { "istio_build", "gauge", "tag" },
    { "process_cpu_seconds_total", "counter", NULL },
    { "process_resident_memory_bytes", "gauge", NULL },
    { "process_virtual_memory_bytes", "gauge", NULL },
    { "process_start_time_seconds", "gauge", NULL },
    { "process_open_fds", "gauge", NULL },
};

static void check_histogram(struct str text, const char *name)
{
    static const char *const buckets[] = { BUCKETS };
    struct str line = sample_of(text, arena_printf(&arena, "%s_bucket", name));
    struct str rest = str_make(line.p, (size_t)(text.p + text.n - line.p));

    CHECK(has(text, arena_printf(&arena, "\n# TYPE %s histogram\n", name).p));
    for (size_t i = 0; i < LEN(buckets); i++) {
        CASE(i);
        line = str_cut(&rest, '\n');
        CHECK(str_starts(line, arena_printf(&arena, "%s_bucket{", name)));
        CHECK(has(line, arena_printf(&arena, ",le=\"%s\"} ", buckets[i]).p));
        CHECK_EQ(label_count(line), LEN(istio_labels) + 1);
    }
    CHECK(str_starts(str_cut(&rest, '\n'), arena_printf(&arena, "%s_sum{", name)));
    CHECK(str_starts(str_cut(&rest, '\n'), arena_printf(&arena, "%s_count{", name)));
}

TEST(boards_find_their_series_with_type_labels_and_buckets)
{
    struct metrics *m = metrics_new();
    struct record r;
    struct str text, line;

    begin();
    sample_record(&r, &arena);
    metrics_request(m, &r);
    r.is_grpc = true;
    r.request_messages = 3;
    r.response_messages = 4;
    metrics_request(m, &r);
    text = sample_page(&page, SCRAPE_TEXT);
    line = sample_of(text, STR("istio_requests_total"));
    CHECK(has(text, "# TYPE istio_requests_total counter\n"));
    CHECK_EQ(label_count(line), LEN(istio_labels));
    for (size_t i = 0; i < LEN(istio_labels); i++) {
        CASE(i);
        CHECK(has_label(line, istio_labels[i]));
    }
    line = sample_of(text, STR("istio_request_messages_total"));
    CHECK_EQ(label_count(line), LEN(istio_labels) + 1); /* grpc_response_status */
    CHECK(has(line, "request_protocol=\"grpc\"") && has(line, "} 3"));
    CHECK(has(sample_of(text, STR("istio_response_messages_total")), "} 4"));
    CHECK(has(text, "# TYPE istio_response_messages_total counter\n"));
    check_histogram(text, "istio_request_duration_milliseconds");
    check_histogram(text, "istio_request_bytes");
    check_histogram(text, "istio_response_bytes");
    for (size_t i = 0; i < LEN(board); i++) {
        CASE(i);
        line = sample_of(text, str_of(board[i].name));
        CHECK(str_is_set(line));
        CHECK(has(text, arena_printf(&arena, "\n# TYPE %s %s\n", board[i].name, board[i].type).p));
        CHECK(board[i].label == NULL || has_label(line, board[i].label));
    }
    metrics_free(m);
    end();
}

/* ---- parameters ---- */

static struct str page_of(struct scrape_ask ask)
{
    struct scrape *s = scrape_new(&ask, NULL);

    buf_reset(&page);
    while (scrape_more(s, &page))
        ;
    scrape_free(s);
    return buf_str(&page);
}

TEST(a_page_can_be_filtered_and_leave_out_zeros)
{
    struct metrics *m = metrics_new();
    struct record r;
    struct str text;
    struct buf error;

    begin();
    sample_record(&r, &arena);
    metrics_request(m, &r);
    text = page_of((struct scrape_ask){ .form = SCRAPE_TEXT, .filter = STR("upstream_rq$") });
    CHECK(str_starts(text, STR("# HELP envoy_cluster_upstream_rq ")));
    CHECK(!has(text, "istio_") && !has(text, "upstream_rq_total"));
    text = page_of((struct scrape_ask){
        .form = SCRAPE_TEXT, .filter = STR("envoy_cluster_upstream_rq$"), .used_only = true });
    CHECK(has(text, "\"2xx\"} 1\n") && !has(text, "\"5xx\""));
    text = page_of(
        (struct scrape_ask){ .form = SCRAPE_STATS, .filter = STR("upstream_rq_[25]xx") });
    CHECK_STRZ(text,
               "cluster.outbound|80|v1|hedgus-app.hedgus.svc.cluster.local.upstream_rq_2xx: 1\n"
               "cluster.outbound|80|v1|hedgus-app.hedgus.svc.cluster.local.upstream_rq_5xx: "
               "0\n");
    text = page_of((struct scrape_ask){
        .form = SCRAPE_STATS_JSON, .filter = STR("upstream_rq_[25]xx"), .used_only = true });
    CHECK_STRZ(text, "{\"stats\":[\n{\"name\":\"cluster.outbound|80|v1|hedgus-app.hedgus.svc."
                     "cluster.local.upstream_rq_2xx\",\"value\":1}]}\n");
    buf_init(&error, 1000);
    CHECK(scrape_new(&(struct scrape_ask){ .filter = STR("(") }, &error) == NULL);
    CHECK(error.n > 0);
    buf_fini(&error);
    metrics_free(m);
    end();
}
