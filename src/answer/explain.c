#include "answer/explain.h"

#include "codec/url.h"
#include "lb/lb.h"
#include "model/origins.h"
#include "proxy/redirect.h"
#include "route/rewrite.h"
#include "route/route.h"

const char *explain_kind_name(enum explain_kind kind)
{
    static const char *const names[] = { [EXPLAIN_CLOSED] = "closed",
                                         [EXPLAIN_REFUSED] = "refused",
                                         [EXPLAIN_DIRECT] = "direct",
                                         [EXPLAIN_REDIRECT] = "redirect",
                                         [EXPLAIN_FORWARD] = "forward" };

    return names[kind];
}

const char *explain_stage_name(enum explain_stage stage)
{
    static const char *const names[] = {
        [STAGE_LISTENER] = "listener", [STAGE_CERTIFICATE] = "certificate",
        [STAGE_REQUEST] = "request",   [STAGE_HOST] = "host",
        [STAGE_ROUTE] = "route",       [STAGE_DESTINATION] = "destination"
    };

    return names[stage];
}

static void closed(struct explanation *x, enum explain_stage stage, struct str text)
{
    x->kind = EXPLAIN_CLOSED;
    x->stage = stage;
    x->text = text;
}

static void refused(struct explanation *x, enum explain_stage stage, const struct refusal *why)
{
    x->kind = EXPLAIN_REFUSED;
    x->stage = stage;
    x->status = why->status;
    x->flags = why->flags;
    x->details = why->details;
    x->text = str_of(why->text);
}

static void step(struct explanation *x, const char *name, struct str text, const struct part *p,
                 origin_id at)
{
    explain_add(x, &x->steps, p, at, (struct explain_step){ .name = name, .text = text });
}

/* ---- listener ---- */

/* How well a listener fits the URL's port: what is bound counts more than what the manifest
 * says, every address more than one. */
static int listener_fits(const struct listener *l, const struct ask *q)
{
    struct addr ip;
    bool own = addr_parse_ip(q->host, &ip) && addr_eq(&ip, &l->bind);
    int by_port = l->port == q->port ? 4 : l->manifest_port == q->port ? 2 : 0;

    if (!by_port)
        return 0;
    return by_port + (own ? 8 : 0) + !addr_is_set(&l->bind);
}

static const struct listener *find_listener(const struct root *root, const struct ask *q)
{
    const struct listener *best = NULL;
    int best_fit = 0;

    for (slot_id i = 0; i < root_slots(root, PART_LISTENER); i++) {
        const struct listener *l = root_listener(root, i);
        int fit = l ? listener_fits(l, q) : 0;

        if (fit > best_fit) {
            best = l;
            best_fit = fit;
        }
    }
    return best;
}

static bool walk_listener(struct explanation *x)
{
    const struct ask *q = x->ask;
    const struct listener *l = find_listener(x->root, q);

    if (!l) {
        closed(x, STAGE_LISTENER, arena_printf(x->arena, "nothing listens on port %u", q->port));
        misses_listener(x);
        return false;
    }
    x->listener = l;
    step(x, "listener", words_listener(l, x->arena), &l->part, 0);
    if (l->is_tls == q->is_tls)
        return true;
    closed(x, STAGE_LISTENER,
           arena_printf(x->arena, "port %u speaks %s, and the URL says %s", q->port,
                        l->is_tls ? "TLS" : "clear text", q->is_tls ? "https" : "http"));
    misses_listener(x);
    return false;
}

/* ---- chain and certificate ---- */

static const struct secret *first_secret(const struct root *root, const struct chain *c)
{
    for (uint32_t i = 0; i < c->secrets.n; i++) {
        const struct secret *s = root_secret(root, c->secrets.v[i]);

        if (s && s->keypair)
            return s;
    }
    return NULL;
}

static struct str names_of(const struct secret *s, struct arena *a)
{
    struct str names = STR("");

    for (uint32_t i = 0; i < s->dns_names.n && i < 4; i++)
        names = arena_printf(a, "%.*s%s%.*s", STRF(names), i ? ", " : "", STRF(s->dns_names.v[i]));
    if (s->dns_names.n > 4)
        names = arena_printf(a, "%.*s and %u more", STRF(names), s->dns_names.n - 4);
    return names;
}

static bool walk_certificate(struct explanation *x, const struct chain *c)
{
    const struct secret *s = first_secret(x->root, c);
    struct arena *a = x->arena;

    if (s) {
        step(x, "certificate",
             arena_printf(a, "%.*s: for %.*s", STRF(c->credential.n ? c->credential : s->part.name),
                          STRF(names_of(s, a))),
             &s->part, 0);
        return true;
    }
    step(x, "certificate",
         arena_printf(a, "%.*s: missing", STRF(c->credential.n ? c->credential : STR("none"))),
         &c->part, 0);
    closed(x, STAGE_CERTIFICATE,
           STR("there is no certificate to show, so the TLS handshake is closed"));
    return false;
}

static bool walk_chain(struct explanation *x)
{
    const struct chain *c = decide_chain(x->root, x->listener, x->ask->sni);

    x->decision.chain = c;
    if (!x->listener->is_tls)
        return true;
    if (c)
        return walk_certificate(x, c);
    closed(x, STAGE_CERTIFICATE,
           str_is_set(x->ask->sni)
               ? arena_printf(x->arena,
                              "no server on port %u has the name %.*s, so the TLS "
                              "handshake is closed",
                              x->ask->port, STRF(x->ask->sni))
               : STR("an https URL with an IP address sends no server name, and no server takes "
                     "every name: the TLS handshake is closed"));
    misses_certificate(x);
    return false;
}

/* ---- request, host and route ---- */

static void decision_begin(struct explanation *x)
{
    struct decision *d = &x->decision;

    x->peer = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
    rng_init(&x->rng, 1);
    d->root = x->root;
    d->listener = x->listener;
    d->head = ask_head(x->ask, x->arena);
    d->arena = x->arena;
    d->rng = &x->rng;
    d->peer = &x->peer;
    d->peer_ip = STR("127.0.0.1");
    d->is_tls = x->listener->is_tls;
}

static bool walk_host(struct explanation *x)
{
    struct decision *d = &x->decision;

    if (!decide_head(d)) {
        refused(x, STAGE_REQUEST, d->refused);
        return false;
    }
    if (!decide_route(d)) {
        refused(x, STAGE_HOST, d->refused);
        if (d->by_host)
            explain_add(x, &x->misses, &d->by_host->part, 0,
                        (struct explain_step){ .text = arena_printf(x->arena,
                                                                    "this server has the host %.*s",
                                                                    STRF(d->host)) });
        return false;
    }
    if (d->vhost && d->vhost->routes.n) {
        const struct route_place at = route_place(x->root, d->vhost, NULL);

        step(x, "host", d->vhost->label, at.part, at.origin);
        return true;
    }
    refused(x, STAGE_HOST, &refused_no_route);
    x->text = arena_printf(x->arena, "the host %.*s is not served here", STRF(d->host));
    misses_host(x);
    return false;
}

static struct str route_words(const struct explanation *x, const struct vhost *v,
                              const struct route *r)
{
    return arena_printf(x->arena, "rule %u of %u%s%.*s%s: %.*s", r->id + 1, v->routes.n,
                        r->name.n ? " (" : "", STRF(r->name), r->name.n ? ")" : "",
                        STRF(words_match(&r->match, x->arena)));
}

static bool walk_route(struct explanation *x)
{
    const struct decision *d = &x->decision;
    const struct route *r = d->route;
    const struct refusal *why = decide_action(r);

    if (r) {
        const struct route_place at = route_place(x->root, d->vhost, r);

        step(x, "route", route_words(x, d->vhost, r), at.part, at.origin);
    }
    misses_route(x);
    if (!why)
        return true;
    refused(x, STAGE_ROUTE, why);
    if (!r)
        x->text = arena_printf(x->arena, "none of the %u rule%s of %.*s matches",
                               d->vhost->routes.n, d->vhost->routes.n == 1 ? "" : "s",
                               STRF(d->host));
    return false;
}

/* ---- what the route says ---- */

static void reply_of(struct explanation *x, const struct route *r)
{
    const struct decision *d = &x->decision;

    x->stage = STAGE_ROUTE;
    x->is_answered = true;
    x->details = "direct_response";
    if (r->action == ACTION_DIRECT_RESPONSE) {
        struct str details = r->direct->details, rest = r->direct->body;
        struct str why = str_cut(&rest, '\n');

        x->kind = EXPLAIN_DIRECT;
        x->status = r->direct->status;
        x->text = STR("the route's own answer");
        if (!details.n)
            return;
        x->details = arena_dup(x->arena, details).p;
        x->text = arena_printf(x->arena, "for want of anything good: %.*s [%.*s]", STRF(why),
                               STRF(details));
        return;
    }
    x->kind = EXPLAIN_REDIRECT;
    x->status = r->redirect->status;
    x->text = arena_printf(x->arena, "to %.*s",
                           STRF(redirect_location(r->redirect, d->head, d->query, x->arena)));
}

static void target_hosts(struct explanation *x, struct explain_target *t)
{
    const struct hosts *h = t->hosts;
    struct origin_list origins = part_origins(&h->part, x->arena);
    uint32_t usable = 0;

    t->endpoints = ARENA_ARRAY(x->arena, struct explain_endpoint, h->endpoints.n + 1);
    t->endpoint_count = h->endpoints.n;
    for (uint32_t i = 0; i < h->endpoints.n; i++) {
        const struct endpoint *e = &h->endpoints.v[i];

        t->endpoints[i] = (struct explain_endpoint){ e, e->origin < origins.n
                                                            ? &origins.v[e->origin]
                                                            : NULL };
        usable += endpoint_is_usable(e);
    }
    if (!usable)
        t->refused = &refused_no_endpoint;
}

static void target_fill(struct explanation *x, struct explain_target *t,
                        const struct destination *d, uint64_t sum)
{
    t->destination = d;
    t->origin = origin_of(x, &x->decision.vhost->part, d->origin);
    t->percent = sum ? (double)d->weight * 100 / (double)sum : 0;
    t->cluster = root_cluster(x->root, d->cluster);
    if (!t->cluster) {
        t->refused = &refused_no_cluster;
        return;
    }
    t->cluster_origin = origin_of(x, &t->cluster->part, 0);
    t->hosts = root_hosts(x->root, t->cluster->hosts);
    if (t->hosts)
        target_hosts(x, t);
    else
        t->refused = &refused_no_endpoint;
}

/* What the backend gets in place of the path that was asked for. */
static void walk_rewrite(struct explanation *x, const struct route *r)
{
    const struct decision *d = &x->decision;
    struct str path;

    if (!rewrite_has_path(r))
        return;
    path = rewrite_path(r, d->head->path, d->path, x->arena);
    step(x, "rewrite", arena_printf(x->arena, "the backend gets %.*s", STRF(path)), &d->vhost->part,
         r->origin);
}

static void walk_targets(struct explanation *x, const struct route *r)
{
    uint64_t sum = 0;
    size_t failing = 0;

    walk_rewrite(x, r);
    x->stage = STAGE_DESTINATION;
    x->targets = ARENA_ARRAY(x->arena, struct explain_target, r->destinations.n + 1);
    for (uint32_t i = 0; i < r->destinations.n; i++)
        sum += r->destinations.v[i].weight;
    for (uint32_t i = 0; i < r->destinations.n; i++) {
        struct explain_target *t = &x->targets[x->target_count++];

        target_fill(x, t, &r->destinations.v[i], sum);
        failing += t->refused != NULL;
        if (t->refused)
            misses_target(x, t);
    }
    if (!x->target_count) {
        refused(x, STAGE_DESTINATION, &refused_no_cluster);
        x->text = STR("the route has no destination with a weight");
    } else if (failing == x->target_count) {
        refused(x, STAGE_DESTINATION, x->targets[0].refused);
    } else {
        x->kind = EXPLAIN_FORWARD;
        x->is_answered = true;
        x->details = "via_upstream";
        x->text = failing ? STR("forwarded, but not always: a destination cannot answer")
                          : STR("forwarded");
    }
}

struct explanation *explain(const struct root *root, const struct ask *q, struct arena *a)
{
    struct explanation *x = ARENA_NEW(a, struct explanation);
    const struct route *r;

    x->ask = q;
    x->root = root;
    x->arena = a;
    if (!walk_listener(x))
        return x;
    decision_begin(x);
    if (!walk_chain(x) || !walk_host(x) || !walk_route(x))
        return x;
    r = x->decision.route;
    if (r->action == ACTION_FORWARD)
        walk_targets(x, r);
    else
        reply_of(x, r);
    return x;
}
