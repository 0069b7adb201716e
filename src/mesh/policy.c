/*
 * mesh/policy - which DestinationRule applies to a service, and what it says for a subset.
 *
 * Source: istio-api.md 1.5.2 (inheritance), 1.5.3 (look-up and merging), observed.md.
 */
#include "api/destinationrule.h"
#include "mesh/compile.h"
#include "mesh/lookup.h"

#define IDLE_MS 3600000u
#define CONNECT_MS 10000u

/* ---- the look-up ---- */

struct lookup {
    struct compile *c;
    const struct service *s;
    struct str from; /* the gateway's namespace, as this service sees it */
};

static struct str rule_host(struct compile *c, const struct api_object *o)
{
    const struct api_destinationrule *d = o->body;

    return name_host(c->a, d->host, o->meta->namespace);
}

static const struct str_map *rule_selector(const struct api_destinationrule *d)
{
    return d->workload_selector ? &d->workload_selector->match_labels : NULL;
}

/* May the gateway use this rule at the stage of `namespace`? */
static bool is_visible(const struct lookup *l, const struct api_object *o, struct str namespace)
{
    const struct api_destinationrule *d = o->body;
    bool own = str_eq(namespace, l->from);

    if (!str_eq(o->meta->namespace, namespace))
        return false;
    if (rule_selector(d) && (!own || !compile_selects(l->c, rule_selector(d))))
        return false;
    return name_is_exported(d->export_to.n ? &d->export_to
                                           : &l->c->config->default_destination_rule_export_to,
                            o->meta->namespace, l->from);
}

static bool any_visible(const struct lookup *l, struct str host, struct str namespace)
{
    const struct object_list *rules = lookup_rules(l->c, host);

    for (size_t i = 0; i < rules->n; i++)
        if (is_visible(l, rules->v[i], namespace))
            return true;
    return false;
}

/* "*.b.c" of "a.b.c", then "*.c", then "*". */
static struct str best_wildcard(const struct lookup *l, struct str namespace)
{
    struct str rest = l->s->host;

    while (rest.n) {
        struct str host;

        rest = str_from(rest, str_find(rest, '.'));
        host = arena_printf(l->c->a, "*%.*s", STRF(rest));
        if (any_visible(l, host, namespace))
            return host;
        rest = str_from(rest, MIN(rest.n, 1));
    }
    return STR_NONE;
}

/* The most specific host among the rules of a namespace that covers the service. */
static struct str best_host(const struct lookup *l, struct str namespace)
{
    const struct object_list *odd = lookup_odd_rules(l->c);
    struct str best;

    if (any_visible(l, l->s->host, namespace))
        return l->s->host;
    best = best_wildcard(l, namespace);
    for (size_t i = 0; i < odd->n; i++) {
        struct str host = rule_host(l->c, odd->v[i]);

        if (is_visible(l, odd->v[i], namespace) && name_is_subset(l->s->host, host) &&
            (!str_is_set(best) || name_is_subset(host, best)))
            best = host;
    }
    return best;
}

static bool same_exports(const struct str_list *a, const struct str_list *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->v[i], b->v[i]))
            return false;
    return true;
}

static void merge_subsets(struct compile *c, struct rule *r, const struct api_object *o)
{
    const struct api_destinationrule *d = o->body;
    struct rule_subset *all = ARENA_ARRAY(c->a, struct rule_subset,
                                          r->subset_count + d->subsets.n + 1);
    size_t n = r->subset_count;

    if (n)
        memcpy(all, r->subsets, n * sizeof(*all));
    for (size_t i = 0; i < d->subsets.n; i++) {
        const struct api_subset *s = &d->subsets.v[i];
        size_t k = 0;

        while (k < n && !str_eq(all[k].subset->name, s->name))
            k++;
        if (k == n)
            all[n++] = (struct rule_subset){ o, s };
        else if (all[k].object != o) {
            api_note(o, c->notes, SEV_WARNING, "LAT0304", LEAF(s, "name"),
                     "%.*s already defines subset \"%.*s\" of this host and is used",
                     STRF(compile_title(c, all[k].object)), STRF(s->name));
            api_note_other(c->notes, all[k].object, SPOT(all[k].subset));
        }
    }
    r->subsets = all;
    r->subset_count = n;
}

/* Rules with a selector come first, then by age. */
static void merge_rules(const struct lookup *l, struct str namespace, struct str host,
                        struct rule *r)
{
    const struct object_list *rules = lookup_rules(l->c, host);
    const struct api_destinationrule *first = NULL;

    for (int selected = 1; selected >= 0; selected--)
        for (size_t i = 0; i < rules->n; i++) {
            const struct api_object *o = rules->v[i];
            const struct api_destinationrule *d = o->body;

            if ((rule_selector(d) != NULL) != (selected != 0) || !is_visible(l, o, namespace) ||
                !str_eq(rule_host(l->c, o), host))
                continue;
            if (first && !same_exports(&first->export_to, &d->export_to))
                continue;
            if (!first || (!r->traffic && d->traffic_policy))
                r->object = o;
            first = first ? first : d;
            if (!r->traffic)
                r->traffic = d->traffic_policy;
            merge_subsets(l->c, r, o);
        }
}

void rule_find(struct compile *c, const struct service *s, struct rule *ret)
{
    struct lookup l = { c, s, compile_own_namespace(c, s->namespace) };
    struct str root = c->root_namespace;
    struct str stages[3];
    size_t n = 0;

    memset(ret, 0, sizeof(*ret));
    if (!str_eq(l.from, root))
        stages[n++] = l.from;
    stages[n++] = s->namespace;
    stages[n++] = root;
    for (size_t i = 0; i < n; i++) {
        struct str host = best_host(&l, stages[i]);

        if (!str_is_set(host))
            continue;
        merge_rules(&l, stages[i], host, ret);
        return;
    }
}

/* ---- inheritance ---- */

/* The blocks that are in effect. */
struct blocks {
    const struct api_load_balancer *lb;
    const struct api_connection_pool *pool;
    const struct api_client_tls *tls;
};

static const struct api_port_policy *port_policy(const struct api_traffic_policy *t, uint32_t port)
{
    for (size_t i = 0; t && i < t->port_level_settings.n; i++) {
        const struct api_port_policy *p = &t->port_level_settings.v[i];

        if (p->port && p->port->number.v == (int64_t)port)
            return p;
    }
    return NULL;
}

static void blocks_inherit(struct blocks *b, const struct api_traffic_policy *t, uint32_t port)
{
    const struct api_port_policy *p = port_policy(t, port);

    if (p) { /* only this entry: what it omits is the default */
        *b = (struct blocks){ p->load_balancer, p->connection_pool, p->tls };
        return;
    }
    if (!t)
        return;
    b->lb = t->load_balancer ? t->load_balancer : b->lb;
    b->pool = t->connection_pool ? t->connection_pool : b->pool;
    b->tls = t->tls ? t->tls : b->tls;
}

static uint8_t lb_of(struct compile *c, const struct api_object *o,
                     const struct api_load_balancer *lb)
{
    switch (lb ? lb->simple.v : LB_SIMPLE_UNSPECIFIED) {
    case LB_SIMPLE_PASSTHROUGH:
        compile_unsupported(c, o, LEAF(lb, "simple"),
                            "a gateway has no original destination; LEAST_REQUEST is used");
        return LB_LEAST_REQUEST;
    case LB_SIMPLE_ROUND_ROBIN:
        return LB_ROUND_ROBIN;
    case LB_SIMPLE_RANDOM:
        return LB_RANDOM;
    default:
        return LB_LEAST_REQUEST;
    }
}

/* Validated not to be negative; 0 is no limit. */
static uint32_t limit_of(struct opt_int v)
{
    return v.v > 0 ? (uint32_t)MIN(v.v, (int64_t)UINT32_MAX) : 0;
}

static void pool_fill(const struct api_connection_pool *pool, struct policy *p)
{
    if (pool && pool->tcp) {
        p->limits.max_connections = limit_of(pool->tcp->max_connections);
        p->connect_ms = duration_ms(&pool->tcp->connect_timeout, p->connect_ms);
        p->idle_ms = duration_ms(&pool->tcp->idle_timeout, p->idle_ms);
    }
    if (pool && pool->http) {
        if (pool->http->h2_upgrade_policy.v != H2_UPGRADE_DEFAULT)
            p->h2_upgrade = pool->http->h2_upgrade_policy.v == H2_UPGRADE_UPGRADE;
        p->idle_ms = duration_ms(&pool->http->idle_timeout, p->idle_ms);
        p->max_requests = limit_of(pool->http->max_requests_per_connection);
        p->limits.max_pending = limit_of(pool->http->http1_max_pending_requests);
        p->limits.max_requests = limit_of(pool->http->http2_max_requests);
        p->limits.max_retries = limit_of(pool->http->max_retries);
    }
}

static bool block_find(const struct api_traffic_policy *t, const void *block,
                       const struct api_port_selector **ret_port)
{
    *ret_port = NULL;
    if (t && (t->load_balancer == block || t->connection_pool == block || t->tls == block))
        return true;
    for (size_t i = 0; t && i < t->port_level_settings.n; i++) {
        const struct api_port_policy *p = &t->port_level_settings.v[i];

        *ret_port = p->port;
        if (p->load_balancer == block || p->connection_pool == block || p->tls == block)
            return true;
    }
    return false;
}

/* The rule that a block stands in: merged ones come from several objects. */
static struct policy_block block_of(const struct rule *r, const struct rule_subset *rs,
                                    const void *block)
{
    struct policy_block found = { 0 };

    if (!block)
        return found;
    if (rs && block_find(rs->subset->traffic_policy, block, &found.port))
        found.by = rs->object;
    else if (block_find(r->traffic, block, &found.port))
        found.by = r->object;
    return found;
}

void policy_find(struct compile *c, const struct rule *r, const struct rule_subset *rs,
                 uint32_t port, struct policy *ret)
{
    struct blocks b = { 0 };

    blocks_inherit(&b, r->traffic, port);
    if (rs)
        blocks_inherit(&b, rs->subset->traffic_policy, port);
    *ret = (struct policy){
        .connect_ms = duration_ms(&c->config->connect_timeout, CONNECT_MS),
        .idle_ms = IDLE_MS,
        .h2_upgrade = c->config->h2_upgrade_policy.v == H2_UPGRADE_UPGRADE,
        .rule = rs ? rs->object : r->object,
        .balancer = b.lb,
        .pool = b.pool,
        .tls = b.tls,
        .lb_block = block_of(r, rs, b.lb),
        .pool_block = block_of(r, rs, b.pool),
        .tls_block = block_of(r, rs, b.tls),
    };
    if (b.lb)
        ret->lb = lb_of(c, ret->lb_block.by, b.lb);
    pool_fill(b.pool, ret);
    ret->needs_tls = b.tls && b.tls->mode.v == CLIENT_TLS_ISTIO_MUTUAL;
    if (ret->needs_tls)
        compile_unsupported(c, ret->tls_block.by, LEAF(b.tls, "mode"),
                            "ISTIO_MUTUAL is not carried out yet: requests for it are answered "
                            "503 NC");
}
