/*
 * proxy/admin_dump_parts - clusters, endpoints, secrets and listeners as Envoy's resources.
 */
#include "proxy/admin_dump_int.h"

#include "base/jsontext.h"
#include "tls/keypair.h"

#define ENDPOINTS_AT_ONCE 50
#define CHAIN_PEM_MAX (16u << 20)
#define ADS "{\"ads\":{},\"resource_api_version\":\"V3\"}"

/* ---- clusters ---- */

static void name_list(struct buf *b, const struct str *names, uint32_t n)
{
    buf_addc(b, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_addc(b, ',');
        json_add_string(b, names[i]);
    }
    buf_addc(b, ']');
}

static void protocol_options(struct buf *b, const struct cluster *c)
{
    buf_add(b, STR(",\"typed_extension_protocol_options\":{\"envoy.extensions.upstreams.http.v3."
                   "HttpProtocolOptions\":"));
    dump_begin(b, "envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    buf_add(b, STR(",\"common_http_protocol_options\":{\"max_requests_per_connection\":"));
    buf_printf(b, "%u", c->max_requests_per_connection); /* 0: no limit, as in Envoy */
    dump_duration(b, "idle_timeout", c->idle_ms);
    buf_printf(b, "},\"explicit_http_config\":{\"http%s_protocol_options\":{}}}}",
               c->http2 ? "2" : "");
}

static void sds_name(struct buf *b, const char *key, const struct part *s)
{
    if (!s)
        return;
    buf_printf(b, ",\"%s\":{", key);
    json_add_pair(b, "name", s->name);
    buf_add(b, STR(",\"sds_config\":" ADS "}"));
}

/* What is checked of the backend is shown by the names alone. */
static void upstream_tls(const struct admin_walk *w, struct buf *b, const struct client_tls *tls)
{
    buf_add(
        b,
        STR(",\"transport_socket\":{\"name\":\"envoy.transport_sockets.tls\",\"typed_config\":"));
    dump_begin(b, "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext");
    if (tls->sni.n)
        json_add_more(b, "sni", tls->sni);
    buf_add(b, STR(",\"common_tls_context\":{\"alpn_protocols\":"));
    name_list(b, tls->alpn.v, tls->alpn.n);
    buf_printf(b,
               ",\"combined_validation_context\":{\"default_validation_context\":{"
               "\"trust_chain_verification\":\"%s\"",
               tls->skip_verify ? "ACCEPT_UNTRUSTED" : "VERIFY_TRUST_CHAIN");
    if (tls->names.n) {
        buf_add(b, STR(",\"match_subject_alt_names\":"));
        name_list(b, tls->names.v, tls->names.n);
    }
    buf_addc(b, '}');
    if (tls->ca != SLOT_NONE)
        sds_name(b, "validation_context_sds_secret_config",
                 root_part(w->root, PART_SECRET, tls->ca));
    buf_addc(b, '}');
    if (tls->certificate != SLOT_NONE)
        sds_name(b, "tls_certificate_sds_secret_config",
                 root_part(w->root, PART_SECRET, tls->certificate));
    buf_add(b, STR("}}}"));
}

bool dump_cluster(struct admin_walk *w, struct buf *b, const struct part *p)
{
    const struct cluster *c = (const void *)p;

    dump_begin(b, "envoy.config.cluster.v3.Cluster");
    json_add_more(b, "name", p->name);
    if (c->hosts == SLOT_NONE) {
        buf_add(b, STR(",\"type\":\"STATIC\""));
    } else {
        buf_add(b, STR(",\"type\":\"EDS\",\"eds_cluster_config\":{\"eds_config\":" ADS));
        json_add_more(b, "service_name", p->name);
        buf_addc(b, '}');
    }
    dump_duration(b, "connect_timeout", c->connect_ms);
    json_add_more(b, "lb_policy", admin_lb_name(c));
    buf_addc(b, ',');
    json_add_limits(b, &c->limits);
    if (c->hosts != SLOT_NONE)
        protocol_options(b, c);
    if (c->tls)
        upstream_tls(w, b, c->tls);
    dump_origin(w, b, p, 0);
    buf_addc(b, '}');
    return true;
}

/* ---- endpoints ---- */

static void lb_endpoint(struct admin_walk *w, struct buf *b, const struct part *p,
                        const struct endpoint *e)
{
    buf_add(b, STR("{\"endpoint\":{"));
    json_add_address(b, "\"address\"", &e->addr, e->addr.port);
    buf_printf(b, "},\"health_status\":\"%s\",\"load_balancing_weight\":%u",
               e->healthy ? "HEALTHY" : "UNHEALTHY", e->weight);
    dump_origin(w, b, p, e->origin);
    buf_addc(b, '}');
}

bool dump_hosts(struct admin_walk *w, struct buf *b, const struct part *p)
{
    const struct hosts *h = (const void *)p;
    uint32_t end = MIN(h->endpoints.n, w->sub + ENDPOINTS_AT_ONCE);

    if (w->sub == 0) {
        dump_begin(b, "envoy.config.endpoint.v3.ClusterLoadAssignment");
        json_add_more(b, "cluster_name", h->cluster_name);
        buf_add(b, STR(",\"endpoints\":[{\"locality\":{},\"lb_endpoints\":["));
    }
    for (; w->sub < end; w->sub++) {
        if (w->sub > 0)
            buf_add(b, STR(",\n"));
        lb_endpoint(w, b, p, &h->endpoints.v[w->sub]);
    }
    if (w->sub < h->endpoints.n)
        return false;
    buf_add(b, STR("]}]}"));
    return true;
}

/* ---- secrets ---- */

static void certificate(struct buf *b, const struct secret *s)
{
    struct buf pem;

    buf_init(&pem, CHAIN_PEM_MAX);
    if (s->keypair)
        tls_keypair_show(s->keypair, &pem);
    buf_add(b, STR(",\"tls_certificate\":{\"certificate_chain\":{"));
    json_add_pair(b, "inline_string", buf_str(&pem));
    buf_add(b, STR("},\"private_key\":{\"inline_string\":\"[redacted]\"}}"));
    buf_fini(&pem);
}

bool dump_secret(struct admin_walk *w, struct buf *b, const struct part *p)
{
    const struct secret *s = (const void *)p;

    dump_begin(b, "envoy.extensions.transport_sockets.tls.v3.Secret");
    json_add_more(b, "name", p->name);
    if (s->chain_pem.n || s->key_pem.n) {
        certificate(b, s);
    } else if (s->ca_pem.n) {
        buf_add(b, STR(",\"validation_context\":{\"trusted_ca\":{"));
        json_add_pair(b, "inline_string", s->ca_pem);
        buf_add(b, STR("}}"));
    }
    dump_origin(w, b, p, 0);
    buf_addc(b, '}');
    return true;
}

/* ---- listeners ---- */

static void connection_manager(const struct admin_walk *w, struct buf *b,
                               const struct http_manager *m)
{
    const struct part *routes = root_part(w->root, PART_ROUTES, m->routes);

    buf_add(b,
            STR("{\"name\":\"envoy.filters.network.http_connection_manager\",\"typed_config\":"));
    dump_begin(b, "envoy.extensions.filters.network.http_connection_manager.v3."
                  "HttpConnectionManager");
    json_add_more(b, "stat_prefix", m->stat_prefix);
    buf_add(b, STR(",\"rds\":{\"config_source\":" ADS));
    json_add_more(b, "route_config_name", routes ? routes->name : STR(""));
    buf_add(b, STR("},\"http_filters\":["));
    for (uint32_t i = 0; i < m->filters.n; i++) {
        buf_add(b, i ? STR(",{") : STR("{"));
        json_add_pair(b, "name", m->filters.v[i].instance);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    if (m->server_name.n)
        json_add_more(b, "server_name", m->server_name);
    buf_printf(b, ",\"use_remote_address\":%s", m->is_gateway ? "true" : "false");
    if (m->trusted_hops)
        buf_printf(b, ",\"xff_num_trusted_hops\":%u", m->trusted_hops);
    buf_printf(b, ",\"normalize_path\":%s", m->path_form == URL_NONE ? "false" : "true");
    if (m->stream_idle_ms)
        dump_duration(b, "stream_idle_timeout", m->stream_idle_ms);
    if (m->request_head_ms)
        dump_duration(b, "request_headers_timeout", m->request_head_ms);
    buf_add(b, STR("}}"));
}

static void tls_context(const struct admin_walk *w, struct buf *b, const struct chain *c)
{
    bool first = true;

    buf_add(
        b,
        STR(",\"transport_socket\":{\"name\":\"envoy.transport_sockets.tls\",\"typed_config\":"));
    dump_begin(b, "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext");
    buf_add(b, STR(",\"common_tls_context\":{\"alpn_protocols\":"));
    name_list(b, c->tls.alpn.v, c->tls.alpn.n);
    buf_add(b, STR(",\"tls_certificate_sds_secret_configs\":["));
    for (uint32_t i = 0; i < c->secrets.n; i++) {
        const struct part *s = root_part(w->root, PART_SECRET, c->secrets.v[i]);

        if (!s)
            continue;
        buf_add(b, first ? STR("{") : STR(",{"));
        first = false;
        json_add_pair(b, "name", s->name);
        buf_add(b, STR(",\"sds_config\":" ADS "}"));
    }
    buf_printf(b, "]},\"require_client_certificate\":%s}}",
               c->tls.mode == TLS_MODE_MUTUAL ? "true" : "false");
}

static void filter_chain(struct admin_walk *w, struct buf *b, const struct chain *c)
{
    buf_addc(b, '{');
    json_add_pair(b, "name", c->part.name);
    if (c->server_names.n) {
        buf_add(b, STR(",\"filter_chain_match\":{\"server_names\":"));
        name_list(b, c->server_names.v, c->server_names.n);
        buf_addc(b, '}');
    }
    buf_add(b, STR(",\"filters\":["));
    if (c->network == NETWORK_HTTP)
        connection_manager(w, b, &c->http);
    buf_addc(b, ']');
    if (c->tls.mode != TLS_MODE_NONE)
        tls_context(w, b, c);
    dump_origin(w, b, &c->part, 0);
    buf_addc(b, '}');
}

/* A chain a step. */
bool dump_listener(struct admin_walk *w, struct buf *b, const struct part *p)
{
    const struct listener *l = (const void *)p;

    if (w->sub == 0) {
        dump_begin(b, "envoy.config.listener.v3.Listener");
        json_add_more(b, "name", p->name);
        buf_addc(b, ',');
        json_add_address(b, "\"address\"", &l->bind, l->port);
        if (l->is_tls)
            buf_add(
                b,
                STR(",\"listener_filters\":[{\"name\":\"envoy.filters.listener.tls_inspector\"}]"));
        buf_add(b, STR(",\"traffic_direction\":\"OUTBOUND\""));
        dump_origin(w, b, p, 0);
        buf_add(b, STR(",\"filter_chains\":["));
    }
    if (w->sub < l->chains.n) {
        const struct chain *c = root_chain(w->root, l->chains.v[w->sub]);

        if (c && w->leaf)
            buf_add(b, STR(",\n"));
        if (c)
            filter_chain(w, b, c);
        w->leaf |= c != NULL;
        w->sub++;
    }
    if (w->sub < l->chains.n)
        return false;
    buf_add(b, STR("]}"));
    return true;
}
