#include "mesh/plan.h"

#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/watch.h"

#include <stdlib.h>

struct str plan_dup(struct str s)
{
    char *copy = must_alloc(s.n + 1);

    if (s.n)
        memcpy(copy, s.p, s.n);
    return str_make(copy, s.n);
}

/* ---- ports ---- */

size_t plan_listeners(const struct plan *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->placing->n; i++)
        n += p->placing->listeners[i]->n && p->placing->listeners[i]->opens;
    return n;
}

input_key plan_port_key(uint16_t manifest)
{
    return input_of(INPUT_PORT, manifest, STR_NONE, STR_NONE, STR_NONE);
}

static uint16_t bound_port(const struct placing *p, uint16_t manifest)
{
    for (size_t i = 0; i < p->asked_n; i++)
        if (p->asked[i].manifest == manifest && p->asked[i].bound)
            return p->asked[i].bound;
    return manifest;
}

uint16_t plan_bound_port(const struct plan *p, uint16_t manifest)
{
    return bound_port(p->placing, manifest);
}

static void touch_ports(struct compile *c, const struct placing *of, const struct placing *before,
                        const struct placing *now)
{
    for (size_t i = 0; i < of->asked_n; i++) {
        uint16_t port = of->asked[i].manifest;

        if (bound_port(before, port) != bound_port(now, port))
            inputs_touch(&c->m->inputs, plan_port_key(port), &c->touched);
    }
}

/* The program counts who still wants a port, and may say something else this time. */
static bool ports_hold(struct compile *c, const struct placing *p)
{
    bool same = true;

    for (size_t i = 0; i < p->asked_n; i++)
        same &= compile_port(c, &p->asked[i].bind, p->asked[i].manifest) == p->asked[i].bound;
    return same;
}

/* ---- a plan ---- */

static struct plan *plan_new(struct compile *c)
{
    struct plan *p = must_alloc(sizeof(*p));

    p->config = c->config_digest;
    p->is_new = true;
    map_init(&p->gateways);
    map_init(&p->tables);
    map_init(&p->broken);
    inputs_init(&p->cells_by_host);
    inputs_init(&p->servers_by_host);
    list_init(&p->vhosts);
    list_init(&p->nodes);
    list_init(&p->changed_tables);
    list_init(&p->pending);
    list_init(&p->unsaid_cells);
    list_init(&p->unsaid_servers);
    list_init(&p->noted);
    return p;
}

static void gateways_free(struct plan *p)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&p->gateways, &at));) {
        struct gateway_plan *g = e->value;

        LIST_EACH (l, &g->servers, after)
            server_free(CONTAINER_OF(l, struct server_plan, of_gateway), p);
        free((char *)(uintptr_t)g->name.p);
        free(g);
    }
    map_fini(&p->gateways);
}

void plan_free(struct plan *p, struct map *cells)
{
    const struct map_entry *e;

    if (!p)
        return;
    gateways_free(p);
    for (size_t at = 0; (e = map_next(&p->tables, &at));)
        table_free(e->value);
    map_fini(&p->tables);
    cells_release(cells, p);
    cells_free(&p->broken);
    inputs_fini(&p->cells_by_host);
    inputs_fini(&p->servers_by_host);
    placing_free(p->placing);
    arena_free(p->rest);
    free(p->secrets);
    free(p);
}

/* ---- whether it stays ---- */

/* --dev makes certificates that nobody names, too. */
static bool rest_holds(const struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);
    bool issues = c->o->dev && c->o->hooks.issue;

    for (size_t i = 0; issues && i < n; i++)
        if (v[i].kind == OBJ_SECRET || v[i].kind == OBJ_CERTIFICATE || v[i].kind == OBJ_GATEWAY)
            return false;
    return true;
}

static bool placing_holds(struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);

    if (!c->plan->placing || !ports_hold(c, c->plan->placing))
        return false;
    for (size_t i = 0; i < n; i++)
        if (v[i].kind == OBJ_GATEWAY)
            return false;
    return true;
}

/* ---- bringing it up to date ---- */

static void place(struct compile *c)
{
    struct placing *before = c->plan->placing, *now = gateways_place(c);

    c->plan->placing = now;
    if (before) {
        touch_ports(c, before, before, now);
        touch_ports(c, now, before, now);
    }
    servers_update(c, now);
    listeners_compile(c, before);
    placing_free(before);
}

/* Pieces that have read what changed. */
static void redo_touched(struct compile *c)
{
    while (!list_is_empty(&c->touched)) {
        struct reader *r = CONTAINER_OF(c->touched.next, struct reader, changed);
        struct memo *m = CONTAINER_OF(r, struct memo, reader);

        MUST(!r->is_service); /* those were made already */
        list_remove(&r->changed);
        m->redo(c, m);
    }
}

static void servers_say(struct compile *c)
{
    while (!list_is_empty(&c->plan->unsaid_servers)) {
        struct server_plan *s = CONTAINER_OF(c->plan->unsaid_servers.next, struct server_plan,
                                             unsaid);

        list_remove(&s->unsaid);
        server_say(c, s);
    }
}

static void orphans_drop(struct compile *c)
{
    for (size_t i = 0; i < c->orphans_n; i++) {
        struct memo *m = map_get(&c->memos->by_name, memo_name(&c->orphans[i]));

        if (m && !m->at[0])
            memos_drop(c->memos, &c->m->inputs, m->name);
    }
}

static void update(struct compile *c)
{
    cells_follow(c);
    if (!placing_holds(c))
        place(c);
    chains_expire(c);
    cells_bind(c);
    if (!c->plan->is_new)
        redo_touched(c);
    cells_bind(c); /* those whose rules came or went */
    tables_compile(c);
    cells_say(c);
    servers_say(c);
    secrets_clear(c);
    orphans_drop(c);
}

/* Everything comes; what memos hold of it need not be made again. */
static void begin_anew(struct compile *c)
{
    struct mesh *m = c->m;

    plan_free(m->plan, &m->cells);
    c->plan = m->plan = plan_new(c);
    cells_begin(c);
    memos_begin(c->memos);
    update(c);
    credentials_rest(c);
    memos_sweep(c->memos, &m->inputs);
    c->plan->is_new = false;
}

static void keep_kinds(struct compile *c)
{
    static const enum part_kind kinds[] = { PART_LISTENER, PART_CHAIN,   PART_ROUTES, PART_VHOST,
                                            PART_SECRET,   PART_DOMAINS, PART_SERVER };

    for (size_t i = 0; i < LEN(kinds); i++)
        c->kept[kinds[i]] = true;
}

void plan_update(struct compile *c)
{
    c->plan = c->m->plan;
    if (c->plan && c->plan->config == c->config_digest && rest_holds(c)) {
        keep_kinds(c);
        update(c);
    } else {
        begin_anew(c);
    }
}

void plan_say(struct compile *c)
{
    const struct plan *p = c->plan;

    notes_append(c->notes, &p->placing->notes);
    if (p->rest)
        notes_append(c->notes, &p->rest_notes);
    for (const struct list *l = p->noted.next; l != &p->noted; l = l->next)
        notes_append(c->notes, &CONTAINER_OF(l, struct server_plan, noted)->notes);
    c->sum->unsupported += p->placing->unsupported + p->unsupported;
    c->sum->gateways = p->placing->gateways;
    c->sum->virtual_services = p->virtual_services;
    c->sum->listener_count = plan_listeners(p);
}
