/*
 * mesh/verdicts - no field is dropped in silence (design 5.4): what a manifest sets and the
 * program does not carry out is said at its place.
 *
 * Which fields are carried out stands in api/'s tables; what depends on a value is said where
 * the value is read.
 */
#include "mesh/compile.h"

struct walk {
    struct compile *c;
    struct str title;
};

static void note_field(void *arg, const struct api_set *set)
{
    struct walk *w = arg;

    if (set->field->state != API_NOT)
        return;
    w->c->sum->unsupported++;
    note_add(w->c->notes, SEV_WARNING, set->pos, "LAT0301",
             "%.*s: %.*s: unsupported: %.*s is not carried out yet (%s)", STRF(w->title),
             STRF(set->path), STRF(set->field->name), set->field->doc);
}

static void note_object(struct compile *c, const struct api_object *o)
{
    struct walk w = { c, compile_title(c, o) };

    api_each_set_leaf(o, note_field, &w);
}

/* What is carried out for some values only. */
static void note_config(struct compile *c)
{
    const struct api_meshconfig *m = c->config;
    int32_t path = m->path_normalization ? m->path_normalization->normalization.v : 0;

    if (m->enable_tracing.set && m->enable_tracing.v)
        compile_unsupported(c, c->config_object, LEAF(m, "enableTracing"),
                            "requests are not traced yet");
    if (path == NORMALIZE_MERGE_SLASHES || path == NORMALIZE_DECODE_AND_MERGE_SLASHES)
        compile_unsupported(c, c->config_object, LEAF(m->path_normalization, "normalization"),
                            "BASE is the most that is carried out yet");
    note_object(c, c->config_object);
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
}
