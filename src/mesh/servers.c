/*
 * mesh/servers - Gateways' servers as the placing has them: which came, went or changed.
 *
 * A server is known by its Gateway, port and port name, not by its place in the list: so that
 * one more before it does not concern what stands behind.
 */
#include "api/gateway.h"
#include "base/hash.h"
#include "mesh/aged.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/watch.h"

#include <stdlib.h>

/* Older Gateways first, then the order of their list. */
int server_compare(const struct server_plan *a, const struct server_plan *b)
{
    int order = a->gateway == b->gateway ? 0 : aged_compare(a->ref.gateway, b->ref.gateway);

    if (order || a == b)
        return order;
    return a->ref.index < b->ref.index ? -1 : a->ref.index > b->ref.index;
}

static uint64_t made_at(const struct api_object *gw)
{
    const struct opt_time *made = &gw->meta->creation_timestamp;

    return made->set ? (uint64_t)made->unix_ms + 1 : 0;
}

/* ---- Gateways ---- */

/* VirtualServices that name it: what is said of them depends on whether it has servers. */
static void gateway_speak(struct compile *c, const struct gateway_plan *g)
{
    const struct object_list *named = lookup_bound(c, g->name);

    for (size_t i = 0; i < named->n; i++)
        cell_speak(c, cell_of(c->m, named->v[i]));
}

static struct gateway_plan *gateway_get(struct compile *c, const struct api_object *gw)
{
    struct str name = arena_printf(c->a, "%.*s/%.*s", STRF(gw->meta->namespace),
                                   STRF(gw->meta->name));
    struct gateway_plan *g = map_get(&c->plan->gateways, name);

    if (g)
        return g;
    g = must_alloc(sizeof(*g));
    g->name = plan_dup(name);
    g->hash = hash_stable(g->name);
    list_init(&g->servers);
    map_put(&c->plan->gateways, g->name, g);
    gateway_speak(c, g);
    return g;
}

static struct server_plan *server_find(const struct gateway_plan *g, struct str name)
{
    for (const struct list *l = g->servers.next; l != &g->servers; l = l->next) {
        struct server_plan *s = CONTAINER_OF(l, struct server_plan, of_gateway);

        if (str_eq(s->name, name))
            return s;
    }
    return NULL;
}

/* ---- which is which ---- */

static struct server_plan *server_new(struct compile *c, struct gateway_plan *g,
                                      const struct placed *p, struct str name)
{
    struct server_plan *s = must_alloc(sizeof(*s));

    s->name = plan_dup(name);
    s->hash = hash_stable(name);
    s->gateway = g;
    s->made = made_at(p->ref.gateway);
    s->slot = SLOT_NONE;
    list_init(&s->bindings);
    list_init(&s->unsaid);
    list_init(&s->noted);
    list_init(&s->of_gateway);
    reader_init(&s->watch, false);
    list_push_back(&g->servers, &s->of_gateway);
    c->plan->octets += sizeof(*s);
    return s;
}

/* Two of one Gateway with the same port and port name are told apart by number. */
static struct str name_of(struct compile *c, const struct gateway_plan *g, const struct placed *p)
{
    struct str name = arena_printf(c->a, "%.*s/%u/%.*s", STRF(g->name), p->ref.manifest_port,
                                   STRF(p->server->port->name));
    struct str numbered = name;
    const struct server_plan *s;

    for (unsigned i = 2; (s = server_find(g, numbered)) && s->keeps; i++)
        numbered = arena_printf(c->a, "%.*s#%u", STRF(name), i);
    return numbered;
}

/* `last` is the one before in the same table: those that stay keep their order. */
static bool is_same(const struct server_plan *s, const struct placed *p,
                    const struct server_plan *last, uint32_t last_index)
{
    return s->table && str_eq(s->table->name, p->routes) && s->made == made_at(p->ref.gateway) &&
           (!last || last->gateway != s->gateway || last_index < s->ref.index);
}

static void server_drop(struct compile *c, struct server_plan *s);

static void listener_match(struct compile *c, struct listener_plan *l)
{
    const struct server_plan *last = NULL;
    uint32_t last_index = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct placed *p = &l->v[i];
        struct gateway_plan *g = gateway_get(c, p->ref.gateway);
        struct str name = name_of(c, g, p);
        struct server_plan *s = server_find(g, name);

        c->m->work.placed++;
        if (s && is_same(s, p, l->class == SERVER_HTTP ? last : NULL, last_index)) {
            last = s;
            last_index = s->ref.index;
        } else {
            if (s)
                server_drop(c, s);
            s = server_new(c, g, p, name);
        }
        s->keeps = true;
        s->ref = p->ref;
        s->at = p;
        s->on = l;
        p->plan = s;
    }
}

/* ---- the server's own part ---- */

static uint64_t digest_of(const struct server_plan *s)
{
    return hash_mix(memo_object(s->ref.gateway),
                    ((uint64_t)s->ref.index << 16) | s->ref.manifest_port);
}

static void server_put(struct compile *c, struct server_plan *s)
{
    const struct api_object *gw = s->ref.gateway;
    const struct api_gw_server *server = s->at->server;
    struct server *part = compile_part(c, PART_SERVER, s->name);

    part->port = s->ref.manifest_port;
    part_origin(&part->part, compile_origin(c, gw, SPOT(server)));
    if (s->redirects)
        part_origin(&part->part, compile_origin(c, gw, LEAF(server->tls, "httpsRedirect")));
    s->slot = part->part.slot;
    compile_put_sure(c, &part->part);
}

/* ---- its place in the table ---- */

static void insert(struct server_plan ***v, size_t *n, size_t *cap, struct server_plan *s)
{
    size_t at = *n;

    while (at > 0 && server_compare(s, (*v)[at - 1]) < 0)
        at--;
    if (*n == *cap) {
        *cap = MAX(*cap * 2, 1);
        *v = must_realloc(*v, *cap * sizeof(struct server_plan *));
    }
    memmove(*v + at + 1, *v + at, (*n - at) * sizeof(struct server_plan *));
    (*v)[at] = s;
    ++*n;
}

static void take_out(struct server_plan **v, size_t *n, const struct server_plan *s)
{
    for (size_t i = 0; i < *n; i++) {
        if (v[i] != s)
            continue;
        --*n;
        memmove(v + i, v + i + 1, (*n - i) * sizeof(struct server_plan *));
        return;
    }
}

static struct str host_of(struct compile *c, const struct server_plan *s, size_t i)
{
    struct str ns, host;

    name_server_host(s->hosts[i], STR(""), &ns, &host);
    return name_lower(c->a, host);
}

/* Its own hosts are there to redirect, whoever is bound to them. */
static void redirects_put(struct compile *c, struct server_plan *s)
{
    for (size_t i = 0; i < s->host_count; i++) {
        struct vhost_plan *v = table_host(c, s->table, host_of(c, s, i));

        take_out(v->redirects, &v->redirects_n, s);
        insert(&v->redirects, &v->redirects_n, &v->redirects_cap, s);
        vhost_touch(c, v);
    }
}

static void redirects_take(struct compile *c, struct server_plan *s)
{
    for (size_t i = 0; i < s->host_count; i++) {
        struct vhost_plan *v = map_get(&s->table->by_host, host_of(c, s, i));

        if (!v)
            continue;
        take_out(v->redirects, &v->redirects_n, s);
        vhost_touch(c, v);
    }
}

/* ---- its hosts ---- */

static bool has_host(const struct str *hosts, size_t n, struct str host)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(hosts[i], host))
            return true;
    return false;
}

static void hosts_free(struct str *hosts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)hosts[i].p);
    free(hosts);
}

static void hosts_set(struct compile *c, struct server_plan *s)
{
    const struct str_list *list = &s->at->server->hosts;

    s->hosts = must_alloc((list->n + 1) * sizeof(*s->hosts));
    s->host_count = list->n;
    for (size_t i = 0; i < list->n; i++)
        s->hosts[i] = plan_dup(list->v[i]);
    inputs_drop(&c->plan->servers_by_host, &s->watch);
    for (size_t i = 0; i < s->host_count; i++)
        watch_server(c, s, host_of(c, s, i));
}

static bool hosts_differ(const struct server_plan *s)
{
    const struct str_list *list = &s->at->server->hosts;
    bool differ = list->n != s->host_count;

    for (size_t i = 0; i < list->n && !differ; i++)
        differ = !str_eq(list->v[i], s->hosts[i]);
    return differ;
}

static void rebind(struct compile *c, struct server_plan *s, struct vs_cell *cell)
{
    if (!list_is_empty(&cell->pending))
        return; /* it will be */
    LIST_EACH (l, &cell->bindings, after) {
        struct binding *b = CONTAINER_OF(l, struct binding, of_cell);

        if (b->server == s)
            binding_drop(c, b);
    }
    binding_make(c, s, cell);
}

/* Those are bound again that may have a host in common with one of `a` that is not of `b`. */
static void rebind_other(struct compile *c, struct server_plan *s, const struct str *a, size_t a_n,
                         const struct str *b, size_t b_n)
{
    for (size_t i = 0; i < a_n; i++) {
        struct str ns, host;

        name_server_host(a[i], STR(""), &ns, &host);
        if (!has_host(b, b_n, a[i]))
            watch_each_cell(c, s, name_lower(c->a, host), rebind);
    }
}

static void hosts_change(struct compile *c, struct server_plan *s)
{
    struct str *was = s->hosts;
    size_t was_n = s->host_count;

    if (s->redirects)
        redirects_take(c, s);
    hosts_set(c, s);
    rebind_other(c, s, was, was_n, s->hosts, s->host_count);
    rebind_other(c, s, s->hosts, s->host_count, was, was_n);
    hosts_free(was, was_n);
    if (s->redirects)
        redirects_put(c, s);
}

/* ---- coming, changing, going ---- */

static bool redirects(const struct server_plan *s)
{
    const struct api_gw_tls *tls = s->at->server->tls;

    return tls && tls->https_redirect.v;
}

static void speak(struct compile *c, struct server_plan *s)
{
    if (list_is_empty(&s->unsaid))
        list_push_back(&c->plan->unsaid_servers, &s->unsaid);
}

/* Its VirtualServices that may have one of its hosts; those pending are bound later. */
static void cells_come(struct compile *c, struct server_plan *s)
{
    for (size_t i = 0; i < s->host_count; i++)
        watch_each_cell(c, s, host_of(c, s, i), binding_make);
}

static void server_come(struct compile *c, struct server_plan *s)
{
    s->digest = digest_of(s);
    s->table = table_get(c->plan, s->at->routes);
    s->redirects = redirects(s);
    insert(&s->table->servers, &s->table->n, &s->table->cap, s);
    table_touch(c, s->table);
    hosts_set(c, s);
    server_put(c, s);
    cells_come(c, s);
    if (s->redirects)
        redirects_put(c, s);
    speak(c, s);
}

/* All that is bound to it answers another way. */
static void redirects_turn(struct compile *c, struct server_plan *s)
{
    if (s->redirects)
        redirects_take(c, s);
    s->redirects = redirects(s);
    if (s->redirects)
        redirects_put(c, s);
    for (struct list *l = s->bindings.next; l != &s->bindings; l = l->next) {
        struct binding *b = CONTAINER_OF(l, struct binding, of_server);

        for (size_t i = 0; i < b->n; i++)
            vhost_touch(c, b->hosts[i]);
    }
}

static void server_change(struct compile *c, struct server_plan *s)
{
    uint64_t digest = digest_of(s);

    if (s->digest == digest)
        return;
    s->digest = digest;
    if (s->redirects != redirects(s))
        redirects_turn(c, s);
    if (hosts_differ(s))
        hosts_change(c, s);
    server_put(c, s);
    if (s->table->servers[0] == s)
        table_touch(c, s->table);
    speak(c, s);
}

void server_free(struct server_plan *s, struct plan *p)
{
    LIST_EACH (l, &s->bindings, after) { /* of a plan that goes as a whole */
        struct binding *b = CONTAINER_OF(l, struct binding, of_server);

        free(b->hosts);
        free(b);
    }
    inputs_drop(&p->servers_by_host, &s->watch);
    list_remove(&s->of_gateway);
    list_remove(&s->unsaid);
    list_remove(&s->noted);
    hosts_free(s->hosts, s->host_count);
    arena_free(s->arena);
    free((char *)(uintptr_t)s->name.p);
    p->octets -= sizeof(*s);
    free(s);
}

static void server_drop(struct compile *c, struct server_plan *s)
{
    while (!list_is_empty(&s->bindings)) /* del_used finds the last at once */
        binding_drop(c, CONTAINER_OF(s->bindings.prev, struct binding, of_server));
    if (s->redirects)
        redirects_take(c, s);
    take_out(s->table->servers, &s->table->n, s);
    table_touch(c, s->table);
    chain_drop(c, s);
    compile_clear(c, PART_SERVER, s->slot);
    server_free(s, c->plan);
}

static void servers_go(struct compile *c)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&c->plan->gateways, &at));) {
        struct gateway_plan *g = e->value;

        LIST_EACH (l, &g->servers, after) {
            struct server_plan *s = CONTAINER_OF(l, struct server_plan, of_gateway);

            if (!s->keeps)
                server_drop(c, s);
            else
                s->keeps = false; /* until the next placing */
        }
        if (!list_is_empty(&g->servers))
            continue;
        map_del(&c->plan->gateways, g->name);
        gateway_speak(c, g);
        free((char *)(uintptr_t)g->name.p);
        free(g);
    }
}

static bool serves(const struct listener_plan *l)
{
    return l->n && l->opens;
}

void servers_update(struct compile *c, struct placing *placing)
{
    for (size_t i = 0; i < placing->n; i++)
        if (serves(placing->listeners[i]))
            listener_match(c, placing->listeners[i]);
    servers_go(c);
    for (size_t i = 0; i < placing->n; i++) {
        struct listener_plan *l = placing->listeners[i];

        for (size_t k = 0; k < l->n && serves(l); k++) {
            if (l->v[k].plan->table)
                server_change(c, l->v[k].plan);
            else
                server_come(c, l->v[k].plan);
        }
    }
}

/* ---- what is said ---- */

void server_say(struct compile *c, struct server_plan *s)
{
    const struct api_gw_server *server = s->at->server;
    struct notes *notes = c->notes;

    c->m->work.said++;
    list_remove(&s->noted);
    arena_free(s->arena);
    s->arena = arena_new(256);
    notes_init(&s->notes, s->arena);
    s->notes.max = notes->max;
    c->notes = &s->notes;
    for (size_t i = 0; i < s->host_count; i++)
        if (!table_covers(s->table, host_of(c, s, i)))
            api_note(s->ref.gateway, c->notes, SEV_WARNING, "LAT0306", ITEM(server, "hosts", i),
                     "no VirtualService is bound to this host here: its requests are answered 404");
    c->notes = notes;
    notes_own(&s->notes);
    if (s->notes.n || s->notes.dropped) {
        list_push_back(&c->plan->noted, &s->noted);
        return;
    }
    arena_free(s->arena);
    s->arena = NULL;
}
