/*
 * mesh/verdicts - no field is dropped in silence (design 5.4): what a manifest sets and the
 * program does not carry out is said at its place.
 *
 * Which fields are carried out stands in api/'s tables; what depends on a value is said where
 * the value is read.
 */
#include "api/destinationrule.h"
#include "api/serviceentry.h"
#include "api/virtualservice.h"
#include "mesh/memo.h"

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

static void note_object(struct compile *c, const struct api_object *o)
{
    uint64_t id = memo_object(o);
    struct str name = str_make((const char *)&id, sizeof(id));
    struct walk w = { .c = c };
    struct memo_capture cap;

    if (memo_recall(c, name, id))
        return;
    memo_begin(c, &cap, name, id);
    w.title = compile_title(c, o);
    api_each_set_leaf(o, note_field, &w);
    memo_end(c, &cap, true);
}

/* What is carried out for some values only. */
static void note_config(struct compile *c)
{
    const struct api_meshconfig *m = c->config;

    if (m->enable_tracing.set && m->enable_tracing.v)
        compile_unsupported(c, c->config_object, LEAF(m, "enableTracing"),
                            "requests are not traced yet");
    note_object(c, c->config_object);
}

static const struct str_list *exports_of(const struct api_object *o, enum object_kind kind)
{
    if (kind == OBJ_VIRTUAL_SERVICE)
        return &((const struct api_virtualservice *)o->body)->export_to;
    if (kind == OBJ_DESTINATION_RULE)
        return &((const struct api_destinationrule *)o->body)->export_to;
    return &((const struct api_serviceentry *)o->body)->export_to;
}

/* Where it matters that nobody said which namespace this gateway is in: once. */
static void note_namespace(struct compile *c)
{
    static const enum object_kind kinds[] = { OBJ_VIRTUAL_SERVICE, OBJ_DESTINATION_RULE,
                                              OBJ_SERVICE_ENTRY };

    for (size_t i = 0; i < LEN(kinds); i++) {
        const struct object_list *list = store_list(c->store, kinds[i]);

        for (size_t k = 0; k < list->n; k++) {
            const struct str_list *to = exports_of(list->v[k], kinds[i]);

            if (!to->n || str_eq(to->v[0], STR("*")))
                continue;
            api_note(list->v[k], c->notes, SEV_INFO, "LAT0306", SPOT(list->v[k]->meta),
                     "exportTo is measured as if this gateway were in the object's own namespace; "
                     "--namespace says where it is");
            return;
        }
    }
}

/* Issuers and Namespaces say nothing to a gateway by themselves: a Certificate does. */
void verdicts_note(struct compile *c)
{
    for (int kind = 0; kind < OBJ_OTHER; kind++) {
        const struct object_list *list = store_list(c->store, (enum object_kind)kind);

        for (size_t i = 0; i < list->n; i++)
            if (kind != OBJ_VIRTUAL_SERVICE || routes_is_for_gateways(list->v[i]))
                note_object(c, list->v[i]);
    }
    if (c->config_object)
        note_config(c);
    if (!str_is_set(c->o->namespace))
        note_namespace(c);
}
