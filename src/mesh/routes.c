/*
 * mesh/routes - route configurations: which VirtualService serves which host of a server.
 *
 * Source: istio-api.md 1.3.2 (intersection), observed.md, Hosts.
 */
#include "api/gateway.h"
#include "api/virtualservice.h"
#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"

/* ---- whether a VirtualService has rules for a server ---- */

static bool rules_any(struct compile *c, struct vs_cell *cell, const struct server_ref *s);

/* The plan holds as long as there are rules, or as long as there are none. */
static void rules_redo(struct compile *c, const struct memo *m)
{
    bool any = m->result > 0;

    if (rules_any(c, m->at[0], m->at[1]) != any)
        c->replan = true;
}

/* Whether a VirtualService has rules for a server. What is to be said about them is said
 * here, once a server, whether or not a host of it is served. */
static bool rules_any(struct compile *c, struct vs_cell *cell, const struct server_ref *s)
{
    uint64_t name = key_mix(key_mix(cell->key, MEMO_RULES), s->digest);
    uint64_t key = cell->digest;
    struct memo *m = memo_recall(c, memo_name(&name), key);
    struct memo_capture cap;
    struct rules rules = { 0 };

    if (!m) {
        memo_begin(c, &cap, memo_name(&name), key);
        lookup_keyed(c, OBJ_GATEWAY, s->gateway);
        lookup_keyed(c, OBJ_VIRTUAL_SERVICE, cell->object);
        rules_of(c, cell->object, s, &rules);
        m = memo_end(c, &cap, true);
        m->result = rules.n;
        m->redo = rules_redo;
    }
    m->at[0] = cell;
    m->at[1] = (void *)(uintptr_t)s;
    return m->result > 0;
}

/* ---- virtual hosts ---- */

static struct vhost_plan *plan_vhost(struct compile *c, struct routes_plan *plan, struct str host,
                                     const struct server_ref *s)
{
    struct vhost_plan *v = map_get(&plan->by_host, host);

    if (v)
        return v;
    v = ARENA_NEW(c->plan->arena, struct vhost_plan);
    v->host = arena_dup(c->plan->arena, host);
    v->hash = hash_stable(host);
    v->server = s;
    map_put(&plan->by_host, v->host, v);
    return v;
}

/* The same VirtualService may come to a host through two servers of one Gateway. */
static void vhost_add(struct compile *c, struct vhost_plan *v, struct vhost_source source)
{
    for (size_t i = 0; i < v->used_n; i++)
        if (v->used[i].cell == source.cell && v->used[i].broken == source.broken &&
            v->used[i].server->gateway == source.server->gateway)
            return;
    v->used = arena_grow(c->plan->arena, v->used, v->used_n, &v->used_cap, sizeof(*v->used));
    v->used[v->used_n++] = source;
}

static void plan_host(struct compile *c, struct routes_plan *plan, struct str host,
                      struct vhost_source source)
{
    const struct server_ref *s = source.server;
    struct vhost_plan *v = plan_vhost(c, plan, host, s);
    const struct api_gateway *gw = s->gateway->body;
    const struct api_gw_tls *tls = gw->servers.v[s->index].tls;

    if (tls && tls->https_redirect.v && !v->redirect)
        v->redirect = s;
    vhost_add(c, v, source);
}

/* The rules of a VirtualService, if there are any, for each of its hosts that is also one of the
 * server's. */
static bool plan_hosts(struct compile *c, struct routes_plan *plan, struct vhost_source source,
                       const struct str_list *hosts, bool any_rules)
{
    const struct server_ref *s = source.server;
    const struct api_object *o = source_of(&source);
    const struct api_gateway *gw = s->gateway->body;
    const struct str_list *server_hosts = &gw->servers.v[s->index].hosts;
    bool any = false;

    for (size_t i = 0; i < server_hosts->n; i++) {
        struct str ns, server_host, host;

        name_server_host(server_hosts->v[i], s->gateway->meta->namespace, &ns, &server_host);
        if (str_is_set(ns) && !str_eq(ns, o->meta->namespace))
            continue;
        server_host = name_lower(c->a, server_host);
        for (size_t k = 0; k < hosts->n; k++) {
            if (!name_intersect(server_host, name_host(c->a, hosts->v[k], o->meta->namespace),
                                &host))
                continue;
            any = true;
            if (any_rules)
                plan_host(c, plan, host, source);
        }
    }
    return any;
}

/* One VirtualService at one server. */
static void plan_service(struct compile *c, struct routes_plan *plan, const struct server_ref *s,
                         const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;
    struct vs_cell *cell = cell_of(c->m, o);
    struct vhost_source source = { .cell = cell, .server = s };

    cell->mark = MAX(cell->mark, MARK_BOUND);
    if (vs->http.n && plan_hosts(c, plan, source, &vs->hosts, rules_any(c, cell, s)))
        cell->mark = MARK_USED;
}

/* ---- VirtualServices that are broken from the start ---- */

/* The strings of a list in an object that could not be decoded as a whole. */
static struct str_list raw_list(struct compile *c, const struct api_object *o, struct str name)
{
    const struct node *spec = node_get(o->node, STR("spec"));
    const struct node *list = spec ? node_get(spec, name) : NULL;
    struct str_list out = { 0 };

    if (!list || list->kind != NODE_SEQ)
        return out;
    out.v = ARENA_ARRAY(c->a, struct str, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++)
        if (list->items[i].kind == NODE_SCALAR && list->items[i].text.n)
            out.v[out.n++] = list->items[i].text;
    return out;
}

/* It has no last good version: what can be read of its hosts answers 500 where no other
 * VirtualService has a rule (design 5.5). */
static void plan_broken(struct compile *c, struct routes_plan *plan, const struct server_ref *s,
                        const struct api_object *o)
{
    const struct str_list gateways = raw_list(c, o, STR("gateways"));
    const struct str_list hosts = raw_list(c, o, STR("hosts"));

    if (gateway_is_named(c, &gateways, o, s->gateway))
        (void)plan_hosts(c, plan, (struct vhost_source){ .broken = o, .server = s }, &hosts, true);
}

/* Private to the gateway's namespace first, then exported to it, then public; -1: hidden. */
static int visibility(struct compile *c, const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;
    const struct str_list *to = vs->export_to.n ? &vs->export_to
                                                : &c->config->default_virtual_service_export_to;
    struct str from = compile_own_namespace(c, o->meta->namespace);

    if (!to->n)
        return 2;
    if (!name_is_exported(to, o->meta->namespace, from))
        return -1;
    for (size_t i = 0; i < to->n; i++)
        if (str_eq(to->v[i], STR("*")))
            return 2;
    return str_eq(o->meta->namespace, from) ? 0 : 1;
}

static void plan_server(struct compile *c, struct routes_plan *plan, const struct server_ref *s)
{
    const struct api_meta *meta = s->gateway->meta;
    const struct object_list *broken = store_broken(c->store);
    const struct object_list *bound = lookup_bound(
        c, arena_printf(c->a, "%.*s/%.*s", STRF(meta->namespace), STRF(meta->name)));

    for (int class = 0; class < 3; class ++)
        for (size_t i = 0; i < bound->n; i++)
            if (visibility(c, bound->v[i]) == class)
                plan_service(c, plan, s, bound->v[i]);
    for (size_t i = 0; i < broken->n; i++)
        if (str_eq(broken->v[i]->kind->kind, STR("VirtualService")))
            plan_broken(c, plan, s, broken->v[i]);
}

static bool plan_covers(const struct routes_plan *plan, struct str host)
{
    const struct map_entry *e;
    struct str both;

    if (map_has(&plan->by_host, host))
        return true;
    for (size_t at = 0; (e = map_next(&plan->by_host, &at));)
        if (name_intersect(e->key, host, &both))
            return true;
    return false;
}

/* What the server's own hosts add: redirects, and a word where nobody serves one. */
static void plan_server_hosts(struct compile *c, struct routes_plan *plan,
                              const struct server_ref *s)
{
    const struct api_gateway *gw = s->gateway->body;
    const struct api_gw_server *server = &gw->servers.v[s->index];
    bool redirect = server->tls && server->tls->https_redirect.v;

    for (size_t i = 0; i < server->hosts.n; i++) {
        struct str ns, host;
        struct vhost_plan *v;

        name_server_host(server->hosts.v[i], s->gateway->meta->namespace, &ns, &host);
        host = name_lower(c->a, host);
        v = redirect ? plan_vhost(c, plan, host, s) : NULL;
        if (v)
            v->redirect = v->redirect ? v->redirect : s;
        else if (!plan_covers(plan, host))
            api_note(s->gateway, c->notes, SEV_WARNING, "LAT0306", ITEM(server, "hosts", i),
                     "no VirtualService is bound to this host here: its requests are answered 404");
    }
}

/* ---- tables ---- */

/* Istio keeps one host that answers 404, so that the table is there. */
static void black_hole(struct compile *c, const struct routes_plan *plan, struct routes *routes,
                       const struct server_ref *s)
{
    struct vhost *v = vhost_new(c, plan, STR("*"), s->manifest_port, s);

    v->label = arena_printf(v->part.arena, "blackhole:%u", s->manifest_port);
    ARRAY_COPY(&routes->part, routes->domains, 1);
    routes->domains.v[0] = (struct domain){ STR("*"), v->part.slot };
    compile_put_sure(c, &v->part);
}

static slot_id table_make(struct compile *c, const struct routes_plan *plan,
                          const struct server_ref *s, const slot_id *vhosts)
{
    struct routes *routes = compile_part(c, PART_ROUTES, plan->name);
    const struct api_gateway *gw = s->gateway->body;
    slot_id slot = routes->part.slot;
    const struct map_entry *e;
    size_t n = 0;

    part_origin(&routes->part, compile_origin(c, s->gateway, SPOT(&gw->servers.v[s->index])));
    ARRAY_COPY(&routes->part, routes->domains, plan->by_host.n);
    for (size_t at = 0; (e = map_next(&plan->by_host, &at)); n++) {
        routes->domains.v[n].name = arena_dup(routes->part.arena, e->key);
        routes->domains.v[n].vhost = vhosts[n];
    }
    if (!n)
        black_hole(c, plan, routes, s);
    compile_put_sure(c, &routes->part);
    return slot;
}

/* The table of hosts: a piece that only a plan makes again. */
static slot_id plan_compile(struct compile *c, struct routes_plan *plan, const struct server_ref *s)
{
    slot_id *vhosts = ARENA_ARRAY(c->a, slot_id, plan->by_host.n + 1);
    uint64_t name = key_mix(plan->digest, MEMO_TABLE), key = s->digest;
    struct memo_capture cap;
    const struct map_entry *e;
    struct memo *m;
    slot_id slot;
    size_t n = 0;

    for (size_t at = 0; (e = map_next(&plan->by_host, &at)); n++) {
        struct vhost_plan *v = e->value;

        vhosts[n] = vhost_compile(c, plan, v);
        key = key_mix(v->hash, key);
    }
    m = memo_recall(c, memo_name(&name), key);
    if (m) {
        if (!n)
            compile_seen(c, PART_VHOST, (slot_id)m->result);
        compile_put_again(c, m->part);
        return m->part->slot;
    }
    memo_begin(c, &cap, memo_name(&name), key);
    slot = table_make(c, plan, s, vhosts);
    m = memo_end(c, &cap, true);
    m->part = compile_hold(c, PART_ROUTES, slot);
    m->result = ((const struct routes *)(const void *)m->part)->domains.v[0].vhost;
    return slot;
}

slot_id routes_compile(struct compile *c, struct str name, const struct server_ref *servers,
                       size_t n)
{
    struct routes_plan *plan = ARENA_NEW(c->plan->arena, struct routes_plan);

    plan->name = name;
    plan->digest = hash_stable(name);
    plan->next = c->plan->routes;
    c->plan->routes = plan;
    map_init(&plan->by_host);
    for (size_t i = 0; i < n; i++)
        plan_server(c, plan, &servers[i]);
    for (size_t i = 0; i < n; i++)
        plan_server_hosts(c, plan, &servers[i]);
    return plan_compile(c, plan, &servers[0]);
}
