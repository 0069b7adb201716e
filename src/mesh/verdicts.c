/*
 * mesh/verdicts - no field is dropped in silence (design 5.4): what a manifest sets and the
 * program does not carry out is said at its place.
 *
 * Which fields are carried out stands in api/'s tables; what depends on a value is said where
 * the value is read.
 */
#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"

struct walk {
    struct compile *c;
    struct str title;
};

static void note_field(void *arg, const struct api_set *set)
{
    struct walk *w = arg;
    struct note *n;

    if (set->field->state != API_NOT)
        return;
    w->c->sum->unsupported++;
    note_add(w->c->notes, SEV_WARNING, set->pos, "LAT0301",
             "%.*s: %.*s: unsupported: %.*s is not carried out yet (%s)", STRF(w->title),
             STRF(set->path), STRF(set->field->name), set->field->doc);
    n = notes_last(w->c->notes);
    if (!n)
        return;
    n->object = w->title;
    n->path = arena_dup(w->c->notes->arena, set->path);
}

static void note_leaves(struct compile *c, const struct api_object *o)
{
    struct walk w = { .c = c, .title = compile_title(c, o) };

    api_each_set_leaf(o, note_field, &w);
}

static uint64_t verdict_name(enum object_kind kind, const struct api_object *o)
{
    return hash_mix(MEMO_VERDICT,
                    input_of(INPUT_OBJECT, (int)kind, o->meta->namespace, o->meta->name, STR_NONE));
}

/* Remembered only where there is something to say. */
static void note_object(struct compile *c, enum object_kind kind, const struct api_object *o)
{
    uint64_t name = verdict_name(kind, o);
    struct memo_capture cap;
    struct memo *m;

    memo_begin(c, &cap, memo_name(&name), 0);
    note_leaves(c, o);
    m = memo_end(c, &cap, true);
    if (!m->notes.n)
        memos_drop(c->memos, &c->m->inputs, m->name);
}

/* What is carried out for some values only. */
static void note_config(struct compile *c)
{
    const struct api_meshconfig *m = c->config;

    if (m->enable_tracing.set && m->enable_tracing.v)
        compile_unsupported(c, c->config_object, LEAF(m, "enableTracing"),
                            "requests are not traced yet");
    note_leaves(c, c->config_object);
}

/* Where it matters that nobody said which namespace this gateway is in: once. */
static void note_namespace(struct compile *c)
{
    static const enum object_kind kinds[] = { OBJ_VIRTUAL_SERVICE, OBJ_DESTINATION_RULE,
                                              OBJ_SERVICE_ENTRY };

    for (size_t i = 0; i < LEN(kinds); i++) {
        const struct object_list *list = lookup_exporting(c, kinds[i]);

        if (!list->n)
            continue;
        api_note(list->v[0], c->notes, SEV_INFO, "LAT0306", SPOT(list->v[0]->meta),
                 "exportTo is measured as if this gateway were in the object's own namespace; "
                 "--namespace says where it is");
        return;
    }
}

/* Issuers and Namespaces say nothing to a gateway by themselves: a Certificate does. */
static bool is_read(enum object_kind kind, const struct api_object *o)
{
    return kind < OBJ_ISSUER && (kind != OBJ_VIRTUAL_SERVICE || routes_is_for_gateways(o));
}

static void note_changed(struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);

    for (size_t i = 0; i < n; i++) {
        const struct api_object *o = v[i].now ? v[i].now : v[i].was;
        uint64_t name = verdict_name(v[i].kind, o);

        if (v[i].now && is_read(v[i].kind, o))
            note_object(c, v[i].kind, o);
        else
            memos_drop(c->memos, &c->m->inputs, memo_name(&name));
    }
}

static void note_all(struct compile *c)
{
    for (int kind = 0; kind < OBJ_ISSUER; kind++) {
        const struct object_list *list = store_list(c->store, (enum object_kind)kind);

        for (size_t i = 0; i < list->n; i++)
            if (is_read((enum object_kind)kind, list->v[i]))
                note_object(c, (enum object_kind)kind, list->v[i]);
    }
}

void verdicts_update(struct compile *c)
{
    struct memos *memos = c->memos;

    c->memos = &c->m->verdicts;
    if (c->m->has_verdicts)
        note_changed(c);
    else
        note_all(c);
    c->m->has_verdicts = true;
    c->memos = memos;
}

void verdicts_say(struct compile *c)
{
    memos_say(&c->m->verdicts, c->notes);
    c->sum->unsupported += c->m->verdicts.unsupported;
    if (c->config_object)
        note_config(c);
    if (!str_is_set(c->o->namespace))
        note_namespace(c);
}
