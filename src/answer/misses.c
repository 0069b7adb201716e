/*
 * answer/misses - what nearly answered: other ports, other servers, other rules, other
 * subsets.
 */
#include "answer/explain.h"

#include "mesh/claims.h"
#include "mesh/verdict.h"
#include "route/route.h"

#define MISSES_SHOWN 8
#define RULES_LOOKED_AT 20000 /* of a virtual host, so that the admin port's turn stays short */

static void miss(struct explanation *x, struct str text, const struct part *p, origin_id at)
{
    if (x->misses.n >= MISSES_SHOWN)
        x->misses.left_out++;
    else
        explain_add(x, &x->misses, p, at, (struct explain_step){ .text = text });
}

/* ---- listeners and servers ---- */

void misses_listener(struct explanation *x)
{
    for (slot_id i = 0; i < root_slots(x->root, PART_LISTENER); i++) {
        const struct listener *l = root_listener(x->root, i);

        if (l && l != x->listener)
            miss(x,
                 arena_printf(x->arena, "there is a listener %.*s",
                              STRF(words_listener(l, x->arena))),
                 &l->part, 0);
    }
}

static const struct vhost *vhost_at(const struct explanation *x, const struct chain *c,
                                    struct str host)
{
    const struct routes *routes = c ? root_routes(x->root, c->http.routes) : NULL;
    const struct vhost *v = routes ? route_vhost(x->root, routes, host) : NULL;

    return v && v->routes.n ? v : NULL;
}

/* Other servers whose routes have the host: what is known, but bound elsewhere. */
static void miss_elsewhere(struct explanation *x, struct str host)
{
    for (slot_id i = 0; i < root_slots(x->root, PART_LISTENER); i++) {
        const struct listener *l = root_listener(x->root, i);

        for (uint32_t k = 0; l && k < l->chains.n; k++) {
            const struct chain *c = root_chain(x->root, l->chains.v[k]);
            const struct vhost *v = vhost_at(x, c, host);
            struct route_place at;

            if (!v || c == x->decision.chain)
                continue;
            at = route_place(x->root, v, NULL);
            miss(x,
                 arena_printf(x->arena, "%.*s is served on %.*s, as %.*s", STRF(host),
                              STRF(words_listener(l, x->arena)), STRF(v->label)),
                 at.part, at.origin);
        }
    }
}

static void miss_servers(struct explanation *x)
{
    const struct listener *l = x->listener;

    for (uint32_t i = 0; i < l->chains.n; i++) {
        const struct chain *c = root_chain(x->root, l->chains.v[i]);

        for (uint32_t k = 0; c && k < c->server_names.n; k++)
            miss(x,
                 arena_printf(x->arena, "port %u has a server for %.*s", x->ask->port,
                              STRF(c->server_names.v[k])),
                 &c->part, 0);
    }
}

void misses_certificate(struct explanation *x)
{
    miss_elsewhere(x, x->ask->host);
    miss_servers(x);
}

void misses_host(struct explanation *x)
{
    const struct routes *routes = x->decision.routes;
    struct domain_cursor at = { 0 };
    const struct domain *d;

    miss_elsewhere(x, x->decision.host);
    for (; routes && (d = route_domain(x->root, routes, &at)); at.at++) {
        const struct vhost *v = root_vhost(x->root, d->vhost);
        struct route_place from;

        if (!v || !v->routes.n)
            continue;
        from = route_place(x->root, v, NULL);
        miss(x, arena_printf(x->arena, "port %u serves the host %.*s", x->ask->port, STRF(d->name)),
             from.part, from.origin);
    }
}

/* ---- what the manifests say beyond the snapshot ---- */

/* A miss at a place that is in no part. */
static void miss_at(struct explanation *x, struct str text, struct pos pos, struct str object,
                    struct str path)
{
    struct origin *o;

    if (x->misses.n >= MISSES_SHOWN) {
        x->misses.left_out++;
        return;
    }
    o = ARENA_NEW(x->arena, struct origin);
    *o = (struct origin){ .kind = ORIGIN_FILE,
                          .line = pos.line,
                          .col = pos.col,
                          .file = pos.file,
                          .object = object,
                          .path = path };
    explain_add(x, &x->misses, NULL, 0, (struct explain_step){ .text = text });
    x->misses.v[x->misses.n - 1].origin = o;
}

static void add_claim(void *arg, const struct mesh_claim *c)
{
    miss_at(arg, c->text, c->pos, c->object, c->path);
}

void explain_claims(struct explanation *x, const struct mesh *m)
{
    bool host = x->stage == STAGE_HOST && x->status == 404;

    if (x->kind <= EXPLAIN_REFUSED && (host || x->stage == STAGE_CERTIFICATE))
        mesh_each_claim(m, host ? x->decision.host : x->ask->host, x->arena, add_claim, x);
}

/* Rules that are in no snapshot, as the one that won takes every request before them. */
void explain_unreached(struct explanation *x, const struct notes *notes)
{
    const struct route *won = x->decision.route;
    const struct origin *o = won ? origin_of(x, &x->decision.vhost->part, won->origin) : NULL;

    for (size_t i = 0; o && i < notes->n; i++) {
        const struct note *n = &notes->v[i];
        struct verdict v;

        if (n->other.line != o->line || n->other.col != o->col || !str_eq(n->other.file, o->file) ||
            !verdict_of_note(n, &v) || v.kind != VERDICT_SHADOWED)
            continue;
        miss_at(x,
                STR("this is never reached: the rule that answers takes every request before it"),
                n->pos, n->object, n->path);
    }
}

/* ---- rules ---- */

static void miss_rule(struct explanation *x, const struct route *r, struct route_miss why)
{
    struct explain_step step = { .name = NULL };
    struct str text;

    if (x->misses.n >= MISSES_SHOWN) {
        x->misses.left_out++;
        return;
    }
    if (why.what == ROUTE_HOLDS) {
        step.text = arena_printf(x->arena, "rule %u would match as well: rule %u stands before it",
                                 r->id + 1, x->decision.route->id + 1);
    } else {
        text = words_miss(x, &r->match, why, &step.field);
        step.text = arena_printf(x->arena, "rule %u: %.*s", r->id + 1, STRF(text));
    }
    explain_add(x, &x->misses, &x->decision.vhost->part, r->origin, step);
}

/* Rules that fail by something else than the path are nearer than those that fail by it; of
 * those behind the one that won only what it shadows is told. */
void misses_route(struct explanation *x)
{
    const struct vhost *v = x->decision.vhost;
    const struct route *won = x->decision.route;
    uint32_t n = MIN(v->routes.n, RULES_LOOKED_AT);
    struct route_request rq;

    decide_request(&x->decision, &rq);
    for (int far = 0; far < 2; far++) {
        for (uint32_t i = 0; i < n; i++) {
            const struct route *r = &v->routes.v[i];
            struct route_miss why = route_misses(&r->match, &rq);

            if (r == won || (why.what == ROUTE_PATH) != (far == 1))
                continue;
            if (won && r > won && why.what != ROUTE_HOLDS)
                continue;
            miss_rule(x, r, why);
        }
    }
    x->misses.left_out += won ? 0 : v->routes.n - n;
}

/* ---- destinations ---- */

static bool same_host(const struct cluster_words *a, const struct cluster_words *b)
{
    return str_eq(a->host, b->host);
}

/* What there is of a service instead of the cluster that is missing. */
static void miss_cluster(struct explanation *x, struct str name)
{
    struct cluster_words want, have;
    size_t before = x->misses.n;

    if (!cluster_split(name, &want))
        return;
    for (slot_id i = 0; i < root_slots(x->root, PART_CLUSTER); i++) {
        const struct cluster *c = root_cluster(x->root, i);

        if (c && cluster_split(c->part.name, &have) && same_host(&have, &want))
            miss(x,
                 arena_printf(x->arena, "there is %.*s",
                              STRF(words_cluster(c->part.name, x->arena))),
                 &c->part, 0);
    }
    if (x->misses.n == before)
        miss(
            x,
            arena_printf(x->arena, "there is no Service and no ServiceEntry %.*s", STRF(want.host)),
            NULL, 0);
}

static const struct hosts *hosts_named(const struct root *root, struct str name)
{
    for (slot_id i = 0; i < root_slots(root, PART_HOSTS); i++) {
        const struct hosts *h = root_hosts(root, i);

        if (h && str_eq(h->cluster_name, name))
            return h;
    }
    return NULL;
}

/* The service's own endpoints, which the subset does not take. */
static void miss_subset(struct explanation *x, const struct cluster *c)
{
    struct cluster_words w;
    const struct hosts *all;

    if (!cluster_split(c->part.name, &w) || !w.subset.n)
        return;
    all = hosts_named(x->root,
                      arena_printf(x->arena, "outbound|%.*s||%.*s", STRF(w.port), STRF(w.host)));
    for (uint32_t i = 0; all && i < all->endpoints.n; i++) {
        const struct endpoint *e = &all->endpoints.v[i];

        miss(x,
             arena_printf(x->arena,
                          "%.*s%s%.*s is an endpoint of the service, but lacks labels of "
                          "subset %.*s",
                          STRF(e->workload.n ? e->workload : STR("this address")),
                          e->version.n ? ", version " : "", STRF(e->version), STRF(w.subset)),
             &all->part, e->origin);
    }
}

void misses_target(struct explanation *x, const struct explain_target *t)
{
    if (t->refused == &refused_no_cluster)
        miss_cluster(x, t->destination->cluster_name);
    else if (!t->endpoint_count)
        miss_subset(x, t->cluster);
}
