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

void verdicts_note(struct compile *c)
{
    for (int kind = 0; kind < OBJ_KINDS; kind++) {
        const struct object_list *list = store_list(c->store, (enum object_kind)kind);

        for (size_t i = 0; i < list->n; i++)
            if (kind != OBJ_VIRTUAL_SERVICE || routes_is_for_gateways(list->v[i]))
                note_object(c, list->v[i]);
    }
    if (c->config_object)
        note_object(c, c->config_object);
}
