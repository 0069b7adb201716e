#include "mesh/mesh.h"

#include "api/core.h"
#include "mesh/advice.h"
#include "mesh/issued.h"
#include "mesh/lookup.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"

#include <stdlib.h>

struct mesh *mesh_new(const struct mesh_options *o)
{
    struct mesh *m = must_alloc(sizeof(*m));

    m->o = *o;
    m->store = store_new(o->awake_max);
    m->slots = slots_new();
    lookups_init(&m->lookups);
    inputs_init(&m->inputs);
    memos_init(&m->memos);
    memos_init(&m->verdicts);
    map_init(&m->files);
    map_init(&m->issued);
    m->arena = arena_new(4096);
    m->summary = ARENA_NEW(m->arena, struct mesh_summary);
    m->config = api_meshconfig_default(m->arena)->body;
    return m;
}

static void forget(struct mesh *m)
{
    memos_fini(&m->memos, &m->inputs);
    memos_fini(&m->verdicts, &m->inputs);
    registry_free(m->registry, &m->inputs);
    plan_free(m->plan, &m->cells);
}

void mesh_free(struct mesh *m)
{
    if (!m)
        return;
    root_unref(m->root);
    forget(m);
    cells_free(&m->cells);
    lookups_fini(&m->lookups);
    inputs_fini(&m->inputs);
    files_free(m);
    issued_free(&m->issued);
    wanted_fini(&m->wanted);
    trace_free(m->trace);
    slots_free(m->slots);
    store_free(m->store);
    arena_free(m->arena);
    free(m);
}

void mesh_forget(struct mesh *m)
{
    forget(m);
    memos_init(&m->memos);
    memos_init(&m->verdicts);
    m->registry = NULL;
    m->plan = NULL;
    m->has_verdicts = false;
}

/* ---- MeshConfig ---- */

/* --mesh-config, else ConfigMap `istio` of the root namespace or of any, else the defaults. */
static const struct api_object *find_config(struct compile *c)
{
    const struct object_list *maps = store_list(c->store, OBJ_CONFIG_MAP);
    const struct api_object *found = NULL;

    if (str_is_set(c->o->mesh_config))
        return api_decode_meshconfig(c->a, c->o->mesh_config_file, c->o->mesh_config, c->notes);
    for (size_t i = 0; i < maps->n; i++) {
        const struct api_meta *meta = maps->v[i]->meta;

        if (str_eq(meta->name, STR("istio")) &&
            (!found || str_eq(meta->namespace, STR("istio-system"))))
            found = maps->v[i];
    }
    if (!found)
        return NULL;
    trace_use(c->trace, found, LEAF((const struct api_configmap *)found->body, "data"));
    return api_meshconfig_of(c->a, found, c->notes);
}

static void config_load(struct compile *c)
{
    const struct api_object *o = find_config(c);

    c->config_object = o && !o->broken ? o : NULL;
    if (!c->config_object) /* a broken one is noted; what it says is not known */
        o = api_meshconfig_default(c->a);
    c->config_digest = c->config_object ? memo_object(c->config_object) : 0;
    c->config = o->body;
    c->root_namespace = c->config->root_namespace.n ? c->config->root_namespace
                                                    : STR("istio-system");
}

/* ---- one update ---- */

static void compile_init(struct compile *c, struct mesh *m, struct notes *notes)
{
    *c = (struct compile){
        .m = m, .o = &m->o, .store = m->store, .slots = m->slots, .base = m->root, .notes = notes
    };
    c->a = arena_new(65536);
    c->whole = c->a;
    c->scratch = arena_new(65536);
    c->sum = ARENA_NEW(c->a, struct mesh_summary);
    c->edit = root_edit_new(m->root);
    c->memos = &m->memos;
    if (m->o.verdicts) {
        trace_free(m->trace);
        c->trace = m->trace = trace_new();
    }
    list_init(&c->touched);
    map_init(&c->secrets);
    map_init(&c->secrets_made);
    map_init(&c->stand_ins);
}

static void compile_fini(struct compile *c)
{
    arena_free(c->scratch);
    MUST(list_is_empty(&c->touched)); /* everything that read what changed was made again */
    map_fini(&c->secrets);
    map_fini(&c->secrets_made);
    map_fini(&c->stand_ins);
    for (size_t i = 0; i < c->keep_count; i++)
        part_unref(c->keep[i]);
    for (size_t i = 0; i < PART_KINDS; i++)
        free(c->seen[i]);
}

/* What this update did not name is gone. */
static void clear_unseen(struct compile *c)
{
    for (size_t kind = 0; c->base && kind < PART_KINDS; kind++) {
        uint32_t n = c->kept[kind] ? 0 : root_slots(c->base, (enum part_kind)kind);

        for (slot_id slot = 0; slot < n; slot++)
            if (root_part(c->base, (enum part_kind)kind, slot) &&
                (slot >= c->seen_count[kind] || !c->seen[kind][slot]))
                root_edit_clear(c->edit, (enum part_kind)kind, slot);
    }
}

/* A place is passed once for each listener that comes by: one word about it is enough. */
static void notes_unique(struct notes *notes)
{
    size_t n = 0;

    notes_sort(notes);
    for (size_t i = 0; i < notes->n; i++) {
        const struct note *a = &notes->v[i];
        bool twice = false;

        for (size_t k = n; k > 0 && !twice; k--) {
            const struct note *b = &notes->v[k - 1];

            if (a->pos.line != b->pos.line || a->pos.col != b->pos.col ||
                !str_eq(a->pos.file, b->pos.file))
                break;
            twice = a->severity == b->severity && str_eq(a->text, b->text);
        }
        if (!twice) {
            notes->v[n++] = *a;
            continue;
        }
        notes->errors -= a->severity == SEV_ERROR;
        notes->warnings -= a->severity == SEV_WARNING;
    }
    notes->n = n;
}

/* Places, not passes. */
static void count_unsupported(struct compile *c, const struct notes *notes)
{
    size_t n = 0;

    for (size_t i = 0; i < notes->n; i++)
        n += notes->v[i].code && strcmp(notes->v[i].code, "LAT0301") == 0;
    if (n || !notes->dropped)
        c->sum->unsupported = n;
}

/* Of all pieces, those that were not made again included. */
static void say_all(struct compile *c)
{
    registry_say(c);
    plan_say(c);
    memos_say(&c->m->memos, c->notes);
    wanted_say(c);
    c->sum->unsupported += c->reg->unsupported + c->m->memos.unsupported;
    c->sum->routes = c->m->memos.routes;
    verdicts_say(c);
}

static void compile_all(struct compile *c)
{
    config_load(c);
    lookups_update(c);
    files_touch(c);
    registry_update(c);
    plan_update(c);
    wanted_update(c);
    verdicts_update(c);
    clear_unseen(c);
    say_all(c);
    advice_note(c);
}

/* The summary and the config live in the arena that the mesh keeps until the next update. */
static void mesh_keep(struct mesh *m, struct compile *c)
{
    arena_free(m->arena);
    m->arena = c->a;
    m->summary = c->sum;
    m->is_shown = false;
    m->config = c->config;
    m->config_object = c->config_object;
}

static uint64_t now_ns(const struct mesh *m)
{
    return m->o.hooks.now_ns ? m->o.hooks.now_ns(m->o.hooks.arg) : 0;
}

void mesh_adopt(struct mesh *m, struct root *root)
{
    MUST(!m->root && !m->has_read);
    m->root = root_ref(root);
}

bool mesh_is_cold(const struct mesh *m)
{
    return m->root && !m->has_read;
}

/* Reads the scan; false: nothing can be read of it, and there is a snapshot to go on with. */
static bool begin(struct mesh *m, const struct source_scan *scan, size_t notes_max)
{
    enum store_found found;

    store_take(m->store, scan, notes_max);
    if (m->has_read)
        return true;
    found = store_found(m->store, scan);
    if (found == STORE_NOTHING && m->root)
        return false;
    m->has_read = true;
    if (found != STORE_SOUND && m->o.hooks.recall)
        m->o.hooks.recall(m->o.hooks.arg, m);
    return true;
}

static enum mesh_verdict stay_cold(struct mesh *m, const struct source_scan *scan,
                                   struct notes *notes)
{
    struct notes made; /* names of files are borrowed there */

    arena_free(m->arena);
    m->arena = arena_new(4096);
    m->summary = ARENA_NEW(m->arena, struct mesh_summary);
    m->is_shown = false;
    m->config = api_meshconfig_default(m->arena)->body;
    notes_init(&made, m->arena);
    store_note(m->store, scan, &made);
    notes_append(notes, &made);
    notes_sort(notes);
    return MESH_SAME;
}

enum mesh_verdict mesh_update(struct mesh *m, const struct source_scan *scan, struct notes *notes,
                              struct root **ret_root)
{
    struct compile c;
    struct notes made; /* names of files are borrowed there: the caller gets copies */
    enum mesh_verdict verdict = MESH_NEW;
    uint64_t begun = now_ns(m), stored;

    if (!begin(m, scan, notes->max))
        return stay_cold(m, scan, notes);
    if (m->o.verdicts)
        mesh_forget(m);
    compile_init(&c, m, &made);
    notes_init(&made, c.a);
    made.max = notes->max;
    store_settle(m->store, scan, &made);
    stored = now_ns(m);
    compile_all(&c);
    notes_unique(&made);
    advice_hint(&c, &made);
    count_unsupported(&c, &made);
    c.sum->store_ns = stored - begun;
    c.sum->compile_ns = now_ns(m) - stored;
    notes_append(notes, &made);
    notes_sort(notes);
    if (m->o.strict && (made.errors || c.sum->unsupported))
        verdict = MESH_REFUSED;
    else if (m->root && root_edit_is_empty(c.edit))
        verdict = MESH_SAME;
    compile_fini(&c);
    mesh_keep(m, &c);
    if (verdict == MESH_NEW) {
        root_unref(m->root);
        m->root = root_edit_finish(c.edit);
        *ret_root = root_ref(m->root);
    } else {
        root_edit_free(c.edit);
    }
    if (verdict == MESH_REFUSED)
        mesh_forget(m); /* what was made is in no root */
    slots_sweep(m->slots);
    store_done(m->store);
    return verdict;
}

const struct mesh_summary *mesh_counts(const struct mesh *m)
{
    return m->summary;
}

const struct api_meshconfig *mesh_config(const struct mesh *m)
{
    return m->config;
}

void mesh_tally(const struct mesh *m, struct tally ret[MESH_TALLIES])
{
    const struct registry *r = m->registry;

    store_tally(m->store, &ret[0], &ret[1]);
    ret[2] = (struct tally){ "services", r ? r->services.n : 0, r ? r->octets : 0 };
    ret[3] = (struct tally){ "results", m->memos.by_name.n,
                             m->arena->total + m->memos.octets + m->verdicts.octets +
                                 (m->plan ? m->plan->octets + m->plan->placing->arena->total : 0) };
    ret[4] = m->root ? root_tally(m->root) : (struct tally){ "parts", 0, 0 };
}
