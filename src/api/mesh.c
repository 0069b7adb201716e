#include "api/check.h"
#include "api/core.h"
#include "api/decode_int.h"
#include "api/meshconfig.h"
#include "base/hash.h"

const struct api_kind api_kind_meshconfig = {
    .kind = STR_INIT("MeshConfig"),
    .proto = true,
    .body_key = STR_INIT(""),
    .body = &rec_meshconfig,
    .validate = api_check_meshconfig,
};

static struct api_object *make(struct arena *arena, struct str file, const struct node *map,
                               struct notes *notes)
{
    struct api_object *o = ARENA_NEW(arena, struct api_object);
    struct decoder d = { arena, notes, o, true };

    *o = (struct api_object){ .kind = &api_kind_meshconfig,
                              .meta = ARENA_NEW(arena, struct api_meta),
                              .file = file,
                              .line = map ? map->line : 1,
                              .col = map ? map->col : 1,
                              .node = map,
                              .packed = map ? decode_pack(arena, map) : STR("") };
    o->place_hash = hash_stable(o->packed);
    o->body = decode_message(&d, &rec_meshconfig, map, o->line, o->col);
    return o;
}

struct api_object *api_meshconfig_default(struct arena *arena)
{
    return make(arena, STR("(defaults)"), NULL, NULL);
}

static void move_lines(struct node *n, uint32_t lines, uint32_t cols)
{
    n->line += lines;
    n->col += cols;
    for (uint32_t i = 0; n->kind != NODE_SCALAR && i < n->n; i++) {
        if (n->kind == NODE_SEQ) {
            move_lines(&n->items[i], lines, cols);
            continue;
        }
        n->pairs[i].line += lines;
        n->pairs[i].col += cols;
        move_lines(&n->pairs[i].value, lines, cols);
    }
}

/* NULL: noted. `lines` is what stands before the text in its file. */
static struct api_object *decode(struct arena *arena, struct str file, struct str octets,
                                 uint32_t lines, struct notes *notes)
{
    struct notes own;
    struct yaml_docs docs;
    struct api_object *o;
    bool fine;

    notes_init(&own, arena);
    fine = yaml_read(arena, file, octets, false, NULL, &own, &docs);
    for (size_t i = 0; i < own.n; i++)
        own.v[i].pos.line += lines;
    notes_append(notes, &own);
    if (!fine)
        return NULL;
    if (docs.n > 1 || (docs.n && docs.v[0].kind != NODE_MAP)) {
        note_add(notes, SEV_ERROR, (struct pos){ file, lines + 1, 1 }, "LAT0103",
                 "MeshConfig: one object is wanted here");
        return NULL;
    }
    if (docs.n && lines)
        move_lines(&docs.v[0], lines, 0);
    o = make(arena, file, docs.n ? &docs.v[0] : NULL, notes);
    api_validate(o, notes);
    return o;
}

struct api_object *api_decode_meshconfig(struct arena *arena, struct str file, struct str octets,
                                         struct notes *notes)
{
    return decode(arena, file, octets, 0, notes);
}

struct api_object *api_meshconfig_of(struct arena *arena, const struct api_object *configmap,
                                     struct notes *notes)
{
    const struct api_configmap *map = configmap->body;
    const struct node *data = node_get(configmap->node, STR("data"));
    const struct node_pair *pair = node_pair(data, STR("mesh"));

    (void)map;
    if (!pair || pair->value.kind != NODE_SCALAR)
        return NULL;
    /* A block scalar's text begins on the line after its key. */
    return decode(arena, configmap->file, pair->value.text, pair->value.line, notes);
}
