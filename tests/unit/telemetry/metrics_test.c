#include "unit/telemetry/sample.h"

#include "telemetry/blocks.h"
#include "telemetry/series.h"
#include "telemetry/telemetry.h"
#include "unit/check.h"

#include <pthread.h>
#include <stdlib.h>

static struct buf page;
static struct arena arena;

static void begin(void)
{
    arena_init(&arena, 4096);
    buf_init(&page, 1 << 30);
}

static void end(void)
{
    buf_fini(&page);
    arena_fini(&arena);
}

static struct str scrape(bool openmetrics)
{
    return sample_page(&page, openmetrics ? SCRAPE_OPENMETRICS : SCRAPE_TEXT);
}

static bool has(struct str text, const char *what)
{
    return str_find_str(text, str_of(what)) < text.n;
}

/* The value of the one sample whose line holds both texts; -1 where there is none. */
static int64_t value_of(struct str text, const char *name, const char *part)
{
    int64_t got = -1;

    while (str_is_set(text)) {
        struct str line = str_cut(&text, '\n');

        if (!str_starts(line, str_of(name)) || !has(line, part))
            continue;
        CHECK_EQ(got, -1);
        got = atoll(arena_dup(&arena, str_from(line, str_rfind(line, ' ') + 1)).p);
    }
    return got;
}

/* A cluster and an endpoint of one workload, with their blocks. */
struct target {
    struct cluster cluster;
    struct endpoint endpoint;
};

static void target_init(struct target *t, const char *service, const char *version)
{
    *t = (struct target){
        .cluster.part.name = str_of(service),
        .cluster.service = { str_of(service), STR("svc"), STR("ns") },
        .endpoint.workload = STR("app-v1"),
        .endpoint.namespace = STR("ns"),
        .endpoint.version = str_of(version),
    };
    t->cluster.label_block = metrics_block_of_cluster(&t->cluster);
    t->endpoint.label_block = metrics_block_of_endpoint(&t->endpoint);
}

static void target_record(struct record *r, const struct target *t)
{
    sample_record(r, &arena);
    r->cluster = &t->cluster;
    r->endpoint = &t->endpoint;
}

TEST(a_request_is_counted_with_istios_labels)
{
    struct metrics *m = metrics_new();
    struct target t;
    struct record r;
    struct str text;

    begin();
    target_init(&t, "labels.ns.svc.cluster.local", "v1");
    target_record(&r, &t);
    metrics_request(m, &r);
    metrics_request(m, &r);
    text = scrape(false);
    CHECK(has(
        text,
        "\nistio_requests_total{reporter=\"source\",source_workload=\"unknown\","
        "source_workload_namespace=\"unknown\",source_principal=\"unknown\",source_app=\"unknown\","
        "source_version=\"unknown\",source_canonical_service=\"unknown\","
        "source_canonical_revision=\"unknown\",source_cluster=\"unknown\","
        "destination_workload=\"app-v1\",destination_workload_namespace=\"ns\","
        "destination_principal=\"unknown\",destination_app=\"unknown\","
        "destination_version=\"v1\",destination_canonical_service=\"unknown\","
        "destination_canonical_revision=\"unknown\",destination_cluster=\"unknown\","
        "destination_service=\"labels.ns.svc.cluster.local\","
        "destination_service_name=\"svc\",destination_service_namespace=\"ns\","
        "request_protocol=\"http\",response_code=\"200\",response_flags=\"-\","
        "connection_security_policy=\"unknown\"} 2\n"));
    metrics_free(m);
    end();
}

TEST(series_differ_by_code_flags_protocol_and_grpc_status)
{
    struct metrics *m = metrics_new();
    struct headers trailers = { 0 };
    struct target t;
    struct record r;
    struct str text;

    begin();
    target_init(&t, "differ.ns", "v1");
    target_record(&r, &t);
    metrics_request(m, &r);
    r.code = 503;
    r.flags = FLAG_UF | FLAG_URX;
    metrics_request(m, &r);
    r.code = 200;
    r.flags = 0;
    r.is_grpc = true;
    headers_add(&trailers, &arena, STR("grpc-status"), STR("5"));
    r.trailers = &trailers;
    metrics_request(m, &r);
    r.endpoint = NULL;
    metrics_request(m, &r);
    text = scrape(false);
    CHECK_EQ(value_of(text, "istio_requests_total",
                      "differ.ns\",destination_service_name=\"svc\",destination_service_namespace="
                      "\"ns\",request_protocol=\"http\",response_code=\"200\""),
             1);
    CHECK_EQ(value_of(text, "istio_requests_total",
                      "differ.ns\",destination_service_name=\"svc\",destination_service_namespace="
                      "\"ns\",request_protocol=\"http\",response_code=\"503\",response_flags="
                      "\"UF,URX\""),
             1);
    CHECK_EQ(value_of(text, "istio_requests_total",
                      "destination_version=\"v1\",destination_canonical_service=\"unknown\","
                      "destination_canonical_revision=\"unknown\",destination_cluster=\"unknown\","
                      "destination_service=\"differ.ns\",destination_service_name=\"svc\","
                      "destination_service_namespace=\"ns\",request_protocol=\"grpc\","
                      "response_code=\"200\",grpc_response_status=\"5\""),
             1);
    metrics_free(m);
    end();
}

TEST(histograms_have_istios_buckets_and_add_up)
{
    static const struct {
        uint64_t ns, octets;
    } requests[] = {
        { 400000, 0 },                       /* <= 0.5 ms */
        { 500000, 1 },                       /* a bound belongs to its bucket */
        { 500001, 2 },                       /* <= 1 */
        { 12000000, 1000 },                  /* <= 25 */
        { UINT64_C(3600001000000), 4000000 } /* above all */
    };
    struct metrics *m = metrics_new();
    struct target t;
    struct record r;
    struct str text;

    begin();
    target_init(&t, "histograms.ns", "v1");
    target_record(&r, &t);
    for (size_t i = 0; i < LEN(requests); i++) {
        r.start_ns = 1000;
        r.end_ns = 1000 + requests[i].ns;
        r.sent = requests[i].octets;
        metrics_request(m, &r);
    }
    text = scrape(false);
#define AT(name, le) value_of(text, name "_bucket", le)
#define OF(le)                                                                                     \
    "histograms.ns\",destination_service_name=\"svc\",destination_service_namespace=\"ns\","       \
    "request_protocol=\"http\",response_code=\"200\",response_flags=\"-\",connection_security_"    \
    "policy=\"unknown\",le=\"" le "\""
    CHECK_EQ(AT("istio_request_duration_milliseconds", OF("0.5")), 2);
    CHECK_EQ(AT("istio_request_duration_milliseconds", OF("1")), 3);
    CHECK_EQ(AT("istio_request_duration_milliseconds", OF("10")), 3);
    CHECK_EQ(AT("istio_request_duration_milliseconds", OF("25")), 4);
    CHECK_EQ(AT("istio_request_duration_milliseconds", OF("3600000")), 4);
    CHECK_EQ(AT("istio_request_duration_milliseconds", OF("+Inf")), 5);
    CHECK_EQ(AT("istio_response_bytes", OF("0.5")), 1);
    CHECK_EQ(AT("istio_response_bytes", OF("1")), 2);
    CHECK_EQ(AT("istio_response_bytes", OF("1000")), 4);
    CHECK_EQ(AT("istio_response_bytes", OF("3600000")), 4);
    CHECK_EQ(AT("istio_response_bytes", OF("+Inf")), 5);
    CHECK_EQ(AT("istio_request_bytes", OF("0.5")), 5);
    CHECK_EQ(value_of(text, "istio_request_duration_milliseconds_count", "histograms.ns"), 5);
    CHECK_EQ(value_of(text, "istio_response_bytes_sum", "histograms.ns"), 4001003);
    CHECK(has(text, "} 3600014.400\n")); /* the sum, in ms */
    metrics_free(m);
    end();
}

TEST(equal_labels_have_one_block_for_ever)
{
    struct target a, b, c;

    target_init(&a, "same.ns", "v1");
    target_init(&b, "same.ns", "v1");
    target_init(&c, "same.ns", "v2");
    CHECK(a.cluster.label_block != 0 && a.endpoint.label_block != 0);
    CHECK_EQ(a.cluster.label_block, b.cluster.label_block);
    CHECK_EQ(a.endpoint.label_block, b.endpoint.label_block);
    CHECK(a.endpoint.label_block != c.endpoint.label_block);
    CHECK_EQ(metrics_block_of_cluster(&(struct cluster){ 0 }), 0);
    CHECK_EQ(metrics_block_of_endpoint(&(struct endpoint){ 0 }), 0);
    CHECK_STR(block_text(BLOCK_CLUSTER, 999999), block_text(BLOCK_CLUSTER, 0));
}

TEST(label_values_are_escaped_and_never_broken_utf8)
{
    static const struct {
        struct str value;
        const char *want;
    } cases[] = {
        { STR_INIT("plain"), ",l=\"plain\"" },
        { STR_INIT(""), ",l=\"unknown\"" },
        { STR_INIT("a\"b\\c\nd"), ",l=\"a\\\"b\\\\c\\nd\"" },
        { STR_INIT("caf\xc3\xa9"), ",l=\"caf\xc3\xa9\"" },
        { STR_INIT("\xff\r\0"), ",l=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };
    struct buf out;

    buf_init(&out, 1000);
    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        buf_reset(&out);
        label_add(&out, "l", cases[i].value);
        CHECK_STRZ(buf_str(&out), cases[i].want);
    }
    buf_fini(&out);
}

TEST(workers_are_added_up_and_owners_keep_their_rows)
{
    struct metrics *a = metrics_new(), *b = metrics_new();
    struct listener l = { .stat_prefix = STR("0.0.0.0_7001") };
    struct cluster c = { .part.name = STR("outbound|80||rows.ns") };
    struct record r;
    struct str text;

    begin();
    metrics_listener_stat(a, &l, STAT_DOWNSTREAM_CX_TOTAL, 2);
    metrics_listener_stat(b, &l, STAT_DOWNSTREAM_CX_TOTAL, 3);
    metrics_listener_stat(a, &l, STAT_DOWNSTREAM_CX_ACTIVE, 2);
    metrics_listener_stat(b, &l, STAT_DOWNSTREAM_CX_ACTIVE, -1);
    metrics_listener_stat(a, &l, STAT_DOWNSTREAM_RQ_TOTAL, 9);
    metrics_cluster_stat(a, &c, STAT_UPSTREAM_CX_ACTIVE, 4);
    metrics_cluster_stat(b, &c, STAT_UPSTREAM_CX_TOTAL, 5);
    sample_record(&r, &arena);
    r.listener = &l;
    r.cluster = &c;
    r.attempts = 3;
    metrics_request(a, &r);
    r.code = 404;
    metrics_request(b, &r);
    text = scrape(false);
    CHECK(has(text, "\nenvoy_listener_downstream_cx_total{listener_address=\"0.0.0.0_7001\"} 5\n"));
    CHECK(
        has(text, "\nenvoy_listener_downstream_cx_active{listener_address=\"0.0.0.0_7001\"} 1\n"));
    CHECK(has(text, "\nenvoy_http_downstream_rq_total{http_conn_manager_prefix=\"outbound_0.0.0.0_"
                    "7001\"} 9\n"));
    CHECK(has(text, "\nenvoy_listener_http_downstream_rq{listener_address=\"0.0.0.0_7001\","
                    "response_code_class=\"2xx\"} 1\n"));
    CHECK(has(text, "\nenvoy_listener_http_downstream_rq_xx{listener_address=\"0.0.0.0_7001\","
                    "response_code_class=\"4\"} 1\n"));
    CHECK(
        has(text, "\nenvoy_cluster_upstream_cx_active{cluster_name=\"outbound|80||rows.ns\"} 4\n"));
    CHECK(
        has(text, "\nenvoy_cluster_upstream_cx_total{cluster_name=\"outbound|80||rows.ns\"} 5\n"));
    CHECK(
        has(text, "\nenvoy_cluster_upstream_rq_total{cluster_name=\"outbound|80||rows.ns\"} 6\n"));
    CHECK(has(text, "\nenvoy_cluster_upstream_rq{cluster_name=\"outbound|80||rows.ns\","
                    "response_code_class=\"4xx\"} 1\n"));
    text = sample_page(&page, SCRAPE_STATS);
    CHECK(has(text, "listener.0.0.0.0_7001.downstream_cx_total: 5\n"));
    CHECK(has(text, "http.outbound_0.0.0.0_7001.downstream_rq_total: 9\n"));
    CHECK(has(text, "listener.0.0.0.0_7001.http.outbound_0.0.0.0_7001.downstream_rq_2xx: 1\n"));
    CHECK(has(text, "cluster.outbound|80||rows.ns.upstream_rq_total: 6\n"));
    CHECK(has(text, "\nserver.live: 1\n"));
    metrics_free(a);
    metrics_free(b);
    end();
}

TEST(an_owner_that_is_not_known_is_called_unknown)
{
    struct metrics *m = metrics_new();
    struct record r;

    begin();
    metrics_stat(m, STAT_UPSTREAM_CX_TOTAL, 7);
    metrics_listener_stat(m, NULL, STAT_ACCEPT_REFUSED, 8);
    sample_not_found(&r, &arena);
    r.listener = NULL;
    metrics_request(m, &r);
    scrape(false);
    CHECK(has(buf_str(&page), "\nenvoy_cluster_upstream_cx_total{cluster_name=\"unknown\"} 7\n"));
    CHECK(has(buf_str(&page),
              "\nenvoy_listener_downstream_cx_overflow{listener_address=\"unknown\"} 8\n"));
    CHECK(value_of(buf_str(&page), "istio_requests_total", "response_flags=\"NR\"") >= 1);
    metrics_free(m);
    end();
}

/* Every sample belongs to a family that HELP and TYPE named just before it. */
static void check_exposition(struct str text, bool openmetrics)
{
    struct str family = STR_NONE, type = STR_NONE;

    while (str_is_set(text)) {
        struct str line = str_cut(&text, '\n'), name;

        if (line.n == 0)
            continue;
        if (str_starts(line, STR("# HELP "))) {
            line = str_from(line, 7);
            family = str_cut(&line, ' ');
            CHECK(line.n > 3 && line.p[line.n - 1] == '.');
            line = str_cut(&text, '\n');
            CHECK(str_starts(line, STR("# TYPE ")));
            line = str_from(line, 7);
            CHECK_STR(str_cut(&line, ' '), family);
            type = line;
            continue;
        }
        if (openmetrics && str_eq(line, STR("# EOF"))) {
            CHECK(str_eq(text, STR("")));
            return;
        }
        name = str_sub(line, 0, MIN(str_find(line, '{'), str_find(line, ' ')));
        CHECK(str_starts(name, family));
        name = str_from(name, family.n);
        if (str_eq(type, STR("histogram")))
            CHECK(str_eq(name, STR("_bucket")) || str_eq(name, STR("_sum")) ||
                  str_eq(name, STR("_count")));
        else if (openmetrics && str_eq(type, STR("counter")))
            CHECK_STRZ(name, "_total");
        else
            CHECK_STRZ(name, "");
    }
    CHECK(!openmetrics);
}

TEST(every_sample_follows_help_and_type_of_its_family)
{
    struct metrics *m = metrics_new();
    struct record r;

    begin();
    sample_record(&r, &arena);
    metrics_request(m, &r);
    check_exposition(scrape(false), false);
    check_exposition(scrape(true), true);
    metrics_free(m);
    end();
}

TEST(the_process_tells_of_itself)
{
    static const char *const names[] = {
        "envoy_server_uptime ",
        "envoy_server_memory_allocated ",
        "envoy_server_memory_heap_size ",
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "istio_build{component=\"proxy\",tag=\"0.",
        "lateen_access_log_dropped_total ",
    };
    struct str text;

    begin();
    text = scrape(false);
    for (size_t i = 0; i < LEN(names); i++) {
        CASE(i);
        CHECK(has(text, names[i]));
    }
    CHECK(value_of(text, "process_resident_memory_bytes ", "") > 100000);
    CHECK(value_of(text, "process_open_fds ", "") >= 3);
    CHECK_EQ(value_of(text, "envoy_server_live ", ""), 1);
    metrics_set_live(false);
    CHECK_EQ(value_of(scrape(false), "envoy_server_live ", ""), 0);
    metrics_set_live(true);
    end();
}

TEST(a_worker_beyond_the_budget_counts_in_one_series)
{
    struct series_table t;
    struct series *other;

    series_table_init(&t);
    for (uint32_t i = 0; i < SERIES_BUDGET; i++) {
        struct series_key key = { .cluster_block = i, .grpc = -1 };
        struct series *s = series_get(&t, &key);

        CASE(i);
        CHECK(s == series_get(&t, &key));
        CHECK(memcmp(&s->key, &key, sizeof(key)) == 0);
    }
    other = series_get(&t, &(struct series_key){ .cluster_block = 99999, .grpc = -1 });
    CHECK_EQ(other->key.protocol, SERIES_OTHER);
    CHECK(other == series_get(&t, &(struct series_key){ .code = 599, .grpc = 3 }));
    CHECK_EQ(
        series_get(&t, &(struct series_key){ .cluster_block = 7, .grpc = -1 })->key.cluster_block,
        7);
    CHECK_EQ(series_table_count(&t), SERIES_BUDGET + 1);
    series_table_fini(&t);
}

struct counter_thread {
    pthread_t thread;
    struct record record;
    struct target *targets;
    int rounds;
};

static void *count_run(void *arg)
{
    struct counter_thread *w = arg;
    struct metrics *m = metrics_new();

    for (int i = 0; i < w->rounds; i++) {
        struct target *t = &w->targets[i % 50];
        struct listener l = { .stat_prefix = t->cluster.part.name };

        w->record.cluster = &t->cluster;
        w->record.endpoint = &t->endpoint;
        w->record.code = (uint16_t)(200 + i % 7);
        metrics_request(m, &w->record);
        metrics_listener_stat(m, &l, STAT_DOWNSTREAM_CX_TOTAL, 1);
    }
    return m;
}

static uint64_t requests_in(struct str text)
{
    uint64_t n = 0;

    while (str_is_set(text)) {
        struct str line = str_cut(&text, '\n');
        uint64_t v = 0;

        if (str_starts(line, STR("istio_requests_total{")) && has(line, "concurrent-") &&
            str_u64(str_from(line, str_rfind(line, ' ') + 1), &v))
            n += v;
    }
    return n;
}

/* The scraper reads while workers create series and count; blocks are made at the same time. */
TEST(scrapes_run_beside_the_workers_and_lose_nothing)
{
    static struct target targets[50];
    static char names[50][24];
    struct counter_thread w[3];
    uint64_t last = 0;

    begin();
    for (size_t i = 0; i < LEN(targets); i++) {
        snprintf(names[i], sizeof(names[i]), "concurrent-%zu.ns", i);
        target_init(&targets[i], names[i], "v1");
    }
    for (size_t i = 0; i < LEN(w); i++) {
        w[i].targets = targets;
        w[i].rounds = 20000;
        sample_record(&w[i].record, &arena);
        CHECK_EQ(pthread_create(&w[i].thread, NULL, count_run, &w[i]), 0);
    }
    for (int i = 0; i < 10; i++) {
        struct target extra;
        uint64_t now;

        target_init(&extra, "made-meanwhile.ns", names[i]);
        now = requests_in(scrape(i % 2 == 1));
        CHECK(now >= last);
        last = now;
    }
    {
        void *m[3];

        for (size_t i = 0; i < LEN(w); i++)
            pthread_join(w[i].thread, &m[i]);
        CHECK_EQ(requests_in(scrape(false)), 60000);
        for (size_t i = 0; i < LEN(w); i++)
            metrics_free(m[i]);
    }
    end();
}
