/*
 * mesh/gateways - Gateways' servers as listeners and filter chains.
 *
 * Source: istio-api.md 1.3.1 (merging), 1.3.4 (the connection manager), observed.md, TLS (a
 * repeated SNI drops the whole later server; servers without a usable route open no port).
 */
#include "api/gateway.h"
#include "base/hash.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "mesh/uses.h"

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

static struct listener_plan *plan_find(struct plan *p, const struct addr *bind, uint16_t port)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->listeners[i]->port == port && addr_eq(&p->listeners[i]->bind, bind))
            return p->listeners[i];
    return NULL;
}

static struct listener_plan *plan_add(struct plan *p, struct listener_plan model)
{
    struct listener_plan *l = ARENA_NEW(p->arena, struct listener_plan);

    *l = model;
    map_init(&l->snis);
    p->listeners = arena_grow(p->arena, p->listeners, p->n, &p->cap,
                              sizeof(struct listener_plan *));
    p->listeners[p->n++] = l;
    return l;
}

/* Each port is asked for once a plan. */
static uint16_t ask_port(struct compile *c, const struct addr *bind, uint16_t manifest)
{
    struct plan *p = c->plan;
    uint16_t bound;

    for (size_t i = 0; i < p->asked_n; i++)
        if (p->asked[i].manifest == manifest && addr_eq(&p->asked[i].bind, bind))
            return p->asked[i].bound;
    bound = compile_port(c, bind, manifest);
    p->asked = arena_grow(p->arena, p->asked, p->asked_n, &p->asked_cap, sizeof(*p->asked));
    p->asked[p->asked_n++] = (struct asked_port){ *bind, manifest, bound };
    return bound;
}

static void hosts_of(struct compile *c, struct placed *p)
{
    const struct str_list *hosts = &p->server->hosts;

    p->hosts = ARENA_ARRAY(c->plan->arena, struct str, hosts->n + 1);
    for (size_t i = 0; i < hosts->n; i++) {
        struct str ns, host;

        name_server_host(hosts->v[i], p->ref.gateway->meta->namespace, &ns, &host);
        p->hosts[p->host_count++] = name_lower(c->plan->arena, host);
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
        struct placed *copy = ARENA_NEW(c->plan->arena, struct placed);

        *copy = *p;
        map_put(&plan->snis, p->hosts[i], copy);
    }
    return true;
}

static void place(struct compile *c, struct listener_plan *plan, struct placed p)
{
    hosts_of(c, &p);
    if (plan->class == SERVER_TLS) {
        if (!claim_names(c, plan, &p))
            return;
        p.is_closed = mode_is_closed(c, p.ref.gateway, p.server);
    }
    plan->opens |= !mode_is_passed(p.server) || plan->class == SERVER_HTTP;
    plan->v = arena_grow(c->plan->arena, plan->v, plan->n, &plan->cap, sizeof(*plan->v));
    plan->v[plan->n++] = p;
}

static void place_server(struct compile *c, const struct api_object *gw, uint32_t index)
{
    const struct api_gateway *body = gw->body;
    const struct api_gw_server *s = &body->servers.v[index];
    uint16_t number = (uint16_t)s->port->number.v, port;
    int class = class_of(c, gw, s);
    uint64_t digest;
    struct listener_plan *plan;
    struct addr bind;

    if (class < 0 || !bind_of(c, gw, s, &bind))
        return;
    port = ask_port(c, &bind, number);
    if (!port) {
        api_note(gw, c->notes, SEV_ERROR, "LAT0304", LEAF(s->port, "number"),
                 "port %u cannot be bound: the server is left out", number);
        return;
    }
    plan = plan_find(c->plan, &bind, port);
    if (!plan)
        plan = plan_add(c->plan, (struct listener_plan){ .bind = bind,
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
    place(c, plan, (struct placed){ .ref = { gw, index, number, digest }, .server = s });
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
    struct arena *a = c->plan->arena;
    struct str name = arena_printf(a, "http.%u%.*s", plan->manifest_port, STRF(suffix(c, plan)));
    struct server_ref *refs = ARENA_ARRAY(a, struct server_ref, plan->n);
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

static bool is_old(const struct opt_enum *e)
{
    return e->v == GW_PROTO_TLSV1_0 || e->v == GW_PROTO_TLSV1_1;
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
    if (is_old(&tls->min_protocol_version))
        compile_unsupported(c, p->ref.gateway, LEAF(tls, "minProtocolVersion"),
                            "TLS 1.2 is the lowest that is spoken");
    if (is_old(&tls->max_protocol_version))
        compile_unsupported(c, p->ref.gateway, LEAF(tls, "maxProtocolVersion"),
                            "TLS 1.2 is the lowest that is spoken: nothing is taken for the "
                            "highest");
    ch->tls.min_version = tls_version(&tls->min_protocol_version);
    ch->tls.max_version = tls_version(&tls->max_protocol_version);
    ARRAY_COPY(&ch->part, ch->tls.ciphers, tls->cipher_suites.n);
    for (size_t i = 0; i < tls->cipher_suites.n; i++)
        ch->tls.ciphers.v[i] = arena_dup(a, tls->cipher_suites.v[i]);
}

static struct chain *chain_make(struct compile *c, const struct listener_plan *plan,
                                const struct placed *p)
{
    struct chain *ch = chain_new(c, p->chain, p, plan->name);

    ARRAY_COPY(&ch->part, ch->server_names, p->host_count);
    for (size_t i = 0; i < p->host_count; i++)
        ch->server_names.v[i] = arena_dup(ch->part.arena, p->hosts[i]);
    profile_fill(c, p, ch);
    if (!p->is_closed)
        credentials_compile(c, p->ref.gateway, p->server->tls, ch, p->hosts, p->host_count);
    ch->http.routes = slots_of(c->slots, PART_ROUTES, p->routes);
    return ch;
}

static slot_id chain_compile(struct compile *c, struct listener_plan *plan, struct placed *p);

/* Secrets that the chain had, and that nobody puts again, are gone. */
static void chain_redo(struct compile *c, const struct memo *m)
{
    const struct credentials *had = m->credentials;

    for (size_t i = 0; i < had->slot_n; i++) {
        c->dropped = arena_grow(c->a, c->dropped, c->dropped_n, &c->dropped_cap,
                                sizeof(*c->dropped));
        c->dropped[c->dropped_n++] = had->slots[i];
    }
    (void)chain_compile(c, m->at[0], m->at[1]);
}

static void chain_remember(struct compile *c, struct memo *m, struct listener_plan *plan,
                           struct placed *p)
{
    struct plan *all = c->plan;
    int64_t expires_ms = (int64_t)m->result;

    m->at[0] = plan;
    m->at[1] = p;
    p->chain_memo = m;
    if (expires_ms && (!all->expires_ms || expires_ms < all->expires_ms))
        all->expires_ms = expires_ms;
}

static bool is_past(const struct compile *c, const struct memo *m)
{
    const struct mesh_hooks *h = &c->o->hooks;

    return m->result && h->wall_ms && h->wall_ms(h->arg) > (int64_t)m->result;
}

/* A chain with its certificates: one piece. */
static slot_id chain_compile(struct compile *c, struct listener_plan *plan, struct placed *p)
{
    uint64_t name = key_mix(hash_stable(p->chain), MEMO_CHAIN);
    uint64_t key = key_mix(key_mix(p->ref.digest, c->config_digest), p->is_closed);
    struct memo *m = memo_recall(c, memo_name(&name), key);
    struct memo_capture cap;
    struct chain *ch;
    slot_id slot;

    if (m && !is_past(c, m)) {
        chain_remember(c, m, plan, p);
        compile_put_again(c, m->part);
        for (size_t i = 0; i < m->credentials->slot_n; i++)
            compile_seen(c, PART_SECRET, m->credentials->slots[i]);
        return m->part->slot;
    }
    memo_begin(c, &cap, memo_name(&name), key);
    lookup_keyed(c, OBJ_GATEWAY, p->ref.gateway);
    c->credentials = ARENA_NEW(cap.memo->arena, struct credentials);
    c->credentials_arena = cap.memo->arena;
    c->expires_ms = 0;
    ch = chain_make(c, plan, p);
    slot = ch->part.slot;
    compile_put_sure(c, &ch->part);
    m = memo_end(c, &cap, true);
    m->part = compile_hold(c, PART_CHAIN, slot);
    m->credentials = c->credentials;
    m->result = (size_t)c->expires_ms;
    m->redo = chain_redo;
    chain_remember(c, m, plan, p);
    return slot;
}

static void name_chain(struct compile *c, const struct listener_plan *plan, struct placed *p)
{
    const struct api_meta *meta = p->ref.gateway->meta;
    struct arena *a = c->plan->arena;

    p->routes = arena_printf(a, "https.%u.%.*s.%.*s.%.*s%.*s", p->ref.manifest_port,
                             STRF(p->server->port->name), STRF(meta->name), STRF(meta->namespace),
                             STRF(suffix(c, plan)));
    p->chain = arena_printf(a, "%.*s/%.*s", STRF(plan->name), STRF(p->routes));
}

static void tls_compile(struct compile *c, struct listener_plan *plan, struct listener *l)
{
    l->is_tls = true;
    ARRAY_COPY(&l->part, l->chains, plan->n);
    for (size_t i = 0; i < plan->n; i++) {
        struct placed *p = &plan->v[i];

        name_chain(c, plan, p);
        l->chains.v[i] = chain_compile(c, plan, p);
        (void)routes_compile(c, p->routes, &p->ref, 1);
    }
}

/* ---- listeners ---- */

static struct origin origin_kept(struct arena *a, struct origin o)
{
    o.file = arena_dup(a, o.file);
    o.object = arena_dup(a, o.object);
    o.path = arena_dup(a, o.path);
    return o;
}

static void crowd_limits(struct compile *c, struct listener *l)
{
    const struct api_proxy_config *pc = c->config->default_config;
    const struct api_connection_settings *cs = pc ? pc->connection_settings : NULL;

    if (!cs)
        return;
    l->max_connections = (uint32_t)MAX(cs->listener_connection_limit.v, 0);
    l->max_connections_in_all = (uint32_t)MAX(cs->global_downstream_connection_limit.v, 0);
}

static void listener_compile(struct compile *c, struct listener_plan *plan)
{
    struct str bind = plan->bind_text.n ? plan->bind_text : STR("0.0.0.0");
    struct listener *l;

    plan->name = arena_printf(c->plan->arena, "%.*s_%u", STRF(bind), plan->port);
    plan->origin = origin_kept(c->plan->arena,
                               compile_origin(c, plan->v[0].ref.gateway, SPOT(plan->v[0].server)));
    l = compile_part(c, PART_LISTENER, plan->name);
    part_origin(&l->part, plan->origin);
    l->bind = plan->bind;
    l->port = plan->port;
    l->manifest_port = plan->manifest_port;
    l->stat_prefix = l->part.name;
    l->tls_handshake_ms = 15000;
    crowd_limits(c, l);
    for (size_t i = 0; i < plan->n; i++)
        uses_server(c, plan->v[i].ref.gateway, plan->v[i].server, plan->class == SERVER_TLS,
                    plan->v[i].is_closed);
    if (plan->class == SERVER_TLS)
        tls_compile(c, plan, l);
    else
        plain_compile(c, plan, l);
    compile_put_sure(c, &l->part);
}

static bool any_selected(const struct compile *c, const struct object_list *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (compile_selects(c, &((const struct api_gateway *)all->v[i]->body)->selector))
            return true;
    return false;
}

void gateways_plan(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_GATEWAY);
    struct plan *p = c->plan;
    bool any = any_selected(c, all);

    for (size_t i = 0; i < all->n; i++) {
        const struct api_gateway *gw = all->v[i]->body;

        if (!compile_selects(c, &gw->selector)) {
            api_note(all->v[i], c->notes, any ? SEV_INFO : SEV_WARNING, "LAT0306",
                     LEAF(gw, "selector"), "does not select this gateway's --labels%s",
                     any ? "" : ", and no other Gateway does");
            continue;
        }
        p->gateways++;
        for (size_t k = 0; k < gw->servers.n; k++)
            if (gw->servers.v[k].port)
                place_server(c, all->v[i], (uint32_t)k);
    }
    plan_ports_known(c);
    for (size_t i = 0; i < p->n; i++) {
        map_fini(&p->listeners[i]->snis);
        if (p->listeners[i]->n && p->listeners[i]->opens)
            listener_compile(c, p->listeners[i]);
    }
}
