#include "sim/conf.h"

#include "sim/peer.h"

#include "filter/filter.h"
#include "live/budget.h"
#include "live/host.h"

static const char *const cluster_names[CLUSTERS] = { "outbound|80||a", "outbound|80||b" };
static const char *const host_names[CLUSTERS] = { "a.test", "b.test" };

static const struct part_hooks hooks = {
    .host_get = live_host_get,
    .host_unref = live_host_unref,
    .budget_get = live_budget_get,
    .budget_unref = live_budget_unref,
    .filter_parse = filter_config_parse,
    .filter_drop = filter_config_drop,
};

const char *conf_cluster_name(uint32_t i)
{
    return cluster_names[i];
}

static struct str listener_name(uint16_t port)
{
    return port == PORT_TLS ? STR("0.0.0.0_443") : STR("0.0.0.0_80");
}

slot_id conf_listener(struct slots *slots, uint16_t port)
{
    return slots_of(slots, PART_LISTENER, listener_name(port));
}

struct making {
    const struct conf *c;
    struct slots *slots;
    struct root_edit *edit;
};

static void put(struct making *m, void *part)
{
    struct part *p = part;
    struct str error;

    p->slot = slots_of(m->slots, p->kind, p->name);
    MUST(part_finish(p, &error));
    root_edit_set(m->edit, p);
}

static slot_id slot(struct making *m, enum part_kind kind, const char *name)
{
    return slots_of(m->slots, kind, str_of(name));
}

static void put_listener(struct making *m, uint16_t port)
{
    struct listener *l = part_new(PART_LISTENER, listener_name(port));

    l->port = l->manifest_port = port;
    l->is_tls = port == PORT_TLS;
    l->max_connections = m->c->listener_max;
    l->chains.v = ARENA_ARRAY(l->part.arena, slot_id, 1);
    l->chains.v[0] = slot(m, PART_CHAIN, l->is_tls ? "tls" : "clear");
    l->chains.n = 1;
    put(m, l);
}

static void put_filters(const struct conf *c, struct chain *ch)
{
    uint32_t n = 0;

    ch->http.filters.v = ARENA_ARRAY(ch->part.arena, struct filter_config, 2);
    if (c->headers_filter)
        ch->http.filters.v[n++] = (struct filter_config){
            .kind = STR("headers"),
            .instance = STR("headers"),
            .config = STR("response set x-by: lateen\nrequest set x-by: lateen\n"),
        };
    ch->http.filters.v[n++] = (struct filter_config){ .kind = STR("router"),
                                                      .instance = STR("router") };
    ch->http.filters.n = n;
}

static void put_chain(struct making *m, bool tls)
{
    const struct conf *c = m->c;
    struct chain *ch = part_new(PART_CHAIN, tls ? STR("tls") : STR("clear"));

    ch->http = (struct http_manager){
        .routes = slot(m, PART_ROUTES, "http.80"),
        .server_name = STR("istio-envoy"),
        .path_form = URL_BASE,
        .is_gateway = true,
        .request_head_ms = c->head_ms,
        .idle_ms = c->down_idle_ms,
        .max_headers = 100,
        .max_head_octets = 61440,
        .buffer_limit = c->buffer_limit,
        .max_body = c->max_body,
    };
    put_filters(c, ch);
    ch->tls.client_ca = SLOT_NONE;
    if (tls) {
        ch->tls.mode = TLS_MODE_SIMPLE;
        ch->tls.alpn.v = ARENA_ARRAY(ch->part.arena, struct str, 2);
        ch->tls.alpn.v[0] = STR("h2");
        ch->tls.alpn.v[1] = STR("http/1.1");
        ch->tls.alpn.n = 2;
        ch->secrets.v = ARENA_ARRAY(ch->part.arena, slot_id, 1);
        ch->secrets.v[0] = slot(m, PART_SECRET, "kubernetes://a");
        ch->secrets.n = 1;
    }
    put(m, ch);
}

static void put_secret(struct making *m)
{
    struct secret *s = part_new(PART_SECRET, STR("kubernetes://a"));

    s->chain_pem = arena_dup(s->part.arena, tls_chain_pem());
    s->key_pem = arena_dup(s->part.arena, tls_key_pem());
    put(m, s);
}

static void put_vhost(struct making *m, uint32_t i)
{
    const struct conf *c = m->c;
    struct vhost *v = part_new(PART_VHOST, i ? STR("http.80/b.test") : STR("http.80/a.test"));
    struct route *r;

    v->routes.v = ARENA_ARRAY(v->part.arena, struct route, 1);
    v->routes.n = 1;
    r = &v->routes.v[0];
    r->name = STR("default");
    r->timeout_ms = c->route_ms;
    r->extras = ARENA_NEW(v->part.arena, struct route_extras);
    r->extras->retry = ARENA_NEW(v->part.arena, struct retry_policy);
    *r->extras->retry = (struct retry_policy){
        .attempts = (uint16_t)c->retries,
        .on = RETRY_CONNECT_FAILURE | RETRY_REFUSED_STREAM,
        .idle_race = c->retries > 0,
        .base_ms = 25,
    };
    r->destinations.v = ARENA_ARRAY(v->part.arena, struct destination, 1);
    r->destinations.n = 1;
    r->destinations.v[0] = (struct destination){
        .cluster_name = str_of(cluster_names[i]),
        .cluster = slot(m, PART_CLUSTER, cluster_names[i]),
        .weight = 1,
    };
    put(m, v);
}

static void put_cluster(struct making *m, uint32_t i)
{
    const struct conf *c = m->c;
    struct cluster *cl = part_new(PART_CLUSTER, str_of(cluster_names[i]));
    struct hosts *h = part_new(PART_HOSTS, str_of(cluster_names[i]));

    cl->hosts = slot(m, PART_HOSTS, cluster_names[i]);
    cl->http2 = c->http2[i];
    cl->lb = c->lb;
    cl->connect_ms = c->connect_ms;
    cl->idle_ms = c->idle_ms;
    cl->max_requests_per_connection = c->per_connection;
    cl->limits = c->limits[i];
    h->cluster_name = str_of(cluster_names[i]); /* `cl` may be gone, where it is as before */
    h->endpoints.v = ARENA_ARRAY(h->part.arena, struct endpoint, c->hosts[i]);
    h->endpoints.n = c->hosts[i];
    for (uint32_t k = 0; k < c->hosts[i]; k++)
        h->endpoints.v[k] = (struct endpoint){
            .addr = { .family = 4, .port = 80, .ip = { 10, 0, 0, (uint8_t)(i * HOST_STRIDE + k) } },
            .weight = 1,
            .healthy = true,
        };
    put(m, cl);
    put(m, h);
}

struct root *conf_root(const struct conf *c, struct slots *slots, struct root *base)
{
    struct making m = { c, slots, NULL };
    struct routes *rt;

    part_hooks = hooks;
    m.edit = root_edit_new(base);
    rt = part_new(PART_ROUTES, STR("http.80"));
    rt->domains.v = ARENA_ARRAY(rt->part.arena, struct domain, CLUSTERS);
    rt->domains.n = CLUSTERS;
    for (uint32_t i = 0; i < CLUSTERS; i++) {
        put_vhost(&m, i);
        put_cluster(&m, i);
        rt->domains.v[i] = (struct domain){
            str_of(host_names[i]), slot(&m, PART_VHOST, i ? "http.80/b.test" : "http.80/a.test")
        };
    }
    put(&m, rt);
    put_listener(&m, PORT_CLEAR);
    put_chain(&m, false);
    if (c->tls) {
        put_secret(&m);
        put_listener(&m, PORT_TLS);
        put_chain(&m, true);
    } else {
        root_edit_clear(m.edit, PART_LISTENER, conf_listener(slots, PORT_TLS));
        root_edit_clear(m.edit, PART_CHAIN, slot(&m, PART_CHAIN, "tls"));
    }
    return root_edit_finish(m.edit);
}
