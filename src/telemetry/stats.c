#include "telemetry/stats.h"

#include <stdlib.h>

#define LISTENER(id, kind, prometheus, name_dotted, text)                                          \
    {                                                                                              \
        .column = (id), .owner = OWNER_LISTENER, .is_gauge = (kind), .name = prometheus,           \
        .label = "listener_address", .prefix = "", .dotted = "listener.$." name_dotted,            \
        .help = text                                                                               \
    }
#define HTTP_FAULT(id, what, text)                                                                 \
    {                                                                                              \
        .column = (id), .owner = OWNER_LISTENER, .is_sparse = true,                                \
        .name = "envoy_http_fault_" what, .label = "http_conn_manager_prefix",                     \
        .prefix = "outbound_", .dotted = "http.outbound_$.fault." what, .help = text               \
    }
#define HTTP(id, kind, prometheus, name_dotted, text)                                              \
    {                                                                                              \
        .column = (id), .owner = OWNER_LISTENER, .is_gauge = (kind), .name = prometheus,           \
        .label = "http_conn_manager_prefix", .prefix = "outbound_",                                \
        .dotted = "http.outbound_$." name_dotted, .help = text                                     \
    }
#define CLUSTER(id, kind, prometheus, name_dotted, text)                                           \
    {                                                                                              \
        .column = (id), .owner = OWNER_CLUSTER, .is_gauge = (kind), .name = prometheus,            \
        .label = "cluster_name", .prefix = "", .dotted = "cluster.$." name_dotted, .help = text    \
    }
#define LISTENER_CLASS(n)                                                                          \
    {                                                                                              \
        .column = STAT_CLASS_1XX + (n)-1, .owner = OWNER_LISTENER,                                 \
        .name = "envoy_listener_http_downstream_rq", .label = "listener_address", .prefix = "",    \
        .extra = ",response_code_class=\"" #n "xx\"",                                              \
        .dotted = "listener.$.http.outbound_$.downstream_rq_" #n "xx",                             \
        .help = "Responses by class of their status"                                               \
    }
#define LISTENER_CLASS_ALIAS(n)                                                                    \
    {                                                                                              \
        .column = STAT_CLASS_1XX + (n)-1, .owner = OWNER_LISTENER,                                 \
        .name = "envoy_listener_http_downstream_rq_xx", .label = "listener_address", .prefix = "", \
        .extra = ",response_code_class=\"" #n "\"",                                                \
        .help = "Responses by class of their status, as Envoy names them by default"               \
    }
#define CLUSTER_CLASS(n)                                                                           \
    {                                                                                              \
        .column = STAT_CLASS_1XX + (n)-1, .owner = OWNER_CLUSTER,                                  \
        .name = "envoy_cluster_upstream_rq", .label = "cluster_name", .prefix = "",                \
        .extra = ",response_code_class=\"" #n "xx\"", .dotted = "cluster.$.upstream_rq_" #n "xx",  \
        .help = "Responses by class of their status"                                               \
    }
/* The process's of clients' connections, and a cluster's. */
#define H2_LINE(id, owned, start, end, by, name_dotted, text)                                      \
    {                                                                                              \
        .column = STAT_H2_FIRST + H2_COUNT_##id, .owner = (owned), .name = start end, .label = by, \
        .prefix = "", .dotted = name_dotted, .help = text, .is_sparse = (owned) == OWNER_CLUSTER   \
    }
#define H2_ENVOY(id, name, text)                                                                   \
    H2_LINE(id, OWNER_PROCESS, "envoy_http2_", name, NULL, "http2." name, text),                   \
        H2_LINE(id, OWNER_CLUSTER, "envoy_cluster_http2_", name, "cluster_name",                   \
                "cluster.$.http2." name, text),
#define H2_OWN(id, name, text)                                                                     \
    H2_LINE(id, OWNER_PROCESS, "lateen_http2_", name "_total", NULL, "http2." name, text),         \
        H2_LINE(id, OWNER_CLUSTER, "lateen_cluster_http2_", name "_total", "cluster_name",         \
                "cluster.$.http2." name, text),
#define CLASSES(of) of(1), of(2), of(3), of(4), of(5)
#define COUNTER false
#define GAUGE true

/* Lines of one name stand together. Labels are named as Istio's bootstrap names them. */
const struct stat_line stat_lines[] = {
    LISTENER(STAT_DOWNSTREAM_CX_TOTAL, COUNTER, "envoy_listener_downstream_cx_total",
             "downstream_cx_total", "Connections accepted"),
    LISTENER(STAT_DOWNSTREAM_CX_ACTIVE, GAUGE, "envoy_listener_downstream_cx_active",
             "downstream_cx_active", "Connections open"),
    LISTENER(STAT_ACCEPT_REFUSED, COUNTER, "envoy_listener_downstream_cx_overflow",
             "downstream_cx_overflow", "Connections refused at a limit"),
    LISTENER(STAT_ALL_REFUSED, COUNTER, "envoy_listener_downstream_global_cx_overflow",
             "downstream_global_cx_overflow", "Connections refused at the limit of all listeners"),
    LISTENER(STAT_ADDRESS_REFUSED, COUNTER, "lateen_listener_downstream_address_overflow_total",
             "downstream_address_overflow", "Connections refused at the limit of an address"),
    LISTENER(STAT_OVERLOAD_REFUSED, COUNTER, "envoy_listener_downstream_cx_overload_reject",
             "downstream_cx_overload_reject", "Connections refused because of overload"),
    LISTENER(STAT_TLS_HANDSHAKE, COUNTER, "envoy_listener_ssl_handshake", "ssl.handshake",
             "TLS handshakes that succeeded"),
    LISTENER(STAT_TLS_ERROR, COUNTER, "envoy_listener_ssl_connection_error", "ssl.connection_error",
             "TLS connections that failed"),
    CLASSES(LISTENER_CLASS),
    CLASSES(LISTENER_CLASS_ALIAS),
    HTTP(STAT_DOWNSTREAM_RQ_TOTAL, COUNTER, "envoy_http_downstream_rq_total", "downstream_rq_total",
         "Requests begun"),
    HTTP(STAT_DOWNSTREAM_RQ_ACTIVE, GAUGE, "envoy_http_downstream_rq_active",
         "downstream_rq_active", "Requests in flight"),
    HTTP(STAT_DOWNSTREAM_RQ_TIMEOUT, COUNTER, "envoy_http_downstream_rq_timeout",
         "downstream_rq_timeout", "Requests that did not arrive in time"),
    HTTP(STAT_DOWNSTREAM_RQ_OVERLOAD, COUNTER, "envoy_http_downstream_rq_overload_close",
         "downstream_rq_overload_close", "Requests refused because of overload"),
    HTTP(STAT_DOWNSTREAM_PROTOCOL_ERROR, COUNTER, "envoy_http_downstream_cx_protocol_error",
         "downstream_cx_protocol_error", "Connections ended by a protocol error"),
    HTTP_FAULT(STAT_FAULT_DELAYS, "delays_injected", "Requests that were delayed on purpose"),
    HTTP_FAULT(STAT_FAULT_ABORTS, "aborts_injected", "Requests that were refused on purpose"),
    CLUSTER(STAT_UPSTREAM_CX_TOTAL, COUNTER, "envoy_cluster_upstream_cx_total", "upstream_cx_total",
            "Connections opened"),
    CLUSTER(STAT_UPSTREAM_CX_ACTIVE, GAUGE, "envoy_cluster_upstream_cx_active",
            "upstream_cx_active", "Connections open"),
    CLUSTER(STAT_UPSTREAM_CX_CONNECT_FAIL, COUNTER, "envoy_cluster_upstream_cx_connect_fail",
            "upstream_cx_connect_fail", "Connections that did not come about"),
    CLUSTER(STAT_UPSTREAM_RQ_TOTAL, COUNTER, "envoy_cluster_upstream_rq_total", "upstream_rq_total",
            "Requests sent, retries included"),
    CLUSTER(STAT_UPSTREAM_RQ_RETRY, COUNTER, "envoy_cluster_upstream_rq_retry", "upstream_rq_retry",
            "Requests sent again"),
    CLUSTER(STAT_UPSTREAM_RQ_RETRY_OVERFLOW, COUNTER, "envoy_cluster_upstream_rq_retry_overflow",
            "upstream_rq_retry_overflow", "Requests not sent again because of maxRetries"),
    CLUSTER(STAT_UPSTREAM_CX_OVERFLOW, COUNTER, "envoy_cluster_upstream_cx_overflow",
            "upstream_cx_overflow", "Times that maxConnections let no connection be opened"),
    CLUSTER(STAT_UPSTREAM_RQ_PENDING_TOTAL, COUNTER, "envoy_cluster_upstream_rq_pending_total",
            "upstream_rq_pending_total", "Requests that waited for a connection under a limit"),
    CLUSTER(STAT_UPSTREAM_RQ_PENDING_ACTIVE, GAUGE, "envoy_cluster_upstream_rq_pending_active",
            "upstream_rq_pending_active", "Requests that wait for a connection under a limit"),
    CLUSTER(STAT_UPSTREAM_RQ_PENDING_OVERFLOW, COUNTER,
            "envoy_cluster_upstream_rq_pending_overflow", "upstream_rq_pending_overflow",
            "Requests refused by http1MaxPendingRequests or http2MaxRequests"),
    CLASSES(CLUSTER_CLASS),
    CLUSTER(STAT_UPSTREAM_PROTOCOL_ERROR, COUNTER, "envoy_cluster_upstream_cx_protocol_error",
            "upstream_cx_protocol_error", "Connections ended by a protocol error"),
    H2_ENVOY_COUNT_MAP(H2_ENVOY) H2_OWN_COUNT_MAP(H2_OWN)
        CLUSTER(STAT_IDLE_RACE_RECOVERED, COUNTER, "lateen_upstream_idle_race_recovered_total",
                "upstream_idle_race_recovered",
                "Requests sent again because a reused connection was closed as it was picked"),
};
const size_t stat_line_count = LEN(stat_lines);

enum stat_owner stat_owner_of(enum stat_id id)
{
    for (size_t i = 0; i < LEN(stat_lines); i++) {
        if (stat_lines[i].column == id)
            return (enum stat_owner)stat_lines[i].owner;
    }
    return OWNER_PROCESS;
}

void stat_table_init(struct stat_table *t)
{
    memset(t, 0, sizeof(*t));
}

void stat_table_fini(struct stat_table *t)
{
    uint32_t n = stat_table_count(t);

    for (uint32_t i = 0; i < n; i++)
        free((char *)(uintptr_t)stat_row_at(t, i)->name.p);
    for (size_t i = 0; i < STAT_CHUNKS; i++)
        free(t->chunks[i]);
    for (size_t i = 0; i < OWNER_KINDS; i++)
        map_fini(&t->by_name[i]);
    memset(t, 0, sizeof(*t));
}

static struct stat_row *row(const struct stat_table *t, uint32_t i)
{
    return &t->chunks[i / STAT_ROWS_PER_CHUNK][i % STAT_ROWS_PER_CHUNK];
}

static struct stat_row *row_new(struct stat_table *t, enum stat_owner owner, struct str name)
{
    uint32_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
    struct stat_row **chunk = &t->chunks[n / STAT_ROWS_PER_CHUNK];
    struct stat_row *r;
    char *copy = must_alloc(name.n + 1);

    if (!*chunk)
        *chunk = must_alloc(sizeof(**chunk) * STAT_ROWS_PER_CHUNK);
    memcpy(copy, name.p ? name.p : "", name.n);
    r = row(t, n);
    r->owner = (uint8_t)owner;
    r->name = str_make(copy, name.n);
    map_put(&t->by_name[owner], r->name, r);
    atomic_store_explicit(&t->n, n + 1, memory_order_release);
    return r;
}

struct stat_row *stat_row_get(struct stat_table *t, enum stat_owner owner, struct str name)
{
    struct stat_row *r = t->last[owner];

    if (r && str_eq(r->name, name))
        return r;
    r = map_get(&t->by_name[owner], name);
    if (!r && stat_table_count(t) >= STAT_ROW_BUDGET - OWNER_KINDS) {
        name = STR("__other__");
        r = map_get(&t->by_name[owner], name);
    }
    if (!r)
        r = row_new(t, owner, name);
    t->last[owner] = r;
    return r;
}

uint32_t stat_table_count(const struct stat_table *t)
{
    return atomic_load_explicit(&t->n, memory_order_acquire);
}

struct stat_row *stat_row_at(const struct stat_table *t, uint32_t i)
{
    return row(t, i);
}
