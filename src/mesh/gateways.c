/*
 * mesh/gateways - Gateways' servers as listeners and filter chains.
 *
 * Source: istio-api.md 1.3.1 (merging), 1.3.4 (the connection manager), observed.md, TLS (a
 * repeated SNI drops the whole later server; servers without a usable route open no port).
 */
#include "api/gateway.h"
#include "base/hash.h"
#include "mesh/memo.h"
#include "mesh/uses.h"

enum server_class { SERVER_HTTP, SERVER_TLS };

/* A server that takes part in a listener. */
struct placed {
    struct server_ref ref;
    const struct api_gw_server *server;
    struct str *hosts; /* lower case, without namespaces */
    size_t host_count;
    bool is_closed; /* its handshakes are closed: a mode that is not carried out */
};

struct listener_plan {
    struct addr bind;
    struct str bind_text; /* as the Gateway says; or empty */
    uint16_t port, manifest_port;
    enum server_class class;
    struct placed *v;
    size_t n, cap;
    struct map snis; /* host -> struct placed's Gateway */
    bool opens;      /* somebody is served on it */
};

struct gateways {
    struct compile *c;
    struct listener_plan **v;
    size_t n, cap;
};

/* ---- what a server is ---- */

static const struct {
    struct str name;
    int class; /* enum server_class, or -1: not carried out */
    const char *but;
} protocols[] = {
    { STR_INIT("HTTP"), SERVER_HTTP, NULL },
    { STR_INIT("HTTP2"), SERVER_HTTP, NULL },
    { STR_INIT("GRPC"), SERVER_HTTP, NULL },
    { STR_INIT("GRPC-WEB"), SERVER_HTTP,
      "gRPC-Web is not translated yet; it is passed on as it comes" },
    { STR_INIT("HTTPS"), SERVER_TLS, NULL },
    { STR_INIT("TLS"), -1, "only HTTP and HTTPS are carried out yet; the server is left out" },
    { STR_INIT("TCP"), -1, "only HTTP and HTTPS are carried out yet; the server is left out" },
    { STR_INIT("MONGO"), -1, "only HTTP and HTTPS are carried out yet; the server is left out" },
    { STR_INIT("REDIS"), -1, "only HTTP and HTTPS are carried out yet; the server is left out" },
    { STR_INIT("MYSQL"), -1, "only HTTP and HTTPS are carried out yet; the server is left out" },
};

static int class_of(struct compile *c, const struct api_object *gw, const struct api_gw_server *s)
{
    for (size_t i = 0; i < LEN(protocols); i++) {
        if (!str_eq_nocase(s->port->protocol, protocols[i].name))
            continue;
        if (protocols[i].but)
            compile_unsupported(c, gw, LEAF(s->port, "protocol"), "%s", protocols[i].but);
        return protocols[i].class;
    }
    return -1;
}

static bool mode_is_passed(const struct api_gw_server *s)
{
    return s->tls &&
           (s->tls->mode.v == GW_TLS_PASSTHROUGH || s->tls->mode.v == GW_TLS_AUTO_PASSTHROUGH);
}

/* A mode that is not carried out must not fall through to another server's certificate. */
static bool mode_is_closed(struct compile *c, const struct api_object *gw,
                           const struct api_gw_server *s)
{
    if (s->tls && s->tls->mode.v == GW_TLS_SIMPLE)
        return false;
    if (s->tls)
        compile_unsupported(c, gw, LEAF(s->tls, "mode"),
                            "only SIMPLE is carried out yet: handshakes for these hosts are "
                            "closed");
    return true;
}

/* ---- where it stands ---- */

static bool bind_of(struct compile *c, const struct api_object *gw, const struct api_gw_server *s,
                    struct addr *ret)
{
    *ret = c->o->bind;
    if (!s->bind.n)
        return true;
    if (addr_parse_ip(s->bind, ret))
        return true;
    compile_unsupported(c, gw, LEAF(s, "bind"),
                        "only IP addresses are carried out yet; the server is left out");
    return false;
}

static struct listener_plan *plan_find(struct gateways *g, const struct addr *bind, uint16_t port)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->v[i]->port == port && addr_eq(&g->v[i]->bind, bind))
            return g->v[i];
    return NULL;
}

static struct listener_plan *plan_new(struct gateways *g, struct listener_plan model)
{
    struct compile *c = g->c;
    struct listener_plan *p = ARENA_NEW(c->a, struct listener_plan);

    *p = model;
    map_init(&p->snis);
    g->v = arena_grow(c->a, g->v, g->n, &g->cap, sizeof(struct listener_plan *));
    g->v[g->n++] = p;
    c->ports = arena_grow(c->a, c->ports, c->port_count, &c->port_cap, sizeof(*c->ports));
    c->ports[c->port_count].manifest = p->manifest_port;
    c->ports[c->port_count++].bound = p->port;
    return p;
}

static void hosts_of(struct compile *c, struct placed *p)
{
    const struct str_list *hosts = &p->server->hosts;

    p->hosts = ARENA_ARRAY(c->a, struct str, hosts->n + 1);
    for (size_t i = 0; i < hosts->n; i++) {
        struct str ns, host;

        name_server_host(hosts->v[i], p->ref.gateway->meta->namespace, &ns, &host);
        p->hosts[p->host_count++] = name_lower(c->a, host);
    }
}

/* Every name of a TLS server must be its own on that port. */
static bool claim_names(struct compile *c, struct listener_plan *plan, const struct placed *p)
{
    for (size_t i = 0; i < p->host_count; i++) {
        const struct placed *other = map_get(&plan->snis, p->hosts[i]);

        if (!other)
            continue;
        api_note(p->ref.gateway, c->notes, SEV_ERROR, "LAT0304", ITEM(p->server, "hosts", i),
                 "%.*s, server %u, already has this name on port %u: this server is left out",
                 STRF(compile_title(c, other->ref.gateway)), other->ref.index, plan->manifest_port);
        api_note_other(c->notes, other->ref.gateway, SPOT(other->server));
        return false;
    }
    for (size_t i = 0; i < p->host_count; i++) {
        struct placed *copy = ARENA_NEW(c->a, struct placed);

        *copy = *p;
        map_put(&plan->snis, p->hosts[i], copy);
    }
    return true;
}

static void place(struct gateways *g, struct listener_plan *plan, struct placed p)
{
    struct compile *c = g->c;

    hosts_of(c, &p);
    if (plan->class == SERVER_TLS) {
        if (!claim_names(c, plan, &p))
            return;
        p.is_closed = mode_is_closed(c, p.ref.gateway, p.server);
    }
    plan->opens |= !mode_is_passed(p.server) || plan->class == SERVER_HTTP;
    plan->v = arena_grow(c->a, plan->v, plan->n, &plan->cap, sizeof(*plan->v));
    plan->v[plan->n++] = p;
}

static void place_server(struct gateways *g, const struct api_object *gw, uint32_t index)
{
    struct compile *c = g->c;
    const struct api_gateway *body = gw->body;
    const struct api_gw_server *s = &body->servers.v[index];
    uint16_t number = (uint16_t)s->port->number.v, port;
    int class = class_of(c, gw, s);
    uint64_t digest;
    struct listener_plan *plan;
    struct addr bind;

    if (class < 0 || !bind_of(c, gw, s, &bind))
        return;
    port = compile_port(c, &bind, number);
    if (!port) {
        api_note(gw, c->notes, SEV_ERROR, "LAT0304", LEAF(s->port, "number"),
                 "port %u cannot be bound: the server is left out", number);
        return;
    }
    plan = plan_find(g, &bind, port);
    if (!plan)
        plan = plan_new(g, (struct listener_plan){ .bind = bind,
                                                   .bind_text = s->bind,
                                                   .port = port,
                                                   .manifest_port = number,
                                                   .class = (enum server_class) class });
    if (plan->class != (enum server_class) class) {
        api_note(gw, c->notes, SEV_ERROR, "LAT0304", LEAF(s->port, "protocol"),
                 "%.*s already has %s on port %u: this server is left out",
                 STRF(compile_title(c, plan->v[0].ref.gateway)),
                 plan->class == SERVER_TLS ? "TLS" : "plain text", number);
        api_note_other(c->notes, plan->v[0].ref.gateway, SPOT(plan->v[0].server));
        return;
    }
    digest = hash_mix(memo_object(gw), ((uint64_t)index << 16) | number);
    place(g, plan, (struct placed){ .ref = { gw, index, number, digest }, .server = s });
}

/* ---- the connection manager ---- */

static uint8_t path_form(const struct api_meshconfig *m)
{
    static const uint8_t forms[] = {
        [NORMALIZE_DEFAULT] = URL_BASE,
        [NORMALIZE_NONE] = URL_NONE,
        [NORMALIZE_BASE] = URL_BASE,
        [NORMALIZE_MERGE_SLASHES] = URL_MERGE_SLASHES,
        [NORMALIZE_DECODE_AND_MERGE_SLASHES] = URL_DECODE_AND_MERGE_SLASHES,
    };
    int32_t said = m->path_normalization ? m->path_normalization->normalization.v : 0;

    return said >= 0 && (size_t)said < LEN(forms) ? forms[said] : URL_BASE;
}

static void manager_fill(struct compile *c, struct part *p, struct http_manager *h,
                         struct str listener_name)
{
    const struct api_proxy_config *pc = c->config->default_config;
    const struct api_connection_settings *cs = pc ? pc->connection_settings : NULL;
    const struct api_server_header *server = pc && pc->proxy_headers ? pc->proxy_headers->server
                                                                     : NULL;

    h->stat_prefix = arena_printf(p->arena, "outbound_%.*s", STRF(listener_name));
    h->server_name = STR("istio-envoy");
    if (server && server->value.n)
        h->server_name = arena_dup(p->arena, server->value);
    if (server && server->disabled.v)
        h->server_name = STR("");
    h->path_form = path_form(c->config);
    h->is_gateway = true;
    uses_manager(c);
    if (pc && pc->gateway_topology)
        h->trusted_hops = (uint32_t)MAX(pc->gateway_topology->num_trusted_proxies.v, 0);
    h->request_head_ms = duration_ms(cs ? &cs->http_request_headers_timeout : NULL, 60000);
    h->idle_ms = duration_ms(cs ? &cs->http_idle_timeout : NULL, 3600000);
    h->max_headers = 100;
    h->max_head_octets = 61440;
    h->buffer_limit = 1 << 20;
    if (cs && cs->listener_per_connection_buffer_limit_bytes.v > 0)
        h->buffer_limit = (uint32_t)cs->listener_per_connection_buffer_limit_bytes.v;
    h->preserve_case = pc && pc->proxy_headers && pc->proxy_headers->preserve_http1_header_case.v;
    ARRAY_COPY(p, h->filters, 2);
    h->filters.v[0] = (struct filter_config){ .kind = STR("headers"), .instance = STR("headers") };
    h->filters.v[1] = (struct filter_config){ .kind = STR("router"), .instance = STR("router") };
}

static struct chain *chain_new(struct compile *c, struct str name, const struct placed *p,
                               struct str listener_name)
{
    struct chain *ch = compile_part(c, PART_CHAIN, name);

    part_origin(&ch->part, compile_origin(c, p->ref.gateway, SPOT(p->server)));
    ch->network = NETWORK_HTTP;
    ch->tls.client_ca = SLOT_NONE;
    ch->http.routes = SLOT_NONE;
    manager_fill(c, &ch->part, &ch->http, listener_name);
    return ch;
}

/* ---- plain text: all servers share one route configuration ---- */

static struct str suffix(struct compile *c, const struct listener_plan *plan)
{
    return plan->bind_text.n ? arena_printf(c->a, ".%.*s", STRF(plan->bind_text)) : STR("");
}

static void plain_compile(struct compile *c, struct listener_plan *plan, struct listener *l)
{
    struct str name = arena_printf(c->a, "http.%u%.*s", plan->manifest_port, STRF(suffix(c, plan)));
    struct server_ref *refs = ARENA_ARRAY(c->a, struct server_ref, plan->n);
    struct chain *ch = chain_new(c, l->part.name, &plan->v[0], l->part.name);

    for (size_t i = 0; i < plan->n; i++)
        refs[i] = plan->v[i].ref;
    ch->http.routes = routes_compile(c, name, refs, plan->n);
    ARRAY_COPY(&l->part, l->chains, 1);
    l->chains.v[0] = ch->part.slot;
    compile_put_sure(c, &ch->part);
}

/* ---- TLS: a chain each ---- */

static uint16_t tls_version(const struct opt_enum *e)
{
    return e->v == GW_PROTO_TLSV1_3 ? 0x0304 : e->v == GW_PROTO_TLSV1_2 ? 0x0303 : 0;
}

static void profile_fill(struct compile *c, const struct placed *p, struct chain *ch)
{
    const struct api_gw_tls *tls = p->server->tls;
    struct arena *a = ch->part.arena;

    ch->tls.mode = TLS_MODE_SIMPLE;
    ARRAY_COPY(&ch->part, ch->tls.alpn, 2);
    ch->tls.alpn.v[0] = STR("h2");
    ch->tls.alpn.v[1] = STR("http/1.1");
    if (!tls)
        return;
    if (tls->min_protocol_version.v == GW_PROTO_TLSV1_0 ||
        tls->min_protocol_version.v == GW_PROTO_TLSV1_1)
        compile_unsupported(c, p->ref.gateway, LEAF(tls, "minProtocolVersion"),
                            "TLS 1.2 is the lowest that is spoken");
    ch->tls.min_version = tls_version(&tls->min_protocol_version);
    ch->tls.max_version = tls_version(&tls->max_protocol_version);
    ARRAY_COPY(&ch->part, ch->tls.ciphers, tls->cipher_suites.n);
    for (size_t i = 0; i < tls->cipher_suites.n; i++)
        ch->tls.ciphers.v[i] = arena_dup(a, tls->cipher_suites.v[i]);
}

static slot_id tls_chain(struct compile *c, const struct listener_plan *plan,
                         const struct placed *p, struct str listener_name)
{
    const struct api_meta *meta = p->ref.gateway->meta;
    struct str routes = arena_printf(c->a, "https.%u.%.*s.%.*s.%.*s%.*s", p->ref.manifest_port,
                                     STRF(p->server->port->name), STRF(meta->name),
                                     STRF(meta->namespace), STRF(suffix(c, plan)));
    struct chain *ch = chain_new(
        c, arena_printf(c->a, "%.*s/%.*s", STRF(listener_name), STRF(routes)), p, listener_name);
    slot_id slot = ch->part.slot;

    ARRAY_COPY(&ch->part, ch->server_names, p->host_count);
    for (size_t i = 0; i < p->host_count; i++)
        ch->server_names.v[i] = arena_dup(ch->part.arena, p->hosts[i]);
    profile_fill(c, p, ch);
    if (!p->is_closed)
        credentials_compile(c, p->ref.gateway, p->server->tls, ch, p->hosts, p->host_count);
    ch->http.routes = routes_compile(c, routes, &p->ref, 1);
    compile_put_sure(c, &ch->part);
    return slot;
}

static void tls_compile(struct compile *c, struct listener_plan *plan, struct listener *l)
{
    l->is_tls = true;
    ARRAY_COPY(&l->part, l->chains, plan->n);
    for (size_t i = 0; i < plan->n; i++)
        l->chains.v[i] = tls_chain(c, plan, &plan->v[i], l->part.name);
}

/* ---- listeners ---- */

static bool is_redirect(const struct placed *p)
{
    return p->server->tls && p->server->tls->https_redirect.v;
}

static void show(struct compile *c, const struct listener_plan *plan, const struct listener *l)
{
    struct mesh_summary *sum = c->sum;
    struct mesh_listener *to;
    size_t n = 0;

    sum->listeners = arena_grow(c->a, sum->listeners, sum->listener_count, &c->listener_cap,
                                sizeof(*sum->listeners));
    to = &sum->listeners[sum->listener_count++];
    *to = (struct mesh_listener){
        .name = arena_dup(c->a, l->part.name),
        .bind = plan->bind,
        .port = plan->port,
        .manifest_port = plan->manifest_port,
        .is_tls = l->is_tls,
        .is_redirect = !l->is_tls,
        .origin = compile_origin(c, plan->v[0].ref.gateway, SPOT(plan->v[0].server)),
    };
    for (size_t i = 0; i < plan->n; i++) {
        n += plan->v[i].host_count;
        to->is_redirect &= is_redirect(&plan->v[i]);
    }
    to->hosts = ARENA_ARRAY(c->a, struct str, n + 1);
    for (size_t i = 0; i < plan->n; i++)
        for (size_t k = 0; k < plan->v[i].host_count; k++)
            to->hosts[to->host_count++] = plan->v[i].hosts[k];
}

static void listener_compile(struct compile *c, struct listener_plan *plan)
{
    struct str bind = plan->bind_text.n ? plan->bind_text : STR("0.0.0.0");
    struct listener *l = compile_part(c, PART_LISTENER,
                                      arena_printf(c->a, "%.*s_%u", STRF(bind), plan->port));

    part_origin(&l->part, compile_origin(c, plan->v[0].ref.gateway, SPOT(plan->v[0].server)));
    l->bind = plan->bind;
    l->port = plan->port;
    l->manifest_port = plan->manifest_port;
    l->stat_prefix = l->part.name;
    l->tls_handshake_ms = 15000;
    for (size_t i = 0; i < plan->n; i++)
        uses_server(c, plan->v[i].ref.gateway, plan->v[i].server, plan->class == SERVER_TLS,
                    plan->v[i].is_closed);
    if (plan->class == SERVER_TLS)
        tls_compile(c, plan, l);
    else
        plain_compile(c, plan, l);
    show(c, plan, l);
    compile_put_sure(c, &l->part);
}

/* Redirects name the ports that were bound. */
static void digest_ports(struct compile *c)
{
    for (size_t i = 0; i < c->port_count; i++)
        c->ports_digest = hash_mix(c->ports_digest,
                                   ((uint64_t)c->ports[i].manifest << 16) | c->ports[i].bound);
}

static bool any_selected(const struct compile *c, const struct object_list *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (compile_selects(c, &((const struct api_gateway *)all->v[i]->body)->selector))
            return true;
    return false;
}

void gateways_compile(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_GATEWAY);
    struct gateways g = { .c = c };
    bool any = any_selected(c, all);

    for (size_t i = 0; i < all->n; i++) {
        const struct api_gateway *gw = all->v[i]->body;

        if (!compile_selects(c, &gw->selector)) {
            api_note(all->v[i], c->notes, any ? SEV_INFO : SEV_WARNING, "LAT0306",
                     LEAF(gw, "selector"), "does not select this gateway's --labels%s",
                     any ? "" : ", and no other Gateway does");
            continue;
        }
        c->sum->gateways++;
        for (size_t k = 0; k < gw->servers.n; k++)
            if (gw->servers.v[k].port)
                place_server(&g, all->v[i], (uint32_t)k);
    }
    digest_ports(c);
    for (size_t i = 0; i < g.n; i++) {
        if (g.v[i]->n && g.v[i]->opens)
            listener_compile(c, g.v[i]);
        map_fini(&g.v[i]->snis);
    }
}
