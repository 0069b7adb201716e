/*
 * mesh/bindings - a VirtualService at a server: which of its hosts are also the server's.
 *
 * Source: istio-api.md 1.3.2 (intersection), observed.md, Hosts.
 */
#include "api/gateway.h"
#include "api/virtualservice.h"
#include "mesh/aged.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"

#include <stdlib.h>

/* ---- whether a VirtualService has rules for a server ---- */

static uint64_t rules_name(const struct vs_cell *cell, const struct server_plan *s)
{
    return key_mix(key_mix(cell->key, MEMO_RULES), s->hash);
}

static bool rules_any(struct compile *c, struct binding *b);

/* A binding holds as long as there are rules, or as long as there are none. */
static void rules_redo(struct compile *c, const struct memo *m)
{
    struct binding *b = m->at[0];
    bool any = m->result > 0;

    if (b && rules_any(c, b) != any)
        cell_rebind(c, b->cell);
}

/* What is to be said about the rules is said here, once a server. */
static bool rules_any(struct compile *c, struct binding *b)
{
    struct vs_cell *cell = b->cell;
    uint64_t name = rules_name(cell, b->server), key = cell->digest;
    struct memo *m = memo_recall(c, memo_name(&name), key);
    struct memo_capture cap;
    struct rules rules = { 0 };

    if (!m) {
        memo_begin(c, &cap, memo_name(&name), key);
        lookup_keyed(c, OBJ_VIRTUAL_SERVICE, cell->object);
        rules_of(c, cell->object, &b->server->ref, &rules);
        m = memo_end(c, &cap, true);
        m->result = rules.n;
        m->redo = rules_redo;
    }
    m->at[0] = b;
    return m->result > 0;
}

/* Its notes go, unless it is bound again. */
static void rules_orphan(struct compile *c, const struct binding *b)
{
    uint64_t name = rules_name(b->cell, b->server);
    struct memo *m = map_get(&c->memos->by_name, memo_name(&name));

    if (!m)
        return;
    m->at[0] = NULL;
    c->orphans = arena_grow(c->whole, c->orphans, c->orphans_n, &c->orphans_cap,
                            sizeof(*c->orphans));
    c->orphans[c->orphans_n++] = name;
}

/* ---- order ---- */

/* Private to the gateway's namespace first, then exported to it, then public; -1: hidden. */
static int visibility(struct compile *c, const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;
    const struct str_list *to = vs->export_to.n ? &vs->export_to
                                                : &c->config->default_virtual_service_export_to;
    struct str from = compile_own_namespace(c, o->meta->namespace);

    if (!to->n)
        return 2;
    if (!name_is_exported(to, o->meta->namespace, from))
        return -1;
    for (size_t i = 0; i < to->n; i++)
        if (str_eq(to->v[i], STR("*")))
            return 2;
    return str_eq(o->meta->namespace, from) ? 0 : 1;
}

int binding_compare(const struct binding *a, const struct binding *b)
{
    int order = server_compare(a->server, b->server);

    if (order || a->rank != b->rank)
        return order ? order : a->rank - b->rank;
    if (a->cell->is_broken)
        return a->cell->turn < b->cell->turn ? -1 : a->cell->turn > b->cell->turn;
    return aged_compare(a->cell->object, b->cell->object);
}

/* ---- hosts ---- */

static void add_used(struct vhost_plan *v, struct binding *b)
{
    size_t low = 0, high = v->used_n;

    /* Most come in their order. */
    if (high && binding_compare(v->used[high - 1], b) < 0)
        low = high;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (binding_compare(v->used[middle], b) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (v->used_n == v->used_cap) {
        v->used_cap = MAX(v->used_cap * 2, 1);
        v->used = must_realloc(v->used, v->used_cap * sizeof(struct binding *));
    }
    memmove(v->used + low + 1, v->used + low, (v->used_n - low) * sizeof(struct binding *));
    v->used[low] = b;
    v->used_n++;
}

static void del_used(struct vhost_plan *v, const struct binding *b)
{
    for (size_t i = v->used_n; i-- > 0;) { /* where all go, the last goes first */
        if (v->used[i] != b)
            continue;
        v->used_n--;
        memmove(v->used + i, v->used + i + 1, (v->used_n - i) * sizeof(struct binding *));
        return;
    }
}

static void add_host(struct compile *c, struct binding *b, struct str host)
{
    struct vhost_plan *v = table_host(c, b->server->table, host);

    for (size_t i = 0; i < b->n; i++)
        if (b->hosts[i] == v)
            return;
    if (b->n == b->cap) {
        b->cap = MAX(b->cap * 2, 1);
        b->hosts = must_realloc(b->hosts, b->cap * sizeof(struct vhost_plan *));
    }
    b->hosts[b->n++] = v;
    add_used(v, b);
    vhost_touch(c, v);
}

struct str_list raw_list(struct compile *c, const struct api_object *o, struct str name)
{
    const struct node *spec = node_get(o->node, STR("spec"));
    const struct node *list = spec ? node_get(spec, name) : NULL;
    struct str_list out = { 0 };

    if (!list || list->kind != NODE_SEQ)
        return out;
    out.v = ARENA_ARRAY(c->a, struct str, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++)
        if (list->items[i].kind == NODE_SCALAR && list->items[i].text.n)
            out.v[out.n++] = list->items[i].text;
    return out;
}

static struct str_list hosts_of(struct compile *c, const struct vs_cell *cell)
{
    if (cell->is_broken)
        return raw_list(c, cell->object, STR("hosts"));
    return ((const struct api_virtualservice *)cell->object->body)->hosts;
}

/* Whether a host of it is one of the server's, too; all such become those of `b` (NULL: none). */
static bool cross(struct compile *c, const struct server_plan *s, const struct vs_cell *cell,
                  struct binding *b)
{
    const struct api_meta *meta = cell->object->meta;
    const struct str_list hosts = hosts_of(c, cell);
    bool any = false;

    for (size_t i = 0; i < s->host_count && (!any || b); i++) {
        struct str ns, server_host, host;

        name_server_host(s->hosts[i], s->ref.gateway->meta->namespace, &ns, &server_host);
        if (str_is_set(ns) && !str_eq(ns, meta->namespace))
            continue;
        server_host = name_lower(c->a, server_host);
        for (size_t k = 0; k < hosts.n; k++) {
            if (!name_intersect(server_host, name_host(c->a, hosts.v[k], meta->namespace), &host))
                continue;
            any = true;
            if (b)
                add_host(c, b, host);
        }
    }
    return any;
}

/* ---- binding ---- */

static bool is_bound(const struct server_plan *s, const struct vs_cell *cell)
{
    for (const struct list *l = cell->bindings.next; l != &cell->bindings; l = l->next)
        if (CONTAINER_OF(l, struct binding, of_cell)->server == s)
            return true;
    return false;
}

static void count(struct compile *c, const struct binding *b, size_t sign)
{
    b->cell->bound += sign;
    c->plan->octets += sign * sizeof(*b);
    cell_speak(c, b->cell);
}

bool binding_is_visible(struct compile *c, const struct api_object *vs)
{
    return visibility(c, vs) >= 0;
}

void binding_make(struct compile *c, struct server_plan *s, struct vs_cell *cell)
{
    const struct api_virtualservice *vs = cell->is_broken ? NULL : cell->object->body;
    int rank = cell->is_broken ? 3 : visibility(c, cell->object);
    struct binding *b;

    c->m->work.bound++;
    if (rank < 0 || is_bound(s, cell) || (vs && !vs->http.n) || !cross(c, s, cell, NULL))
        return;
    b = must_alloc(sizeof(*b));
    b->server = s;
    b->cell = cell;
    b->rank = rank;
    list_init(&b->of_server);
    list_init(&b->of_cell);
    list_push_back(&s->bindings, &b->of_server);
    list_push_back(&cell->bindings, &b->of_cell);
    if (cell->is_broken || rules_any(c, b))
        (void)cross(c, s, cell, b);
    count(c, b, 1);
}

void binding_drop(struct compile *c, struct binding *b)
{
    for (size_t i = 0; i < b->n; i++) {
        del_used(b->hosts[i], b);
        vhost_touch(c, b->hosts[i]);
    }
    rules_orphan(c, b);
    count(c, b, SIZE_MAX); /* less */
    list_remove(&b->of_server);
    list_remove(&b->of_cell);
    free(b->hosts);
    free(b);
    c->m->work.bound++;
}

void bindings_drop(struct compile *c, struct vs_cell *cell)
{
    LIST_EACH (l, &cell->bindings, after)
        binding_drop(c, CONTAINER_OF(l, struct binding, of_cell));
}
