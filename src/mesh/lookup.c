#include "mesh/lookup.h"

#include "api/certmanager.h"
#include "api/destinationrule.h"
#include "api/gateway.h"
#include "api/serviceentry.h"
#include "api/virtualservice.h"
#include "api/workload.h"
#include "mesh/aged.h"
#include "mesh/mesh_int.h"

#include <stdlib.h>

struct bag {
    input_key key;
    struct aged aged;
    struct bag *next; /* among those to be settled */
    bool unsettled;
};

static const struct object_list nothing;

static struct str key_text(const input_key *key)
{
    return str_make((const char *)key, sizeof(*key));
}

void lookups_init(struct lookups *l)
{
    map_init(&l->bags);
}

void lookups_fini(struct lookups *l)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&l->bags, &at));) {
        struct bag *bag = e->value;

        aged_fini(&bag->aged);
        free(bag);
    }
    map_fini(&l->bags);
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

/* ---- under which keys an object is found ---- */

struct keys {
    struct compile *c;
    const struct api_object *o;
    lookup_key_fn *fn;
};

static void emit(const struct keys *k, enum input what, input_key key)
{
    k->fn(k->c, what, key, k->o);
}

static void label_keys(const struct keys *k, enum object_kind kind)
{
    const struct str_map *labels = lookup_labels(k->o, kind);

    for (size_t i = 0; labels && i < labels->n; i++)
        emit(k, INPUT_LABEL,
             input_of(INPUT_LABEL, (int)kind, k->o->meta->namespace, labels->v[i].key,
                      labels->v[i].value));
}

static input_key host_key(enum input what, struct str host)
{
    return input_of(what, 0, host, STR_NONE, STR_NONE);
}

/* "*" and "*.x" are found by the ends of a host; "*x" is not. */
static bool is_odd(struct str host)
{
    return host.n > 1 && host.p[0] == '*' && host.p[1] != '.';
}

static void rule_keys(const struct keys *k)
{
    const struct api_destinationrule *d = k->o->body;
    struct str host = name_host(k->c->a, d->host, k->o->meta->namespace);

    emit(k, INPUT_RULE, host_key(INPUT_RULE, host));
    if (is_odd(host))
        emit(k, INPUT_ODD_RULE, input_of(INPUT_ODD_RULE, 0, STR_NONE, STR_NONE, STR_NONE));
}

static void entry_keys(const struct keys *k)
{
    const struct api_serviceentry *e = k->o->body;

    for (size_t i = 0; i < e->hosts.n; i++)
        emit(k, INPUT_ENTRY,
             host_key(INPUT_ENTRY, name_host(k->c->a, e->hosts.v[i], k->o->meta->namespace)));
}

static void bound_keys(const struct keys *k)
{
    const struct api_virtualservice *vs = k->o->body;

    for (size_t i = 0; i < vs->gateways.n; i++)
        emit(
            k, INPUT_BOUND,
            host_key(INPUT_BOUND, name_gateway(k->c->a, vs->gateways.v[i], k->o->meta->namespace)));
}

static void claim(const struct keys *k, struct str host)
{
    emit(k, INPUT_CLAIM, host_key(INPUT_CLAIM, host));
}

static void service_claims(const struct keys *k)
{
    const struct api_virtualservice *vs = k->o->body;

    for (size_t i = 0; i < vs->hosts.n; i++)
        claim(k, name_host(k->c->a, vs->hosts.v[i], k->o->meta->namespace));
}

static void server_claims(const struct keys *k)
{
    const struct api_gateway *gw = k->o->body;

    for (size_t i = 0; i < gw->servers.n; i++)
        for (size_t h = 0; h < gw->servers.v[i].hosts.n; h++) {
            struct str ns, host;

            name_server_host(gw->servers.v[i].hosts.v[h], k->o->meta->namespace, &ns, &host);
            claim(k, name_lower(k->c->a, host));
        }
}

static void exports_key(const struct keys *k, enum object_kind kind, const struct str_list *to)
{
    if (to->n && !str_eq(to->v[0], STR("*")))
        emit(k, INPUT_EXPORTS, input_of(INPUT_EXPORTS, (int)kind, STR_NONE, STR_NONE, STR_NONE));
}

static void named_key(const struct keys *k, enum object_kind kind, struct str name)
{
    emit(k, INPUT_NAMED, input_of(INPUT_NAMED, (int)kind, name, STR_NONE, STR_NONE));
}

static void kind_keys(const struct keys *k, enum object_kind kind)
{
    const struct api_object *o = k->o;

    switch (kind) {
    case OBJ_DESTINATION_RULE:
        rule_keys(k);
        exports_key(k, kind, &((const struct api_destinationrule *)o->body)->export_to);
        break;
    case OBJ_SERVICE_ENTRY:
        entry_keys(k);
        exports_key(k, kind, &((const struct api_serviceentry *)o->body)->export_to);
        break;
    case OBJ_VIRTUAL_SERVICE:
        bound_keys(k);
        service_claims(k);
        exports_key(k, kind, &((const struct api_virtualservice *)o->body)->export_to);
        break;
    case OBJ_GATEWAY:
        server_claims(k);
        break;
    case OBJ_SERVICE:
        emit(k, INPUT_SERVICE,
             host_key(INPUT_SERVICE, name_host(k->c->a, o->meta->name, o->meta->namespace)));
        break;
    case OBJ_SECRET:
        named_key(k, kind, o->meta->name);
        break;
    case OBJ_CERTIFICATE:
        named_key(k, kind, ((const struct api_certificate *)o->body)->secret_name);
        break;
    case OBJ_WORKLOAD_ENTRY:
    case OBJ_POD:
    case OBJ_ENDPOINT_SLICE:
    case OBJ_DEPLOYMENT:
    case OBJ_STATEFUL_SET:
    case OBJ_DAEMON_SET:
        label_keys(k, kind);
        break;
    default:
        break;
    }
}

static input_key object_key(enum object_kind kind, struct str namespace, struct str name)
{
    return input_of(INPUT_OBJECT, (int)kind, namespace, name, STR_NONE);
}

static input_key presence_key(enum object_kind kind, struct str namespace, struct str name)
{
    return input_of(INPUT_PRESENCE, (int)kind, namespace, name, STR_NONE);
}

static input_key keyed_key(enum object_kind kind, const struct api_object *o)
{
    return input_of(INPUT_KEYED, (int)kind, o->meta->namespace, o->meta->name, STR_NONE);
}

static input_key all_key(enum object_kind kind)
{
    return input_of(INPUT_ALL, (int)kind, STR_NONE, STR_NONE, STR_NONE);
}

void lookup_each_key(struct compile *c, enum object_kind kind, const struct api_object *o,
                     lookup_key_fn *fn)
{
    fn(c, INPUT_OBJECT, object_key(kind, o->meta->namespace, o->meta->name), o);
    fn(c, INPUT_PRESENCE, presence_key(kind, o->meta->namespace, o->meta->name), o);
    fn(c, INPUT_KEYED, keyed_key(kind, o), o);
    fn(c, INPUT_ALL, all_key(kind), o);
    kind_keys(&(struct keys){ c, o, fn }, kind);
}

/* ---- taking up changes ---- */

static struct bag *bag_for(struct compile *c, input_key key)
{
    struct map *bags = &c->m->lookups.bags;
    struct bag *bag = map_get(bags, key_text(&key));

    if (!bag) {
        bag = must_alloc(sizeof(*bag));
        bag->key = key;
        map_put(bags, key_text(&bag->key), bag);
    }
    if (!bag->unsettled) {
        bag->unsettled = true;
        bag->next = c->unsettled;
        c->unsettled = bag;
    }
    return bag;
}

static bool has_list(enum input what)
{
    return what != INPUT_OBJECT && what != INPUT_PRESENCE && what != INPUT_KEYED &&
           what != INPUT_ALL && what != INPUT_CLAIM;
}

static void come(struct compile *c, enum input what, input_key key, const struct api_object *o)
{
    if (has_list(what))
        aged_add(&bag_for(c, key)->aged, o);
}

static void go(struct compile *c, enum input what, input_key key, const struct api_object *o)
{
    if (has_list(what))
        aged_del(&bag_for(c, key)->aged, o);
}

static void settle(struct compile *c)
{
    while (c->unsettled) {
        struct bag *bag = c->unsettled;

        c->unsettled = bag->next;
        bag->unsettled = false;
        aged_settle(&bag->aged);
        if (bag->aged.list.n)
            continue;
        map_del(&c->m->lookups.bags, key_text(&bag->key));
        aged_fini(&bag->aged);
        free(bag);
    }
}

void lookups_update(struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);

    for (size_t i = 0; i < n; i++) {
        if (v[i].was)
            lookup_each_key(c, v[i].kind, v[i].was, go);
        if (v[i].now)
            lookup_each_key(c, v[i].kind, v[i].now, come);
    }
    settle(c);
}

/* ---- looking up ---- */

static void read_input(struct compile *c, enum input what, input_key key)
{
    if (c->reading)
        inputs_add(&c->m->inputs, c->reading, what, key);
}

static const struct object_list *get(struct compile *c, enum input what, input_key key)
{
    const struct bag *bag = map_get(&c->m->lookups.bags, key_text(&key));

    read_input(c, what, key);
    return bag ? &bag->aged.list : &nothing;
}

const struct api_object *lookup_object(struct compile *c, enum object_kind kind,
                                       struct str namespace, struct str name)
{
    read_input(c, INPUT_OBJECT, object_key(kind, namespace, name));
    return store_find(c->store, kind, namespace, name);
}

bool lookup_is_there(struct compile *c, enum object_kind kind, struct str namespace,
                     struct str name)
{
    read_input(c, INPUT_PRESENCE, presence_key(kind, namespace, name));
    return store_find(c->store, kind, namespace, name) != NULL;
}

void lookup_keyed(struct compile *c, enum object_kind kind, const struct api_object *o)
{
    read_input(c, INPUT_KEYED, keyed_key(kind, o));
}

void lookup_claimed(struct compile *c, struct str host)
{
    struct str wider;

    read_input(c, INPUT_CLAIM, host_key(INPUT_CLAIM, host));
    for (size_t at = 0; name_wider(c->a, host, &at, &wider);)
        read_input(c, INPUT_CLAIM, host_key(INPUT_CLAIM, wider));
}

const struct object_list *lookup_labelled(struct compile *c, enum object_kind kind,
                                          struct str namespace, const struct str_map *selector)
{
    if (selector->n)
        return get(
            c, INPUT_LABEL,
            input_of(INPUT_LABEL, (int)kind, namespace, selector->v[0].key, selector->v[0].value));
    read_input(c, INPUT_ALL, all_key(kind));
    return store_list(c->store, kind);
}

const struct object_list *lookup_rules(struct compile *c, struct str host)
{
    return get(c, INPUT_RULE, host_key(INPUT_RULE, host));
}

const struct object_list *lookup_odd_rules(struct compile *c)
{
    return get(c, INPUT_ODD_RULE, input_of(INPUT_ODD_RULE, 0, STR_NONE, STR_NONE, STR_NONE));
}

const struct object_list *lookup_services(struct compile *c, struct str host)
{
    return get(c, INPUT_SERVICE, host_key(INPUT_SERVICE, host));
}

const struct object_list *lookup_entries(struct compile *c, struct str host)
{
    return get(c, INPUT_ENTRY, host_key(INPUT_ENTRY, host));
}

const struct object_list *lookup_named(struct compile *c, enum object_kind kind, struct str name)
{
    return get(c, INPUT_NAMED, input_of(INPUT_NAMED, (int)kind, name, STR_NONE, STR_NONE));
}

const struct object_list *lookup_bound(struct compile *c, struct str gateway)
{
    return get(c, INPUT_BOUND, host_key(INPUT_BOUND, gateway));
}

const struct object_list *lookup_exporting(struct compile *c, enum object_kind kind)
{
    return get(c, INPUT_EXPORTS, input_of(INPUT_EXPORTS, (int)kind, STR_NONE, STR_NONE, STR_NONE));
}
