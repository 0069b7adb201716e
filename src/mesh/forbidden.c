/*
 * mesh/forbidden - services to which nothing may be sent in clear text, as a DestinationRule that
 * never was good may ask for TLS to them (design 5.5: a security policy without a last good
 * version denies its scope).
 */
#include "api/destinationrule.h"
#include "base/hash.h"
#include "mesh/compile.h"
#include "mesh/memo.h"

static bool asks_for_tls(const struct node *n)
{
    for (uint32_t i = 0; n->kind != NODE_SCALAR && i < n->n; i++) {
        const struct node *value = n->kind == NODE_MAP ? &n->pairs[i].value : &n->items[i];

        if ((n->kind == NODE_MAP && str_eq(n->pairs[i].key, STR("tls"))) || asks_for_tls(value))
            return true;
    }
    return false;
}

/* What it says it is for; STR_NONE: that cannot be read, or it does not speak of TLS. */
static struct str forbids(const struct api_object *o)
{
    const struct node *spec = node_get(o->node, STR("spec"));
    const struct node *host = spec ? node_get(spec, STR("host")) : NULL;

    if (!str_eq(o->kind->kind, STR("DestinationRule")) || !host || host->kind != NODE_SCALAR)
        return STR_NONE;
    return host->text.n && asks_for_tls(spec) ? host->text : STR_NONE;
}

/* Where a rule of that namespace is looked for: the sooner, the smaller; 3: nowhere. */
static int stage_of(struct compile *c, const struct service *s, struct str namespace)
{
    if (str_eq(namespace, compile_own_namespace(c, s->namespace)) &&
        !str_eq(namespace, c->root_namespace))
        return 0;
    return str_eq(namespace, s->namespace) ? 1 : str_eq(namespace, c->root_namespace) ? 2 : 3;
}

static bool is_older(const struct api_meta *a, const struct api_meta *b)
{
    if (a->creation_timestamp.set != b->creation_timestamp.set)
        return a->creation_timestamp.set;
    if (a->creation_timestamp.set && a->creation_timestamp.unix_ms != b->creation_timestamp.unix_ms)
        return a->creation_timestamp.unix_ms < b->creation_timestamp.unix_ms;
    return str_cmp(a->name, b->name) < 0;
}

/* It is for some workloads, maybe this gateway, and those rules come first. */
static bool has_selector(const struct api_object *o)
{
    return node_get(node_get(o->node, STR("spec")), STR("workloadSelector")) != NULL;
}

/* Whether it would be the one in effect, were it whole. */
static bool would_win(struct compile *c, const struct service *s, const struct rule *r,
                      const struct api_object *o, struct str host)
{
    int stage = stage_of(c, s, o->meta->namespace), other;
    const struct api_destinationrule *d;
    struct str rival;

    if (stage == 3 || !name_is_subset(s->host, host))
        return false;
    if (!r->object)
        return true;
    other = stage_of(c, s, r->object->meta->namespace);
    if (stage != other)
        return stage < other;
    d = r->object->body;
    rival = name_host(c->a, d->host, r->object->meta->namespace);
    if (!str_eq(host, rival))
        return name_is_subset(host, rival);
    return !r->traffic || (has_selector(o) && !d->workload_selector) ||
           is_older(o->meta, r->object->meta);
}

const struct api_object *forbidden_by(struct compile *c, const struct service *s,
                                      const struct rule *r)
{
    const struct object_list *broken = store_broken(c->store);

    for (size_t i = 0; i < broken->n; i++) {
        const struct api_object *o = broken->v[i];
        struct str host = forbids(o);

        if (str_is_set(host) && would_win(c, s, r, o, name_host(c->a, host, o->meta->namespace)))
            return o;
    }
    return NULL;
}

uint64_t forbidden_digest(const struct store *store)
{
    const struct object_list *broken = store_broken(store);
    uint64_t digest = 0;

    for (size_t i = 0; i < broken->n; i++)
        if (str_is_set(forbids(broken->v[i])))
            digest = hash_mix(digest, memo_object(broken->v[i]));
    return digest;
}
