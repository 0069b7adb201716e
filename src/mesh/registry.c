/*
 * mesh/registry - which services are made again: those of changed objects, and those that have
 * read something which changed.
 */
#include "api/serviceentry.h"
#include "base/hash.h"
#include "mesh/credentials.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"

#include <stdlib.h>

void registry_free(struct registry *r, struct inputs *in)
{
    const struct map_entry *e;

    if (!r)
        return;
    for (size_t at = 0; (e = map_next(&r->services, &at));)
        service_free(e->value, in);
    map_fini(&r->services);
    free(r->secrets);
    free(r);
}

static struct registry *registry_new(uint64_t config)
{
    struct registry *r = must_alloc(sizeof(*r));

    map_init(&r->services);
    list_init(&r->noted);
    list_init(&r->playing);
    r->config = config;
    return r;
}

/* ---- which ---- */

/* Hosts to be made again, each once. */
struct remake {
    struct compile *c;
    struct map hosts; /* -> struct pair */
};

struct pair {
    struct str host;
    struct service *was, *now;
};

static void want(struct remake *r, struct str host)
{
    struct pair *p;

    if (map_has(&r->hosts, host))
        return;
    p = ARENA_NEW(r->c->a, struct pair);
    p->host = arena_dup(r->c->a, host);
    map_put(&r->hosts, p->host, p);
}

static void want_hosts_of(struct remake *r, enum object_kind kind, const struct api_object *o)
{
    const struct api_serviceentry *e = o->body;
    const struct api_meta *meta = o->meta;

    if (kind == OBJ_SERVICE)
        want(r, name_host(r->c->a, meta->name, meta->namespace));
    for (size_t i = 0; kind == OBJ_SERVICE_ENTRY && i < e->hosts.n; i++)
        want(r, name_host(r->c->a, e->hosts.v[i], meta->namespace));
}

static void want_all(struct remake *r)
{
    static const enum object_kind kinds[] = { OBJ_SERVICE, OBJ_SERVICE_ENTRY };

    for (size_t k = 0; k < LEN(kinds); k++) {
        const struct object_list *list = store_list(r->c->store, kinds[k]);

        for (size_t i = 0; i < list->n; i++)
            want_hosts_of(r, kinds[k], list->v[i]);
    }
}

/* Of claims the plan takes care. */
static void touch(struct compile *c, enum input what, input_key key, const struct api_object *o)
{
    (void)o;
    if (what != INPUT_CLAIM && what != INPUT_PRESENCE)
        inputs_touch(&c->m->inputs, key, &c->touched);
}

/* It comes or goes. */
static void touch_presence(struct compile *c, enum input what, input_key key,
                           const struct api_object *o)
{
    (void)o;
    if (what == INPUT_PRESENCE)
        inputs_touch(&c->m->inputs, key, &c->touched);
}

static void touch_changes(struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);

    for (size_t i = 0; i < n; i++) {
        if (v[i].was)
            lookup_each_key(c, v[i].kind, v[i].was, touch);
        if (v[i].now)
            lookup_each_key(c, v[i].kind, v[i].now, touch);
        if (!v[i].was || !v[i].now)
            lookup_each_key(c, v[i].kind, v[i].was ? v[i].was : v[i].now, touch_presence);
    }
}

static void want_changed(struct remake *r)
{
    size_t n;
    const struct object_change *v = store_changes(r->c->store, &n);

    for (size_t i = 0; i < n; i++) {
        if (v[i].was)
            want_hosts_of(r, v[i].kind, v[i].was);
        if (v[i].now)
            want_hosts_of(r, v[i].kind, v[i].now);
    }
    LIST_EACH (l, &r->c->touched, after) {
        struct reader *reader = CONTAINER_OF(l, struct reader, changed);

        if (reader->is_service)
            want(r, CONTAINER_OF(reader, struct service, reader)->host);
    }
    LIST_EACH (l, &r->c->reg->playing, next)
        want(r, CONTAINER_OF(l, struct service, plays)->host);
}

/* ---- making ---- */

static void make(struct compile *c, struct pair *p)
{
    p->was = map_del(&c->reg->services, p->host);
    p->now = service_make(c, p->host);
    if (p->now)
        map_put(&c->reg->services, p->now->host, p->now);
}

static void compile_one(struct compile *c, struct service *s)
{
    struct notes *notes = c->notes;
    size_t unsupported = c->sum->unsupported;

    s->notes.max = notes->max;
    c->notes = &s->notes;
    c->reading = &s->reader;
    c->a = c->scratch;
    (void)service_find(c, s->host); /* what it was made from */
    clusters_compile(c, s);
    c->a = c->whole;
    c->reading = NULL;
    c->notes = notes;
    notes_own(&s->notes);
    arena_reset(c->scratch);
    s->unsupported = c->sum->unsupported - unsupported;
    if (s->notes.n)
        list_push_back(&c->reg->noted, &s->noted);
}

static void count(struct registry *r, const struct service *s, size_t sign)
{
    r->unsupported += sign * s->unsupported;
    r->clusters += sign * s->usable;
    r->endpoints += sign * s->endpoints;
    r->octets += sign * s->arena->total;
}

/* Clusters that it has no more. */
static void clear(struct compile *c, const struct service *was)
{
    for (size_t i = 0; i < was->cluster_count; i++) {
        compile_clear(c, PART_CLUSTER, was->clusters[i].slot);
        compile_clear(c, PART_HOSTS, was->clusters[i].hosts);
    }
}

/* Routes that have seen it. */
static void touch_host(struct compile *c, struct str host)
{
    inputs_touch(&c->m->inputs, input_of(INPUT_HOST, 0, host, STR_NONE, STR_NONE), &c->touched);
}

static void replace(struct compile *c, const struct pair *p)
{
    if ((p->was ? p->was->digest : 0) != (p->now ? p->now->digest : 0))
        touch_host(c, p->host);
    if (p->now)
        count(c->reg, p->now, 1);
    if (!p->was)
        return;
    count(c->reg, p->was, SIZE_MAX); /* less */
    clear(c, p->was);
    secrets_let_go(c, p->was);
    service_free(p->was, &c->m->inputs);
}

static void make_all(struct compile *c, struct map *hosts)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(hosts, &at));)
        make(c, e->value);
    for (size_t at = 0; (e = map_next(hosts, &at));) {
        struct pair *p = e->value;

        if (p->now)
            compile_one(c, p->now);
    }
    for (size_t at = 0; (e = map_next(hosts, &at));)
        replace(c, e->value);
}

/* Another registry may not have all of its services. */
static void drop_all(struct compile *c, struct registry *r)
{
    const struct map_entry *e;

    for (size_t at = 0; r && (e = map_next(&r->services, &at));)
        touch_host(c, e->key), secrets_let_go(c, e->value);
    registry_free(r, &c->m->inputs);
}

void registry_update(struct compile *c)
{
    struct mesh *m = c->m;
    struct remake r = { .c = c };
    uint64_t config = hash_mix(c->config_digest, forbidden_digest(c->store));

    map_init(&r.hosts);
    touch_changes(c);
    if (m->registry && m->registry->config == config) {
        c->kept[PART_CLUSTER] = c->kept[PART_HOSTS] = true;
        c->reg = m->registry;
        want_changed(&r);
    } else {
        drop_all(c, m->registry);
        c->reg = m->registry = registry_new(config);
        clusters_black_hole(c);
        want_all(&r);
    }
    make_all(c, &r.hosts);
    map_fini(&r.hosts);
    for (size_t i = 0; i < c->reg->secrets_n; i++)
        if (c->reg->secrets[i])
            compile_seen(c, PART_SECRET, (slot_id)i);
    c->sum->clusters = c->reg->clusters;
    c->sum->endpoints = c->reg->endpoints;
}

void registry_say(struct compile *c)
{
    LIST_EACH (l, &c->reg->noted, after)
        notes_append(c->notes, &CONTAINER_OF(l, struct service, noted)->notes);
}
