/*
 * mesh/tables - route configurations: tables of hosts that servers share, and what comes and
 * goes in them.
 */
#include "api/gateway.h"
#include "base/hash.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "mesh/watch.h"
#include "model/host_index.h"

#include <stdlib.h>

struct table_plan *table_get(struct plan *p, struct str name)
{
    struct table_plan *t = map_get(&p->tables, name);

    if (t)
        return t;
    t = must_alloc(sizeof(*t));
    t->name = plan_dup(name);
    t->digest = hash_stable(name);
    t->slot = t->hole = SLOT_NONE;
    map_init(&t->by_host);
    map_init(&t->under);
    list_init(&t->unmade);
    node_init(&t->top, t->name, 0);
    map_put(&p->tables, t->name, t);
    return t;
}

static void vhost_free(struct vhost_plan *v)
{
    list_remove(&v->unmade);
    free(v->used);
    free(v->redirects);
    free((char *)(uintptr_t)v->host.p);
    free(v);
}

void table_free(struct table_plan *t)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&t->by_host, &at));)
        vhost_free(e->value);
    for (size_t at = 0; (e = map_next(&t->under, &at));)
        free(e->value);
    map_fini(&t->by_host);
    map_fini(&t->under);
    node_fini(&t->top);
    list_remove(&t->unmade);
    free(t->suffixes);
    free(t->servers);
    free((char *)(uintptr_t)t->name.p);
    free(t);
}

void table_touch(struct compile *c, struct table_plan *t)
{
    if (list_is_empty(&t->unmade))
        list_push_back(&c->plan->changed_tables, &t->unmade);
}

/* ---- hosts ---- */

struct vhost_plan *table_host(struct compile *c, struct table_plan *t, struct str host)
{
    struct vhost_plan *v = map_get(&t->by_host, host);

    if (v)
        return v;
    v = must_alloc(sizeof(*v));
    v->host = plan_dup(host);
    v->hash = hash_stable(host);
    v->key = domain_hash(domain_key(v->host));
    v->table = t;
    v->slot = SLOT_NONE;
    list_init(&v->unmade);
    map_put(&t->by_host, v->host, v);
    c->plan->octets += sizeof(*v) + host.n;
    vhost_touch(c, v);
    return v;
}

void vhost_touch(struct compile *c, struct vhost_plan *v)
{
    if (list_is_empty(&v->unmade))
        list_push_back(&c->plan->vhosts, &v->unmade);
}

bool table_covers(const struct table_plan *t, struct str host)
{
    struct arena a;
    struct str wider;
    bool covers = map_has(&t->by_host, host) || map_has(&t->under, host);

    arena_init(&a, 1024);
    for (size_t at = 0; !covers && name_wider(&a, host, &at, &wider);)
        covers = map_has(&t->by_host, wider);
    arena_fini(&a);
    return covers;
}

/* ---- the lengths of suffixes ---- */

static size_t suffix_at(const struct table_plan *t, size_t octets)
{
    size_t i = 0;

    while (i < t->suffix_n && t->suffixes[i].octets > octets)
        i++;
    return i;
}

static void suffix_count(struct compile *c, struct table_plan *t, const struct vhost_plan *v,
                         uint32_t sign)
{
    size_t octets = domain_key(v->host).n, at = suffix_at(t, octets);

    if (octets == v->host.n || octets > UINT16_MAX)
        return;
    if (at == t->suffix_n || t->suffixes[at].octets != octets) {
        if (t->suffix_n == t->suffix_cap) {
            t->suffix_cap = MAX(t->suffix_cap * 2, 4);
            t->suffixes = must_realloc(t->suffixes, t->suffix_cap * sizeof(*t->suffixes));
        }
        memmove(t->suffixes + at + 1, t->suffixes + at, (t->suffix_n - at) * sizeof(*t->suffixes));
        t->suffixes[at] = (struct suffix_count){ (uint16_t)octets, 0 };
        t->suffix_n++;
        table_touch(c, t);
    }
    t->suffixes[at].n += sign;
    if (t->suffixes[at].n)
        return;
    t->suffix_n--;
    memmove(t->suffixes + at, t->suffixes + at + 1, (t->suffix_n - at) * sizeof(*t->suffixes));
    table_touch(c, t);
}

/* ---- hosts that come and go ---- */

/* True: it covers none now, or did before. */
static bool cover(struct table_plan *t, struct str wildcard, uint32_t sign)
{
    struct covered *k = map_get(&t->under, wildcard);

    if (!k) {
        k = must_alloc(sizeof(*k) + wildcard.n + 1);
        memcpy(k->wildcard, wildcard.p, wildcard.n);
        map_put(&t->under, str_make(k->wildcard, wildcard.n), k);
    }
    k->n += sign;
    if (k->n == 0) {
        map_del(&t->under, wildcard);
        free(k);
        return true;
    }
    return k->n == 1 && sign == 1;
}

/* Tells the servers whose hosts it may serve. */
static void vhost_appears(struct compile *c, struct vhost_plan *v, uint32_t sign)
{
    struct table_plan *t = v->table;
    struct str wider;

    watch_touch_servers(c, t, WATCH_IS, v->host);
    for (size_t at = 0; name_wider(c->a, v->host, &at, &wider);)
        if (cover(t, wider, sign))
            watch_touch_servers(c, t, WATCH_UNDER, wider);
    suffix_count(c, t, v, sign);
}

static void vhost_comes(struct compile *c, struct vhost_plan *v, slot_id slot)
{
    struct table_plan *t = v->table;

    v->slot = slot;
    vhost_appears(c, v, 1);
    if (!str_eq(v->host, STR("*"))) {
        node_add(c, t, v);
        return;
    }
    t->any = v;
    table_touch(c, t);
}

/* Nobody has rules for it any more, if anybody ever had when it was made. */
static void vhost_goes(struct compile *c, struct vhost_plan *v)
{
    struct table_plan *t = v->table;

    if (v->slot != SLOT_NONE) {
        vhost_forget(c, v);
        compile_clear(c, PART_VHOST, v->slot);
        map_del(&t->by_host, v->host);
        vhost_appears(c, v, UINT32_MAX); /* less */
        if (v == t->any)
            t->any = NULL;
        else
            node_del(c, t, v);
        table_touch(c, t);
    } else {
        map_del(&t->by_host, v->host);
    }
    c->plan->octets -= sizeof(*v) + v->host.n;
    vhost_free(v);
}

static void vhosts_make(struct compile *c)
{
    while (!list_is_empty(&c->plan->vhosts)) {
        struct vhost_plan *v = CONTAINER_OF(c->plan->vhosts.next, struct vhost_plan, unmade);
        slot_id slot;

        list_remove(&v->unmade);
        c->m->work.vhosts++;
        if (!v->used_n && !v->redirects_n) {
            vhost_goes(c, v);
            continue;
        }
        slot = vhost_compile(c, v);
        if (v->slot == SLOT_NONE)
            vhost_comes(c, v, slot);
    }
}

/* ---- tables ---- */

/* Istio keeps one host that answers 404, so that the table is there. */
static void hole_make(struct compile *c, struct table_plan *t)
{
    const struct server_plan *s = t->servers[0];
    struct vhost *v = vhost_new(c, t, STR("*"), s);

    v->label = arena_printf(v->part.arena, "blackhole:%u", s->ref.manifest_port);
    t->hole = v->part.slot;
    compile_put_sure(c, &v->part);
}

static void hole_clear(struct compile *c, struct table_plan *t)
{
    if (t->hole == SLOT_NONE)
        return;
    if (!t->any) /* else it has its place */
        compile_clear(c, PART_VHOST, t->hole);
    t->hole = SLOT_NONE;
}

static void table_fill(struct compile *c, const struct table_plan *t, struct routes *r)
{
    slot_id any = t->any ? t->any->slot : t->hole;
    size_t first = any != SLOT_NONE;

    ARRAY_COPY(&r->part, r->domains, t->top.v_n + first);
    if (first)
        r->domains.v[0] = (struct domain){ STR("*"), any };
    node_fill(&r->part, &t->top, r->domains.v + first);
    if (!t->top.below)
        return;
    ARRAY_COPY(&r->part, r->shards, DOMAINS_SHARDS);
    for (uint32_t i = 0; i < DOMAINS_SHARDS; i++)
        r->shards.v[i] = slots_of(c->slots, PART_DOMAINS, t->top.below[i].name);
    ARRAY_COPY(&r->part, r->suffixes, t->suffix_n);
    for (size_t i = 0; i < t->suffix_n; i++)
        r->suffixes.v[i] = t->suffixes[i].octets;
}

static void table_make(struct compile *c, struct table_plan *t)
{
    const struct server_ref *s = &t->servers[0]->ref;
    const struct api_gateway *gw = s->gateway->body;
    struct routes *r = compile_part(c, PART_ROUTES, t->name);

    t->slot = r->part.slot;
    if (!t->by_host.n)
        hole_make(c, t);
    else
        hole_clear(c, t);
    part_origin(&r->part, compile_origin(c, s->gateway, SPOT(&gw->servers.v[s->index])));
    table_fill(c, t, r);
    compile_put_sure(c, &r->part);
    c->m->work.nodes++;
}

static void table_drop(struct compile *c, struct table_plan *t)
{
    hole_clear(c, t);
    compile_clear(c, PART_ROUTES, t->slot);
    map_del(&c->plan->tables, t->name);
    table_free(t);
}

static void nodes_make(struct compile *c)
{
    while (!list_is_empty(&c->plan->nodes)) {
        struct host_node *n = CONTAINER_OF(c->plan->nodes.next, struct host_node, unmade);

        list_remove(&n->unmade);
        node_compile(c, n);
    }
}

void tables_compile(struct compile *c)
{
    vhosts_make(c);
    nodes_make(c);
    while (!list_is_empty(&c->plan->changed_tables)) {
        struct table_plan *t = CONTAINER_OF(c->plan->changed_tables.next, struct table_plan,
                                            unmade);

        list_remove(&t->unmade);
        if (t->n)
            table_make(c, t);
        else
            table_drop(c, t);
    }
}
