#include "api/check.h"
#include "api/check_policy.h"
#include "api/check_route.h"
#include "api/meshconfig.h"
#include "telemetry/telemetry.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))
#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define WINDOW_MIN 65535

static void check_port(struct api_checker *c, struct api_spot spot, const struct opt_int *port)
{
    if (port->set && (port->v < 0 || port->v > 65535))
        api_error(c, spot, "%lld is no port: write 1 to 65535", (long long)port->v);
}

static void check_connection(struct api_checker *c, const struct api_connection_settings *s)
{
    const struct {
        const char *name;
        const struct opt_int *v;
        int64_t min;
    } numbers[] = {
        { "http2InitialStreamWindowSize", &s->http2_initial_stream_window_size, WINDOW_MIN },
        { "http2InitialConnectionWindowSize", &s->http2_initial_connection_window_size,
          WINDOW_MIN },
        { "httpMaxConcurrentStreams", &s->http_max_concurrent_streams, 1 },
        { "listenerConnectionLimit", &s->listener_connection_limit, 1 },
        { "globalDownstreamConnectionLimit", &s->global_downstream_connection_limit, 1 },
        { "listenerPerConnectionBufferLimitBytes", &s->listener_per_connection_buffer_limit_bytes,
          1 },
        { "clusterPerConnectionBufferLimitBytes", &s->cluster_per_connection_buffer_limit_bytes,
          1 },
    };

    for (size_t i = 0; i < LEN(numbers); i++)
        if (numbers[i].v->set && numbers[i].v->v < numbers[i].min)
            api_error(c, LEAF(s, numbers[i].name), "must be at least %lld",
                      (long long)numbers[i].min);
}

static void check_proxy(struct api_checker *c, const struct api_proxy_config *p)
{
    if (p->concurrency.v < 0)
        api_error(c, LEAF(p, "concurrency"), "must not be negative: 0 is one thread a CPU");
    if (p->drain_duration.set && (p->drain_duration.ns < SECOND || p->drain_duration.ns % SECOND))
        api_error(c, LEAF(p, "drainDuration"), "must be whole seconds, at least 1s");
    if (p->connection_settings)
        check_connection(c, p->connection_settings);
    check_port(c, LEAF(p, "proxyAdminPort"), &p->proxy_admin_port);
    check_port(c, LEAF(p, "statusPort"), &p->status_port);
}

/* As the access log will read it. */
static void check_log_format(struct api_checker *c, const struct api_meshconfig *m)
{
    struct arena a;
    struct str why;

    arena_init(&a, 4096);
    if (m->access_log_format.n &&
        !log_format_parse(m->access_log_format, m->access_log_encoding.v == LOG_ENCODING_JSON, &a,
                          &why))
        api_error(c, LEAF(m, "accessLogFormat"), "%.*s", STRF(why));
    arena_fini(&a);
}

void api_check_meshconfig(struct api_checker *c, const void *body)
{
    const struct api_meshconfig *m = body;
    struct buf why;

    if (m->connect_timeout.set &&
        (m->connect_timeout.ns < MS || m->connect_timeout.ns > 3600 * SECOND))
        api_error(c, LEAF(m, "connectTimeout"), "must be from 1ms to 1h");
    buf_init(&why, 512);
    if (m->trust_domain.n && !api_check_dns_subdomain(m->trust_domain, &why))
        api_error(c, LEAF(m, "trustDomain"), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    check_log_format(c, m);
    check_port(c, LEAF(m, "proxyListenPort"), &m->proxy_listen_port);
    check_port(c, LEAF(m, "proxyInboundListenPort"), &m->proxy_inbound_listen_port);
    check_port(c, LEAF(m, "proxyHttpPort"), &m->proxy_http_port);
    if (m->default_http_retry_policy)
        api_check_retries(c, m->default_http_retry_policy);
    if (m->default_traffic_policy)
        api_check_pool_and_outlier(c, m->default_traffic_policy->connection_pool,
                                   m->default_traffic_policy->outlier_detection);
    if (m->locality_lb_setting)
        api_check_locality(c, m->locality_lb_setting, true);
    if (m->outbound_traffic_policy && m->outbound_traffic_policy->tls)
        api_check_client_tls(c, m->outbound_traffic_policy->tls);
    if (m->default_config)
        check_proxy(c, m->default_config);
}
