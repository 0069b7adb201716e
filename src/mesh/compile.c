#include "mesh/compile.h"

#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "model/sorted.h"

#include <stdlib.h>

static void mark_seen(struct compile *c, enum part_kind kind, slot_id slot)
{
    size_t old = c->seen_count[kind];

    if (slot >= old) {
        size_t want = MAX((size_t)slot + 1, old * 2);

        c->seen[kind] = must_realloc(c->seen[kind], want * sizeof(bool));
        memset(c->seen[kind] + old, 0, (want - old) * sizeof(bool));
        c->seen_count[kind] = want;
    }
    c->seen[kind][slot] = true;
}

void *compile_part(struct compile *c, enum part_kind kind, struct str name)
{
    (void)c;
    return part_new(kind, name);
}

void compile_seen(struct compile *c, enum part_kind kind, slot_id slot)
{
    mark_seen(c, kind, slot);
}

bool compile_keep(struct compile *c, enum part_kind kind, struct str name)
{
    slot_id slot = slots_of(c->slots, kind, name);
    const struct part *p = c->base ? root_part(c->base, kind, slot) : NULL;

    if (!p || !str_eq(p->name, name))
        return false;
    mark_seen(c, kind, slot);
    return true;
}

void compile_clear(struct compile *c, enum part_kind kind, slot_id slot)
{
    if (slot != SLOT_NONE && (slot >= c->seen_count[kind] || !c->seen[kind][slot]))
        root_edit_clear(c->edit, kind, slot);
}

bool compile_put(struct compile *c, struct part *p, struct str *ret_why)
{
    struct str why = STR_NONE;

    mark_seen(c, p->kind, p->slot);
    if (root_edit_put(c->edit, p, &why))
        return true;
    *ret_why = arena_dup(c->a, why);
    c->seen[p->kind][p->slot] = false;
    compile_keep(c, p->kind, p->name);
    part_unref(p);
    return false;
}

void compile_put_again(struct compile *c, struct part *p)
{
    mark_seen(c, p->kind, p->slot);
    root_edit_set(c->edit, part_ref(p));
}

struct part *compile_hold(struct compile *c, enum part_kind kind, slot_id slot)
{
    const struct part *p = root_part(root_edit_next(c->edit), kind, slot);

    return part_ref((struct part *)(uintptr_t)p);
}

void compile_put_sure(struct compile *c, struct part *p)
{
    struct str why;
    bool fine = compile_put(c, p, &why);

    MUST(fine);
}

struct str compile_title(struct compile *c, const struct api_object *o)
{
    struct buf b;
    struct str title;

    buf_init(&b, 1024);
    api_object_title(o, &b);
    title = arena_dup(c->a, buf_str(&b));
    buf_fini(&b);
    return title;
}

struct origin compile_origin(struct compile *c, const struct api_object *o, struct api_spot spot)
{
    struct pos pos = api_spot_pos(o, spot);
    struct origin origin = { .kind = ORIGIN_FILE, .line = pos.line, .col = pos.col };
    struct buf b;

    buf_init(&b, 8192);
    api_spot_path(o, spot, &b);
    origin.file = o->file;
    origin.object = compile_title(c, o);
    origin.path = arena_dup(c->a, buf_str(&b));
    buf_fini(&b);
    return origin;
}

void compile_unsupported(struct compile *c, const struct api_object *o, struct api_spot spot,
                         const char *fmt, ...)
{
    va_list args;
    struct str text;

    va_start(args, fmt);
    text = arena_vprintf(c->a, fmt, args);
    va_end(args);
    api_note(o, c->notes, SEV_WARNING, "LAT0301", spot, "unsupported: %.*s", STRF(text));
    c->sum->unsupported++;
}

struct str compile_own_namespace(const struct compile *c, struct str namespace)
{
    return str_is_set(c->o->namespace) ? c->o->namespace : namespace;
}

bool compile_selects(const struct compile *c, const struct str_map *selector)
{
    return !c->o->labels || labels_hold(c->o->labels, selector);
}

uint16_t compile_port(struct compile *c, const struct addr *bind, uint16_t port)
{
    const struct mesh_hooks *h = &c->o->hooks;

    return h->port_map ? h->port_map(h->arg, bind, port) : port;
}

uint16_t compile_bound_port(struct compile *c, uint16_t port)
{
    if (c->reading)
        inputs_add(&c->m->inputs, c->reading, INPUT_PORT, plan_port_key(port));
    return plan_bound_port(c->plan, port);
}

uint32_t duration_ms(const struct opt_dur *d, uint32_t otherwise)
{
    if (!d || !d->set)
        return otherwise;
    if (d->ns <= 0)
        return 0;
    if (d->ns / 1000000 >= UINT32_MAX)
        return UINT32_MAX;
    return d->ns < 1000000 ? 1 : (uint32_t)(d->ns / 1000000);
}
