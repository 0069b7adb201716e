#include "mesh/plan.h"

#include "base/hash.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (struct routes_plan *r = p->routes; r; r = r->next)
        map_fini(&r->by_host);
    arena_free(p->arena);
}

size_t plan_listeners(const struct plan *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += p->listeners[i]->n && p->listeners[i]->opens;
    return n;
}

/* ---- ports ---- */

input_key plan_port_key(uint16_t manifest)
{
    return input_of(INPUT_PORT, manifest, STR_NONE, STR_NONE, STR_NONE);
}

uint16_t plan_bound_port(const struct plan *p, uint16_t manifest)
{
    for (size_t i = 0; i < p->asked_n; i++)
        if (p->asked[i].manifest == manifest && p->asked[i].bound)
            return p->asked[i].bound;
    return manifest;
}

static void touch_ports(struct compile *c, const struct plan *of)
{
    for (size_t i = 0; i < of->asked_n; i++) {
        uint16_t port = of->asked[i].manifest;

        if (plan_bound_port(c->plan_before, port) != plan_bound_port(c->plan, port))
            inputs_touch(&c->m->inputs, plan_port_key(port), &c->touched);
    }
}

void plan_ports_known(struct compile *c)
{
    if (!c->plan_before)
        return;
    touch_ports(c, c->plan_before);
    touch_ports(c, c->plan);
}

/* ---- whether it holds ---- */

static bool change_holds(const struct compile *c, const struct object_change *change)
{
    bool issues = c->o->dev && c->o->hooks.issue;

    if (change->kind == OBJ_SECRET || change->kind == OBJ_CERTIFICATE)
        return !issues; /* --dev makes what nobody names, too */
    return change->kind != OBJ_GATEWAY;
}

static bool changes_hold(const struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);

    for (size_t i = 0; i < n; i++)
        if (!change_holds(c, &v[i]))
            return false;
    return true;
}

/* The program counts who still wants a port, and may say something else this time. */
static bool ports_hold(struct compile *c, const struct plan *p)
{
    bool same = true;

    for (size_t i = 0; i < p->asked_n; i++)
        same &= compile_port(c, &p->asked[i].bind, p->asked[i].manifest) == p->asked[i].bound;
    return same;
}

static bool is_past(const struct compile *c, int64_t ms)
{
    const struct mesh_hooks *h = &c->o->hooks;

    return ms && h->wall_ms && h->wall_ms(h->arg) > ms;
}

static bool plan_holds(struct compile *c, const struct plan *p)
{
    return p && p->config == c->config_digest && p->broken == cells_broken(c->store) &&
           changes_hold(c) && ports_hold(c, p) && !is_past(c, p->expires_ms);
}

/* ---- pieces made again under the same plan ---- */

static void redo_touched(struct compile *c)
{
    LIST_EACH (l, &c->touched, after) {
        struct reader *r = CONTAINER_OF(l, struct reader, changed);

        if (r->is_service || c->replan)
            continue;
        CONTAINER_OF(r, struct memo, reader)->redo(c, CONTAINER_OF(r, struct memo, reader));
    }
    for (size_t i = 0; i < c->dropped_n; i++)
        compile_clear(c, PART_SECRET, c->dropped[i]);
}

static void keep_kinds(struct compile *c, bool keep)
{
    static const enum part_kind kinds[] = { PART_LISTENER, PART_CHAIN, PART_ROUTES, PART_VHOST,
                                            PART_SECRET };

    for (size_t i = 0; i < LEN(kinds); i++)
        c->kept[kinds[i]] = keep;
}

/* ---- another ---- */

static struct plan *plan_new(struct compile *c)
{
    struct arena *a = arena_new(16384);
    struct plan *p = ARENA_NEW(a, struct plan);

    p->arena = a;
    p->config = c->config_digest;
    p->broken = cells_broken(c->store);
    notes_init(&p->notes, a);
    p->notes.max = c->notes->max;
    return p;
}

static void plan_make(struct compile *c)
{
    struct mesh *m = c->m;
    struct notes *notes = c->notes;
    size_t unsupported = c->sum->unsupported;

    c->plan_before = m->plan;
    c->plan = m->plan = plan_new(c);
    c->notes = &c->plan->notes;
    memos_begin(c->memos);
    cells_unmark(&m->cells);
    gateways_plan(c);
    credentials_compile_rest(c);
    cells_note_unused(c);
    memos_sweep(c->memos, &m->inputs);
    plan_free(c->plan_before);
    notes_own(&c->plan->notes);
    c->notes = notes;
    c->plan->unsupported = c->sum->unsupported - unsupported;
    c->sum->unsupported = unsupported;
}

void plan_update(struct compile *c)
{
    struct plan *p = c->m->plan;
    bool same = cells_follow(c);

    if (plan_holds(c, p) && same) {
        c->plan = p;
        keep_kinds(c, true);
        redo_touched(c);
        if (!c->replan)
            return;
        keep_kinds(c, false);
    }
    plan_make(c);
}
