#include "mesh/lookup.h"

#include "api/destinationrule.h"
#include "api/serviceentry.h"
#include "api/virtualservice.h"
#include "api/workload.h"

struct bag {
    struct object_list list;
    size_t cap;
};

static const struct object_list nothing;

static struct bag *bag_of(struct compile *c, struct map *map, struct str key)
{
    struct bag *bag = map_get(map, key);

    if (!bag) {
        bag = ARENA_NEW(c->a, struct bag);
        map_put(map, key, bag);
    }
    return bag;
}

static void bag_add(struct compile *c, struct bag *bag, const struct api_object *o)
{
    if (bag->list.n && bag->list.v[bag->list.n - 1] == o)
        return; /* under one key once */
    bag->list.v = arena_grow(c->a, bag->list.v, bag->list.n, &bag->cap, sizeof(bag->list.v[0]));
    bag->list.v[bag->list.n++] = o;
}

static void put(struct compile *c, struct map *map, struct str key, const struct api_object *o)
{
    bag_add(c, bag_of(c, map, key), o);
}

static const struct object_list *get(const struct map *map, struct str key)
{
    const struct bag *bag = map_get(map, key);

    return bag ? &bag->list : &nothing;
}

/* ---- labels ---- */

static const struct api_pod_template *template_of(const struct api_object *o, enum object_kind kind)
{
    if (kind == OBJ_DEPLOYMENT)
        return ((const struct api_deployment *)o->body)->template;
    if (kind == OBJ_STATEFUL_SET)
        return ((const struct api_statefulset *)o->body)->template;
    return ((const struct api_daemonset *)o->body)->template;
}

const struct str_map *lookup_labels(const struct api_object *o, enum object_kind kind)
{
    const struct api_pod_template *t;

    if (kind == OBJ_WORKLOAD_ENTRY)
        return &((const struct api_workloadentry *)o->body)->labels;
    if (kind == OBJ_POD || kind == OBJ_ENDPOINT_SLICE)
        return &o->meta->labels;
    t = template_of(o, kind);
    return t && t->metadata ? &t->metadata->labels : NULL;
}

static struct str label_key(struct compile *c, enum object_kind kind, struct str namespace,
                            const struct str_entry *e)
{
    return arena_printf(c->a, "label %d %.*s %.*s=%.*s", (int)kind, STRF(namespace), STRF(e->key),
                        STRF(e->value));
}

static void index_labels(struct compile *c, enum object_kind kind)
{
    const struct object_list *all = store_list(c->store, kind);

    for (size_t i = 0; i < all->n; i++) {
        const struct str_map *labels = lookup_labels(all->v[i], kind);

        for (size_t k = 0; labels && k < labels->n; k++)
            put(c, &c->reg->lookups, label_key(c, kind, all->v[i]->meta->namespace, &labels->v[k]),
                all->v[i]);
    }
}

const struct object_list *lookup_labelled(struct compile *c, enum object_kind kind,
                                          struct str namespace, const struct str_map *selector)
{
    return selector->n ? get(&c->reg->lookups, label_key(c, kind, namespace, &selector->v[0]))
                       : store_list(c->store, kind);
}

/* ---- hosts and Gateways ---- */

static struct str host_key(struct compile *c, const char *what, struct str host)
{
    return arena_printf(c->a, "%s %.*s", what, STRF(host));
}

static void index_rules(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_DESTINATION_RULE);

    for (size_t i = 0; i < all->n; i++) {
        const struct api_destinationrule *d = all->v[i]->body;
        struct str host = name_host(c->a, d->host, all->v[i]->meta->namespace);

        put(c, &c->reg->lookups, host_key(c, "rule", host.n && host.p[0] == '*' ? STR("*") : host),
            all->v[i]);
    }
}

static void index_entries(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_SERVICE_ENTRY);

    for (size_t i = 0; i < all->n; i++) {
        const struct api_serviceentry *e = all->v[i]->body;

        for (size_t k = 0; k < e->hosts.n; k++)
            put(c, &c->reg->lookups,
                host_key(c, "entry", name_host(c->a, e->hosts.v[k], all->v[i]->meta->namespace)),
                all->v[i]);
    }
}

/* Most VirtualServices name the Gateway that the one before them names. */
void bound_build(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_VIRTUAL_SERVICE);
    struct str written = STR_NONE, ns = STR_NONE;
    struct bag *bag = NULL;

    for (size_t i = 0; i < all->n; i++) {
        const struct api_virtualservice *vs = all->v[i]->body;

        for (size_t k = 0; k < vs->gateways.n; k++) {
            if (!bag || !str_eq(vs->gateways.v[k], written) ||
                !str_eq(all->v[i]->meta->namespace, ns)) {
                written = vs->gateways.v[k];
                ns = all->v[i]->meta->namespace;
                bag = bag_of(c, &c->bound, host_key(c, "gateway", name_gateway(c->a, written, ns)));
            }
            bag_add(c, bag, all->v[i]);
        }
    }
}

const struct object_list *lookup_rules(struct compile *c, struct str host)
{
    return get(&c->reg->lookups, host_key(c, "rule", host));
}

const struct object_list *lookup_wildcard_rules(struct compile *c)
{
    return get(&c->reg->lookups, STR("rule *"));
}

const struct object_list *lookup_entries(struct compile *c, struct str host)
{
    return get(&c->reg->lookups, host_key(c, "entry", host));
}

const struct object_list *lookup_bound(struct compile *c, struct str gateway)
{
    return get(&c->bound, host_key(c, "gateway", gateway));
}

void lookups_build(struct compile *c)
{
    static const enum object_kind labelled[] = { OBJ_WORKLOAD_ENTRY, OBJ_POD,
                                                 OBJ_ENDPOINT_SLICE, OBJ_DEPLOYMENT,
                                                 OBJ_STATEFUL_SET,   OBJ_DAEMON_SET };

    for (size_t i = 0; i < LEN(labelled); i++)
        index_labels(c, labelled[i]);
    index_rules(c);
    index_entries(c);
}
