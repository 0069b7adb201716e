/*
 * mesh/cells - VirtualServices as bindings see them, and what is said of those that nobody uses.
 */
#include "api/virtualservice.h"
#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "mesh/watch.h"

#include <stdlib.h>

/* ---- what bindings see ---- */

static uint64_t hash_list(uint64_t so_far, const struct str_list *list)
{
    so_far = hash_mix(so_far, list->n);
    for (size_t i = 0; i < list->n; i++)
        so_far = hash_mix(so_far, hash_stable(list->v[i]));
    return so_far;
}

static uint64_t shape_of_service(const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;
    const struct opt_time *made = &o->meta->creation_timestamp;
    uint64_t shape = hash_mix(vs->http.n > 0, made->set ? (uint64_t)made->unix_ms + 1 : 0);

    shape = hash_list(shape, &vs->hosts);
    shape = hash_list(shape, &vs->gateways);
    return hash_list(shape, &vs->export_to);
}

/* ---- cells ---- */

static struct str address_of(const struct api_object *const *vs)
{
    return str_make((const char *)vs, sizeof(*vs));
}

struct vs_cell *cell_of(const struct mesh *m, const struct api_object *vs)
{
    return map_get(&m->cells, address_of(&vs));
}

static void cell_fill(struct vs_cell *cell, const struct api_object *vs)
{
    cell->object = vs;
    cell->shape = cell->is_broken ? 0 : shape_of_service(vs);
    cell->digest = memo_object(vs) + cell->is_broken;
}

static struct vs_cell *cell_add(struct map *to, const struct api_object *vs, bool is_broken)
{
    struct vs_cell *cell = must_alloc(sizeof(*cell));

    cell->key = input_of(INPUT_KEYED, OBJ_VIRTUAL_SERVICE, vs->meta->namespace, vs->meta->name,
                         STR_NONE);
    cell->is_broken = is_broken;
    list_init(&cell->bindings);
    list_init(&cell->pending);
    list_init(&cell->unsaid);
    reader_init(&cell->hosts, false);
    cell_fill(cell, vs);
    map_put(to, address_of(&cell->object), cell);
    return cell;
}

static void cell_free(struct vs_cell *cell)
{
    list_remove(&cell->pending);
    list_remove(&cell->unsaid);
    free(cell->hosts.v);
    free(cell);
}

void cells_free(struct map *cells)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(cells, &at));)
        cell_free(e->value);
    map_fini(cells);
}

void cells_begin(struct compile *c)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&c->m->cells, &at));) {
        cell_watch(c, e->value);
        cell_speak(c, e->value);
    }
}

void cells_release(struct map *cells, struct plan *p)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(cells, &at));) {
        struct vs_cell *cell = e->value;

        inputs_drop(&p->cells_by_host, &cell->hosts);
        list_init(&cell->bindings);
        list_remove(&cell->pending);
        list_remove(&cell->unsaid);
        cell->bound = 0;
        cell->is_used = false;
    }
}

/* ---- what changed ---- */

void cell_rebind(struct compile *c, struct vs_cell *cell)
{
    bindings_drop(c, cell);
    inputs_drop(&c->plan->cells_by_host, &cell->hosts);
    if (list_is_empty(&cell->pending))
        list_push_back(&c->plan->pending, &cell->pending);
    cell_speak(c, cell);
}

static void cell_drop(struct compile *c, struct vs_cell *cell)
{
    uint64_t use = key_mix(cell->key, MEMO_USE);

    bindings_drop(c, cell);
    inputs_drop(&c->plan->cells_by_host, &cell->hosts);
    if (!cell->is_broken)
        memos_drop(c->memos, &c->m->inputs, memo_name(&use));
    c->plan->virtual_services -= cell->is_used;
    cell_free(cell);
}

/* What is bound is unbound before it looks another way. */
static void cell_change(struct compile *c, const struct object_change *change)
{
    struct map *cells = &c->m->cells;
    struct vs_cell *cell = change->was ? map_del(cells, address_of(&change->was)) : NULL;

    if (!cell) {
        cell_rebind(c, cell_add(cells, change->now, false));
        return;
    }
    if (!change->now) {
        cell_drop(c, cell);
        return;
    }
    if (shape_of_service(change->now) != cell->shape)
        cell_rebind(c, cell);
    cell_fill(cell, change->now);
    map_put(cells, address_of(&cell->object), cell);
}

static bool is_service(const struct api_object *o)
{
    return str_eq(o->kind->kind, STR("VirtualService"));
}

static void broken_see(struct compile *c, const struct api_object *o, size_t turn)
{
    struct map *cells = &c->plan->broken;
    struct vs_cell *cell = map_get(cells, address_of(&o));

    if (cell && cell->digest != memo_object(o) + 1) { /* another one at an address of before */
        map_del(cells, address_of(&o));
        cell_drop(c, cell);
        cell = NULL;
    }
    if (!cell) {
        cell = cell_add(cells, o, true);
        cell_rebind(c, cell);
    }
    cell->seen = true;
    cell->turn = turn;
}

static void broken_follow(struct compile *c)
{
    const struct object_list *now = store_broken(c->store);
    struct map *cells = &c->plan->broken;
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(cells, &at));)
        ((struct vs_cell *)e->value)->seen = false;
    for (size_t i = 0; i < now->n; i++)
        if (is_service(now->v[i]))
            broken_see(c, now->v[i], i);
    for (size_t at = 0; (e = map_next(cells, &at));) {
        struct vs_cell *cell = e->value;

        if (cell->seen)
            continue;
        map_del(cells, address_of(&cell->object));
        cell_drop(c, cell);
    }
}

uint64_t cells_broken(const struct store *s)
{
    const struct object_list *broken = store_broken(s);
    uint64_t digest = 0;

    for (size_t i = 0; i < broken->n; i++)
        if (is_service(broken->v[i]))
            digest = hash_mix(hash_mix(digest, (uintptr_t)broken->v[i]), memo_object(broken->v[i]));
    return digest;
}

void cells_follow(struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);

    for (size_t i = 0; i < n; i++)
        if (v[i].kind == OBJ_VIRTUAL_SERVICE)
            cell_change(c, &v[i]);
    broken_follow(c);
}

/* ---- binding those that changed ---- */

static struct str_list list_of(struct compile *c, const struct vs_cell *cell, bool gateways)
{
    const struct api_virtualservice *vs = cell->is_broken ? NULL : cell->object->body;

    if (cell->is_broken)
        return raw_list(c, cell->object, gateways ? STR("gateways") : STR("hosts"));
    return gateways ? vs->gateways : vs->hosts;
}

void cell_watch(struct compile *c, struct vs_cell *cell)
{
    const struct str_list gateways = list_of(c, cell, true), hosts = list_of(c, cell, false);
    struct str namespace = cell->object->meta->namespace;

    for (size_t i = 0; i < gateways.n; i++) {
        uint64_t gateway = hash_stable(name_gateway(c->a, gateways.v[i], namespace));

        for (size_t k = 0; k < hosts.n; k++)
            watch_cell(c, cell, gateway, name_host(c->a, hosts.v[k], namespace));
    }
}

static void cell_bind(struct compile *c, struct vs_cell *cell)
{
    const struct str_list gateways = list_of(c, cell, true);

    for (size_t i = 0; i < gateways.n; i++) {
        struct str full = name_gateway(c->a, gateways.v[i], cell->object->meta->namespace);
        struct gateway_plan *g = map_get(&c->plan->gateways, full);

        if (!g)
            continue;
        for (struct list *l = g->servers.next; l != &g->servers; l = l->next)
            binding_make(c, CONTAINER_OF(l, struct server_plan, of_gateway), cell);
    }
    cell_watch(c, cell);
}

void cells_bind(struct compile *c)
{
    while (!list_is_empty(&c->plan->pending)) {
        struct vs_cell *cell = CONTAINER_OF(c->plan->pending.next, struct vs_cell, pending);

        list_remove(&cell->pending);
        cell_bind(c, cell);
    }
}

/* ---- VirtualServices that nobody uses ---- */

static bool is_for_mesh_only(const struct api_virtualservice *vs)
{
    for (size_t i = 0; i < vs->gateways.n; i++)
        if (!str_eq(vs->gateways.v[i], STR("mesh")))
            return false;
    return true;
}

static void note_gateways(struct compile *c, const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;

    for (size_t i = 0; i < vs->gateways.n; i++) {
        struct str full = name_gateway(c->a, vs->gateways.v[i], o->meta->namespace);
        size_t slash = str_find(full, '/');

        if (!str_eq(full, STR("mesh")) &&
            !lookup_is_there(c, OBJ_GATEWAY, str_sub(full, 0, slash), str_from(full, slash + 1)))
            api_note(o, c->notes, SEV_WARNING, "LAT0305", ITEM(vs, "gateways", i),
                     "there is no Gateway %.*s", STRF(full));
    }
}

bool routes_is_for_gateways(const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;

    return vs->hosts.n && !is_for_mesh_only(vs);
}

enum use {
    USE_NONE,  /* no server of a Gateway that it names, or none that it is exported to */
    USE_NAMES, /* there are servers, but it has no host of theirs */
    USE_BOUND,
};

static enum use use_of(struct compile *c, const struct vs_cell *cell)
{
    const struct api_object *o = cell->object;
    const struct api_virtualservice *vs = o->body;

    if (cell->bound)
        return USE_BOUND;
    if (!binding_is_visible(c, o))
        return USE_NONE;
    for (size_t i = 0; i < vs->gateways.n; i++)
        if (map_has(&c->plan->gateways, name_gateway(c->a, vs->gateways.v[i], o->meta->namespace)))
            return USE_NAMES;
    return USE_NONE;
}

static void note_use(struct compile *c, const struct vs_cell *cell, enum use use)
{
    const struct api_object *o = cell->object;
    const struct api_virtualservice *vs = o->body;

    note_gateways(c, o);
    if (use == USE_BOUND || !vs->hosts.n)
        return; /* without hosts a delegate: said where it is named */
    if (is_for_mesh_only(vs))
        api_note(o, c->notes, SEV_INFO, "LAT0306", LEAF(vs, "gateways"),
                 "names no Gateway: it is for sidecars, and a gateway does not use it");
    else if (use == USE_NAMES && vs->http.n)
        api_note(o, c->notes, SEV_WARNING, "LAT0306", LEAF(vs, "hosts"),
                 "none of these hosts is one of the Gateway's: it has no effect");
}

static void use_redo(struct compile *c, const struct memo *m)
{
    cell_speak(c, m->at[0]);
}

static void use_compile(struct compile *c, struct vs_cell *cell)
{
    uint64_t name = key_mix(cell->key, MEMO_USE);
    enum use use = use_of(c, cell);
    uint64_t key = key_mix(cell->digest, use);
    struct memo *m = memo_recall(c, memo_name(&name), key);
    struct memo_capture cap;

    if (!m) {
        memo_begin(c, &cap, memo_name(&name), key);
        lookup_keyed(c, OBJ_VIRTUAL_SERVICE, cell->object);
        note_use(c, cell, use);
        m = memo_end(c, &cap, true);
        m->redo = use_redo;
    }
    m->at[0] = cell;
}

void cell_speak(struct compile *c, struct vs_cell *cell)
{
    if (list_is_empty(&cell->unsaid))
        list_push_back(&c->plan->unsaid_cells, &cell->unsaid);
}

void cells_say(struct compile *c)
{
    while (!list_is_empty(&c->plan->unsaid_cells)) {
        struct vs_cell *cell = CONTAINER_OF(c->plan->unsaid_cells.next, struct vs_cell, unsaid);
        bool is_used = cell->bound > 0 && !cell->is_broken;

        list_remove(&cell->unsaid);
        c->m->work.said++;
        if (!cell->is_broken)
            use_compile(c, cell);
        c->plan->virtual_services += is_used;
        c->plan->virtual_services -= cell->is_used;
        cell->is_used = is_used;
    }
}
