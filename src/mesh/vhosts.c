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

/* What a virtual host is made from: of a VirtualService that comes through two servers of one
 * Gateway the first counts. */
struct sources {
    const struct server_plan *server;   /* that it is the host of */
    const struct server_plan *redirect; /* the first with httpsRedirect; NULL: none */
    struct binding **v;
    size_t n;
};

static bool is_repeated(const struct sources *s, const struct binding *b)
{
    for (size_t i = s->n; i-- > 0;)
        if (s->v[i]->cell == b->cell && s->v[i]->server->gateway == b->server->gateway)
            return true;
    return false;
}

static bool is_alone(const struct server_plan *s)
{
    return s->gateway->servers.next == s->gateway->servers.prev;
}

static void sources_of(struct compile *c, const struct vhost_plan *p, struct sources *ret)
{
    *ret = (struct sources){ .v = ARENA_ARRAY(c->a, struct binding *, p->used_n + 1) };
    for (size_t i = 0; i < p->used_n; i++) {
        const struct server_plan *s = p->used[i]->server;

        if (!ret->redirect && s->redirects)
            ret->redirect = s;
        if (is_alone(s) || !is_repeated(ret, p->used[i]))
            ret->v[ret->n++] = p->used[i];
    }
    if (!ret->redirect && p->redirects_n)
        ret->redirect = p->redirects[0];
    ret->server = p->used_n ? p->used[0]->server : p->redirects[0];
}

/* The rules of a virtual host; what they say was said by rules_any. */
static void rules_of_vhost(struct compile *c, const struct sources *s, struct rules *ret)
{
    struct notes *notes = c->notes, said;
    size_t unsupported = c->sum->unsupported;

    notes_init(&said, c->a);
    c->notes = &said;
    for (size_t i = 0; i < s->n; i++) {
        const struct api_object *o = s->v[i]->cell->object;
        const struct server_ref *server = &s->v[i]->server->ref;

        if (s->v[i]->cell->is_broken) {
            rules_add(c, ret, (struct rule_ref){ .vs = o, .port = server->manifest_port });
            continue;
        }
        uses_virtualservice(c, o);
        rules_of(c, o, server, ret);
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

/* Not even its rules are asked, but that the host stands here they may have brought about. Where
 * it comes from the server's part says. */
static void redirect_rule(struct compile *c, struct vhost *v, const struct sources *s)
{
    uint16_t https = compile_bound_port(c, 443);
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
    for (size_t i = 0; i < s->n; i++) {
        const struct api_object *o = s->v[i]->cell->object;

        part_origin(&v->part, compile_origin(c, o, SPOT(o->meta)));
    }
}

static void server_add(struct compile *c, struct vhost *v, const struct server_plan *s)
{
    v->servers.v[v->servers.n++] = slots_of(c->slots, PART_SERVER, s->name);
}

/* Through which its rules came: its own first, a Gateway once; or the one that redirects last. */
static void vhost_servers(struct compile *c, struct vhost *v, const struct sources *s)
{
    ARRAY_COPY(&v->part, v->servers, s->n + 2);
    v->servers.n = 0;
    server_add(c, v, s->server);
    if (s->redirect && s->redirect != s->server)
        server_add(c, v, s->redirect);
    for (size_t i = 0; i < s->n && !s->redirect; i++) {
        const struct server_plan *other = s->v[i]->server;
        bool named = other->gateway == s->server->gateway;

        for (size_t k = i; k > 0 && !named; k--)
            named = s->v[k - 1]->server->gateway == other->gateway;
        if (!named)
            server_add(c, v, other);
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

/* The part's own origin is no place: the server may move without it. */
struct vhost *vhost_new(struct compile *c, const struct table_plan *t, struct str host,
                        const struct server_plan *s)
{
    struct vhost *v = compile_part(c, PART_VHOST,
                                   arena_printf(c->a, "%.*s/%.*s", STRF(t->name), STRF(host)));

    v->label = arena_printf(v->part.arena, "%.*s:%u", STRF(host), s->ref.manifest_port);
    part_origin(&v->part, (struct origin){ .kind = ORIGIN_DEFAULT,
                                           .object = compile_title(c, s->ref.gateway),
                                           .path = STR("spec.servers") });
    ARRAY_COPY(&v->part, v->servers, 1);
    v->servers.v[0] = slots_of(c->slots, PART_SERVER, s->name);
    return v;
}

/* It cannot be built: the last good one stays, or it answers 500. */
static slot_id vhost_failed(struct compile *c, const struct vhost_plan *p, const struct sources *s,
                            struct str why)
{
    const struct api_object *blamed = s->n ? s->v[0]->cell->object : s->server->ref.gateway;
    struct vhost *v = vhost_new(c, p->table, p->host, s->server);
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

static slot_id vhost_make(struct compile *c, const struct vhost_plan *p, const struct sources *s,
                          bool *ret_fine)
{
    struct vhost *v = vhost_new(c, p->table, p->host, s->server);
    slot_id slot = v->part.slot;
    struct rules rules = { 0 };
    struct str why;

    vhost_servers(c, v, s);
    if (s->redirect) {
        redirect_rule(c, v, s);
    } else {
        rules_of_vhost(c, s, &rules);
        vhost_rules(c, v, &rules);
    }
    *ret_fine = compile_put(c, &v->part, &why);
    return *ret_fine ? slot : vhost_failed(c, p, s, why);
}

/* All that a virtual host is made from, but for what it looks up in the registry. */
static uint64_t vhost_key(const struct compile *c, const struct vhost_plan *p,
                          const struct sources *s)
{
    uint64_t key = key_mix(key_mix(p->hash, p->table->digest), c->config_digest);

    key = key_mix(key_mix(key, s->server->hash), s->redirect ? s->redirect->hash : 0);
    for (size_t i = 0; i < s->n; i++)
        key = key_mix(key_mix(key, s->v[i]->cell->digest), s->v[i]->server->hash);
    return key;
}

static uint64_t name_of(const struct vhost_plan *p)
{
    return key_mix(key_mix(p->hash, MEMO_VHOST), p->table->digest);
}

void vhost_forget(struct compile *c, struct vhost_plan *p)
{
    uint64_t name = name_of(p);

    memos_drop(c->memos, &c->m->inputs, memo_name(&name));
}

static void vhost_redo(struct compile *c, const struct memo *m)
{
    vhost_touch(c, m->at[0]);
}

slot_id vhost_compile(struct compile *c, struct vhost_plan *p)
{
    uint64_t name = name_of(p), key;
    struct memo_capture cap;
    struct sources s;
    struct memo *m;
    slot_id slot;
    bool fine;

    sources_of(c, p, &s);
    key = vhost_key(c, p, &s);
    m = memo_recall(c, memo_name(&name), key);
    if (m) {
        m->at[0] = p;
        compile_put_again(c, m->part);
        return m->part->slot;
    }
    memo_begin(c, &cap, memo_name(&name), key);
    lookup_claimed(c, p->host);
    for (size_t i = 0; i < s.n; i++)
        lookup_keyed(c, OBJ_VIRTUAL_SERVICE, s.v[i]->cell->object);
    slot = vhost_make(c, p, &s, &fine);
    m = memo_end(c, &cap, fine);
    if (fine)
        m->part = compile_hold(c, PART_VHOST, slot);
    m->redo = vhost_redo;
    m->at[0] = p;
    return slot;
}
