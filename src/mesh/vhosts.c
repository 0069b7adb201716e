/*
 * mesh/vhosts - virtual hosts as parts: which rules of the VirtualServices on them count, the
 * redirect instead of them, and what answers where one cannot be built.
 *
 * Source: istio-api.md 1.4.2 (order of rules); design 5.5 (last good, else 500).
 */
#include "api/gateway.h"
#include "api/virtualservice.h"
#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "mesh/uses.h"

/* ---- which rules of a VirtualService count for a server ---- */

bool gateway_is_named(struct compile *c, const struct str_list *list, const struct api_object *vs,
                      const struct api_object *gw)
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

void rules_of(struct compile *c, const struct api_object *o, const struct server_ref *s,
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

const struct api_object *source_of(const struct vhost_source *u)
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

struct vhost *vhost_new(struct compile *c, const struct routes_plan *plan, struct str host,
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

static void vhost_redo(struct compile *c, const struct memo *m)
{
    (void)vhost_compile(c, m->at[0], m->at[1]);
}

slot_id vhost_compile(struct compile *c, struct routes_plan *plan, struct vhost_plan *p)
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
