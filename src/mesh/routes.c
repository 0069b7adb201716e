/*
 * mesh/routes - route configurations: which VirtualService serves which host of a server.
 *
 * Source: istio-api.md 1.3.2 (intersection), 1.4.2 (order of rules), observed.md, Hosts.
 */
#include "api/gateway.h"
#include "api/virtualservice.h"
#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "mesh/uses.h"
#include "model/sorted.h"

struct rules {
    struct rule_ref *v;
    size_t n, cap;
};

/* ---- which rules of a VirtualService count for a server ---- */

static bool gateway_is_named(struct compile *c, const struct str_list *list,
                             const struct api_object *vs, const struct api_object *gw)
{
    struct str want = arena_printf(c->a, "%.*s/%.*s", STRF(gw->meta->namespace),
                                   STRF(gw->meta->name));

    for (size_t i = 0; i < list->n; i++)
        if (str_eq(name_gateway(c->a, list->v[i], vs->meta->namespace), want))
            return true;
    return false;
}

/* Conditions that are decided here and not by the request. */
static bool match_applies(struct compile *c, const struct rule_ref *r, const struct api_object *gw)
{
    const struct api_http_match *m = r->match;

    if (m->port.v && m->port.v != r->port)
        return false;
    if (m->gateways.n)
        return gateway_is_named(c, &m->gateways, r->vs, gw);
    if (m->source_namespace.n &&
        !str_eq(m->source_namespace, compile_own_namespace(c, m->source_namespace)))
        return false;
    return compile_selects(c, &m->source_labels);
}

static void rules_add(struct compile *c, struct rules *to, struct rule_ref r)
{
    to->v = arena_grow(c->a, to->v, to->n, &to->cap, sizeof(*to->v));
    to->v[to->n++] = r;
}

static void note_unreachable(struct compile *c, const struct rule_ref *last, size_t rule,
                             size_t match)
{
    const struct api_virtualservice *vs = last->vs->body;
    size_t http = rule;

    struct api_spot by = last->match ? SPOT(last->match) : SPOT(last->http);

    if (match < vs->http.v[rule].match.n) {
        api_note(last->vs, c->notes, SEV_WARNING, "LAT0306", SPOT(&vs->http.v[rule].match.v[match]),
                 "is never reached: a match before it catches every request");
        api_note_other(c->notes, last->vs, by);
    }
    for (http = rule + 1; http < vs->http.n; http++) {
        api_note(last->vs, c->notes, SEV_WARNING, "LAT0306", SPOT(&vs->http.v[http]),
                 "is never reached: a rule before it catches every request");
        api_note_other(c->notes, last->vs, by);
    }
}

/* The rules of `vs` for a server, up to its first catch-all. */
static void rules_of(struct compile *c, const struct api_object *o, const struct server_ref *s,
                     struct rules *to)
{
    const struct api_virtualservice *vs = o->body;

    api_object_wake(o);
    for (size_t i = 0; i < vs->http.n; i++) {
        const struct api_http_route *http = &vs->http.v[i];

        for (size_t k = 0; k < MAX(http->match.n, 1); k++) {
            struct rule_ref r = { o, http, http->match.n ? &http->match.v[k] : NULL,
                                  s->manifest_port };

            if ((r.match && !match_applies(c, &r, s->gateway)) || !rule_can_match(c, &r))
                continue;
            rules_add(c, to, r);
            if (rule_is_catch_all(&r)) {
                note_unreachable(c, &r, i, k + 1);
                return;
            }
        }
    }
}

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

static const struct api_object *source_of(const struct vhost_source *u)
{
    return u->broken ? u->broken : u->cell->object;
}

static uint64_t digest_of(const struct vhost_source *u)
{
    return u->broken ? memo_object(u->broken) + 1 : u->cell->digest;
}

/* The rules of a virtual host; what they say was said by rules_any. */
static void rules_of_vhost(struct compile *c, const struct vhost_plan *p, struct rules *ret)
{
    struct notes *notes = c->notes, said;
    size_t unsupported = c->sum->unsupported;

    notes_init(&said, c->a);
    c->notes = &said;
    for (size_t i = 0; i < p->used_n; i++) {
        const struct vhost_source *u = &p->used[i];

        if (u->broken) {
            rules_add(c, ret,
                      (struct rule_ref){ .vs = u->broken, .port = u->server->manifest_port });
            continue;
        }
        uses_virtualservice(c, u->cell->object);
        rules_of(c, u->cell->object, u->server, ret);
    }
    c->notes = notes;
    c->sum->unsupported = unsupported;
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

/* ---- parts ---- */

static void stub_rules(struct compile *c, struct vhost *v, struct str why)
{
    struct route *r;

    ARRAY_COPY(&v->part, v->routes, 1);
    r = &v->routes.v[0];
    r->name = STR("");
    r->action = ACTION_DIRECT_RESPONSE;
    r->direct = ARENA_NEW(v->part.arena, struct direct_response);
    r->direct->status = 500;
    r->direct->details = STR("host_not_compiled");
    r->direct->body = arena_printf(v->part.arena, "this host cannot be served: %.*s\n", STRF(why));
    (void)c;
}

/* Not even its rules are asked, but that the host stands here they may have brought about. */
static void redirect_rule(struct compile *c, struct vhost *v, const struct vhost_plan *p)
{
    uint16_t https = compile_bound_port(c, 443);
    const struct server_ref *by = p->redirect;
    const struct api_gateway *gw = by->gateway->body;
    const struct api_gw_tls *tls = gw->servers.v[by->index].tls;
    struct route *r;

    ARRAY_COPY(&v->part, v->routes, 1);
    r = &v->routes.v[0];
    r->name = STR("");
    r->action = ACTION_REDIRECT;
    r->redirect = ARENA_NEW(v->part.arena, struct redirect);
    *r->redirect = (struct redirect){ .scheme = STR("https"),
                                      .port = https == 443 ? 0 : https,
                                      .status = 301,
                                      .https_redirect = true };
    r->origin = part_origin(&v->part, compile_origin(c, by->gateway, LEAF(tls, "httpsRedirect")));
    for (size_t i = 0; i < p->used_n; i++)
        part_origin(&v->part,
                    compile_origin(c, source_of(&p->used[i]), SPOT(source_of(&p->used[i])->meta)));
}

/* Whose servers its rules came through, beside the one that is the virtual host's own. */
static void vhost_servers(struct compile *c, struct vhost *v, const struct vhost_plan *p)
{
    for (size_t i = 0; i < p->used_n; i++) {
        const struct server_ref *s = p->used[i].server;
        const struct api_gateway *gw = s->gateway->body;
        bool named = s->gateway == p->server->gateway;

        for (size_t k = 0; k < i && !named; k++)
            named = p->used[k].server->gateway == s->gateway;
        if (!named)
            part_origin(&v->part, compile_origin(c, s->gateway, SPOT(&gw->servers.v[s->index])));
    }
}

/* Rules that catch everything move behind all others, which keep their order; what stands for a
 * broken VirtualService comes behind the rules of all others, whatever server they came through. */
static int rule_turn(const struct rule_ref *r)
{
    return !r->http ? 2 : rule_is_catch_all(r);
}

static void vhost_rules(struct compile *c, struct vhost *v, const struct rules *rules)
{
    ARRAY_COPY(&v->part, v->routes, rules->n);
    v->routes.n = 0;
    for (int turn = 0; turn < 3; turn++)
        for (size_t i = 0; i < rules->n; i++)
            if (rule_turn(&rules->v[i]) == turn) {
                struct route *r = &v->routes.v[v->routes.n];

                r->id = v->routes.n++;
                rule_compile(c, &v->part, &rules->v[i], r);
            }
    c->sum->routes += v->routes.n;
}

static struct vhost *vhost_new(struct compile *c, const struct routes_plan *plan, struct str host,
                               uint16_t port, const struct server_ref *s)
{
    struct vhost *v = compile_part(c, PART_VHOST,
                                   arena_printf(c->a, "%.*s/%.*s", STRF(plan->name), STRF(host)));
    const struct api_gateway *gw = s->gateway->body;

    v->label = arena_printf(v->part.arena, "%.*s:%u", STRF(host), port);
    part_origin(&v->part, compile_origin(c, s->gateway, SPOT(&gw->servers.v[s->index])));
    return v;
}

/* It cannot be built: the last good one stays, or it answers 500. */
static slot_id vhost_failed(struct compile *c, const struct routes_plan *plan,
                            const struct vhost_plan *p, struct str why)
{
    const struct api_object *blamed = p->used_n ? source_of(&p->used[0]) : p->server->gateway;
    struct vhost *v = vhost_new(c, plan, p->host, p->server->manifest_port, p->server);
    slot_id slot = v->part.slot;

    api_note(blamed, c->notes, SEV_ERROR, "LAT0308", SPOT(blamed->meta),
             "host %.*s cannot be compiled: %.*s", STRF(p->host), STRF(why));
    if (compile_keep(c, PART_VHOST, v->part.name)) {
        part_unref(&v->part);
        return slot;
    }
    stub_rules(c, v, why);
    compile_put_sure(c, &v->part);
    return slot;
}

static slot_id vhost_make(struct compile *c, const struct routes_plan *plan,
                          const struct vhost_plan *p, bool *ret_fine)
{
    struct vhost *v = vhost_new(c, plan, p->host, p->server->manifest_port, p->server);
    slot_id slot = v->part.slot;
    struct rules rules = { 0 };
    struct str why;

    if (p->redirect) {
        redirect_rule(c, v, p);
    } else {
        vhost_servers(c, v, p);
        rules_of_vhost(c, p, &rules);
        vhost_rules(c, v, &rules);
    }
    *ret_fine = compile_put(c, &v->part, &why);
    return *ret_fine ? slot : vhost_failed(c, plan, p, why);
}

/* All that a virtual host is made from, but for what it looks up in the registry. */
static uint64_t vhost_key(const struct compile *c, const struct routes_plan *plan,
                          const struct vhost_plan *p)
{
    uint64_t key = key_mix(key_mix(p->hash, plan->digest), c->config_digest);

    key = key_mix(key_mix(key, p->server->digest), p->redirect ? p->redirect->digest : 0);
    for (size_t i = 0; i < p->used_n; i++)
        key = key_mix(key_mix(key, digest_of(&p->used[i])), p->used[i].server->digest);
    return key;
}

static slot_id vhost_compile(struct compile *c, struct routes_plan *plan, struct vhost_plan *p);

static void vhost_redo(struct compile *c, const struct memo *m)
{
    (void)vhost_compile(c, m->at[0], m->at[1]);
}

static slot_id vhost_compile(struct compile *c, struct routes_plan *plan, struct vhost_plan *p)
{
    uint64_t name = key_mix(key_mix(p->hash, MEMO_VHOST), plan->digest);
    uint64_t key = vhost_key(c, plan, p);
    struct memo *m = memo_recall(c, memo_name(&name), key);
    struct memo_capture cap;
    slot_id slot;
    bool fine;

    if (m) {
        m->at[0] = plan;
        m->at[1] = p;
        compile_put_again(c, m->part);
        return m->part->slot;
    }
    memo_begin(c, &cap, memo_name(&name), key);
    lookup_claimed(c, p->host);
    lookup_keyed(c, OBJ_GATEWAY, p->server->gateway);
    if (p->redirect)
        lookup_keyed(c, OBJ_GATEWAY, p->redirect->gateway);
    for (size_t i = 0; i < p->used_n; i++) {
        lookup_keyed(c, OBJ_GATEWAY, p->used[i].server->gateway);
        lookup_keyed(c, OBJ_VIRTUAL_SERVICE, source_of(&p->used[i]));
    }
    slot = vhost_make(c, plan, p, &fine);
    m = memo_end(c, &cap, fine);
    if (fine)
        m->part = compile_hold(c, PART_VHOST, slot);
    m->redo = vhost_redo;
    m->at[0] = plan;
    m->at[1] = p;
    return slot;
}

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
