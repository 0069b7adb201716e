/*
 * mesh/gateways - which servers of all Gateways stand on which listener.
 *
 * Source: istio-api.md 1.3.1 (merging), observed.md, TLS (a repeated SNI drops the whole later
 * server; servers without a usable route open no port).
 */
#include "api/gateway.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"

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
    if (s->tls && (s->tls->mode.v == GW_TLS_SIMPLE || s->tls->mode.v == GW_TLS_MUTUAL ||
                   s->tls->mode.v == GW_TLS_OPTIONAL_MUTUAL))
        return false;
    if (s->tls)
        compile_unsupported(c, gw, LEAF(s->tls, "mode"),
                            "only SIMPLE, MUTUAL and OPTIONAL_MUTUAL are carried out yet: "
                            "handshakes for these hosts are "
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

static struct listener_plan *plan_find(struct placing *p, const struct addr *bind, uint16_t port)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->listeners[i]->port == port && addr_eq(&p->listeners[i]->bind, bind))
            return p->listeners[i];
    return NULL;
}

static struct listener_plan *plan_add(struct placing *p, struct listener_plan model)
{
    struct listener_plan *l = ARENA_NEW(p->arena, struct listener_plan);

    *l = model;
    l->slot = l->plain = SLOT_NONE;
    map_init(&l->snis);
    p->listeners = arena_grow(p->arena, p->listeners, p->n, &p->cap,
                              sizeof(struct listener_plan *));
    p->listeners[p->n++] = l;
    return l;
}

/* Each port is asked for once a plan. */
static uint16_t ask_port(struct compile *c, const struct addr *bind, uint16_t manifest)
{
    struct placing *p = c->placing;
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

    p->hosts = ARENA_ARRAY(c->placing->arena, struct str, hosts->n + 1);
    for (size_t i = 0; i < hosts->n; i++) {
        struct str ns, host;

        name_server_host(hosts->v[i], p->ref.gateway->meta->namespace, &ns, &host);
        p->hosts[p->host_count++] = name_lower(c->placing->arena, host);
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
        struct placed *copy = ARENA_NEW(c->placing->arena, struct placed);

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
    plan->v = arena_grow(c->placing->arena, plan->v, plan->n, &plan->cap, sizeof(*plan->v));
    plan->v[plan->n++] = p;
}

static void place_server(struct compile *c, const struct api_object *gw, uint32_t index)
{
    const struct api_gateway *body = gw->body;
    const struct api_gw_server *s = &body->servers.v[index];
    uint16_t number = (uint16_t)s->port->number.v, port;
    int class = class_of(c, gw, s);
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
    plan = plan_find(c->placing, &bind, port);
    if (!plan)
        plan = plan_add(c->placing, (struct listener_plan){ .bind = bind,
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
    place(c, plan, (struct placed){ .ref = { gw, index, number }, .server = s });
}

/* ---- names of parts ---- */

static void listener_name(struct placing *p, struct listener_plan *l)
{
    struct arena *a = p->arena;
    struct str bind = l->bind_text.n ? l->bind_text : STR("0.0.0.0");
    struct str suffix = l->bind_text.n ? arena_printf(a, ".%.*s", STRF(l->bind_text)) : STR("");
    struct str http = arena_printf(a, "http.%u%.*s", l->manifest_port, STRF(suffix));

    l->name = arena_printf(a, "%.*s_%u", STRF(bind), l->port);
    for (size_t i = 0; i < l->n; i++) {
        struct placed *s = &l->v[i];
        const struct api_meta *meta = s->ref.gateway->meta;

        s->routes = http;
        if (l->class == SERVER_HTTP)
            continue;
        s->routes = arena_printf(a, "https.%u.%.*s.%.*s.%.*s%.*s", s->ref.manifest_port,
                                 STRF(s->server->port->name), STRF(meta->name),
                                 STRF(meta->namespace), STRF(suffix));
        s->chain = arena_printf(a, "%.*s/%.*s", STRF(l->name), STRF(s->routes));
    }
}

/* ---- all of them ---- */

static bool any_selected(const struct compile *c, const struct object_list *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (compile_selects(c, &((const struct api_gateway *)all->v[i]->body)->selector))
            return true;
    return false;
}

static void place_gateway(struct compile *c, const struct api_object *o, bool any)
{
    const struct api_gateway *gw = o->body;

    if (!compile_selects(c, &gw->selector)) {
        api_note(o, c->notes, any ? SEV_INFO : SEV_WARNING, "LAT0306", LEAF(gw, "selector"),
                 "does not select this gateway's --labels%s",
                 any ? "" : ", and no other Gateway does");
        return;
    }
    c->placing->gateways++;
    for (size_t k = 0; k < gw->servers.n; k++)
        if (gw->servers.v[k].port)
            place_server(c, o, (uint32_t)k);
}

static struct placing *placing_new(const struct notes *notes)
{
    struct arena *a = arena_new(16384);
    struct placing *p = ARENA_NEW(a, struct placing);

    p->arena = a;
    notes_init(&p->notes, a);
    p->notes.max = notes->max;
    return p;
}

void placing_free(struct placing *p)
{
    if (p)
        arena_free(p->arena);
}

struct placing *gateways_place(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_GATEWAY);
    struct placing *p = c->placing = placing_new(c->notes);
    struct notes *notes = c->notes;
    size_t unsupported = c->sum->unsupported;
    bool any = any_selected(c, all);

    c->notes = &p->notes;
    for (size_t i = 0; i < all->n; i++)
        place_gateway(c, all->v[i], any);
    c->notes = notes;
    c->placing = NULL;
    p->unsupported = c->sum->unsupported - unsupported;
    c->sum->unsupported = unsupported;
    notes_own(&p->notes);
    for (size_t i = 0; i < p->n; i++) {
        map_fini(&p->listeners[i]->snis);
        listener_name(p, p->listeners[i]);
    }
    return p;
}
