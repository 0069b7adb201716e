/*
 * mesh/cells - VirtualServices as the plan sees them, and what is said of those that nobody uses.
 */
#include "api/virtualservice.h"
#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"

#include <stdlib.h>

/* ---- VirtualServices as the plan sees them ---- */

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

uint64_t cells_broken(const struct store *s)
{
    const struct object_list *broken = store_broken(s);
    uint64_t digest = 0;

    for (size_t i = 0; i < broken->n; i++)
        if (str_eq(broken->v[i]->kind->kind, STR("VirtualService")))
            digest = hash_mix(hash_mix(digest, (uintptr_t)broken->v[i]), memo_object(broken->v[i]));
    return digest;
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
    cell->shape = shape_of_service(vs);
    cell->digest = memo_object(vs);
}

static void cell_add(struct mesh *m, const struct api_object *vs)
{
    struct vs_cell *cell = must_alloc(sizeof(*cell));

    cell->key = input_of(INPUT_KEYED, OBJ_VIRTUAL_SERVICE, vs->meta->namespace, vs->meta->name,
                         STR_NONE);
    cell_fill(cell, vs);
    map_put(&m->cells, address_of(&cell->object), cell);
}

/* True: it is the same to the plan. */
static bool cell_change(struct mesh *m, const struct object_change *change)
{
    struct vs_cell *cell = change->was ? map_del(&m->cells, address_of(&change->was)) : NULL;
    uint64_t shape = cell ? cell->shape : 0;

    if (!cell) {
        cell_add(m, change->now);
        return false;
    }
    if (!change->now) {
        free(cell);
        return false;
    }
    cell_fill(cell, change->now);
    map_put(&m->cells, address_of(&cell->object), cell);
    return shape == cell->shape;
}

bool cells_follow(struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);
    bool same = true;

    for (size_t i = 0; i < n; i++)
        if (v[i].kind == OBJ_VIRTUAL_SERVICE)
            same &= cell_change(c->m, &v[i]);
    return same;
}

void cells_unmark(const struct map *cells)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(cells, &at));)
        ((struct vs_cell *)e->value)->mark = MARK_NONE;
}

void cells_free(struct map *cells)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(cells, &at));)
        free(e->value);
    map_fini(cells);
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
            !lookup_object(c, OBJ_GATEWAY, str_sub(full, 0, slash), str_from(full, slash + 1)))
            api_note(o, c->notes, SEV_WARNING, "LAT0305", ITEM(vs, "gateways", i),
                     "there is no Gateway %.*s", STRF(full));
    }
}

bool routes_is_for_gateways(const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;

    return vs->hosts.n && !is_for_mesh_only(vs);
}

static void note_use(struct compile *c, const struct vs_cell *cell)
{
    const struct api_object *o = cell->object;
    const struct api_virtualservice *vs = o->body;

    note_gateways(c, o);
    if (cell->mark == MARK_USED || !vs->hosts.n)
        return; /* without hosts a delegate: said where it is named */
    if (is_for_mesh_only(vs))
        api_note(o, c->notes, SEV_INFO, "LAT0306", LEAF(vs, "gateways"),
                 "names no Gateway: it is for sidecars, and a gateway does not use it");
    else if (cell->mark && vs->http.n)
        api_note(o, c->notes, SEV_WARNING, "LAT0306", LEAF(vs, "hosts"),
                 "none of these hosts is one of the Gateway's: it has no effect");
}

static void use_compile(struct compile *c, struct vs_cell *cell);

static void use_redo(struct compile *c, const struct memo *m)
{
    use_compile(c, m->at[0]);
}

static void use_compile(struct compile *c, struct vs_cell *cell)
{
    uint64_t name = key_mix(cell->key, MEMO_USE);
    uint64_t key = key_mix(cell->digest, cell->mark);
    struct memo *m = memo_recall(c, memo_name(&name), key);
    struct memo_capture cap;

    if (!m) {
        memo_begin(c, &cap, memo_name(&name), key);
        lookup_keyed(c, OBJ_VIRTUAL_SERVICE, cell->object);
        note_use(c, cell);
        m = memo_end(c, &cap, true);
        m->redo = use_redo;
    }
    m->at[0] = cell;
}

void cells_note_unused(struct compile *c)
{
    const struct object_list *all = store_list(c->store, OBJ_VIRTUAL_SERVICE);

    for (size_t i = 0; i < all->n; i++) {
        struct vs_cell *cell = cell_of(c->m, all->v[i]);

        use_compile(c, cell);
        c->plan->virtual_services += cell->mark == MARK_USED;
    }
}
