#include "api/decode_int.h"

#include "base/hash.h"
#include "base/map.h"
#include "codec/yaml_pack.h"

/* Fields of an object that no body describes. */
static const char *const outer_names[] = { "apiVersion", "kind", "metadata", NULL };

struct file_reader {
    struct arena *arena;
    struct notes *notes;
    struct str file;
    struct api_objects objects;
    size_t object_cap, unknown_cap;
};

static void file_note(struct file_reader *f, enum severity severity, const struct node *where,
                      const char *text)
{
    note_add(f->notes, severity, (struct pos){ f->file, where->line, where->col }, "LAT0103", "%s",
             text);
}

/* The text of a string field of the object's outer part; STR_NONE: missing or no string. */
static struct str outer_text(const struct node *object, struct str name)
{
    const struct node *n = node_get(object, name);

    return n && n->kind == NODE_SCALAR && !node_is_null(n) ? n->text : STR_NONE;
}

static struct str version_group(struct str api_version)
{
    size_t slash = str_rfind(api_version, '/');

    return slash == api_version.n ? STR("") : str_sub(api_version, 0, slash);
}

static struct str version_name(struct str api_version)
{
    size_t slash = str_rfind(api_version, '/');

    return slash == api_version.n ? api_version : str_from(api_version, slash + 1);
}

static bool version_is_served(const struct api_kind *k, struct str version)
{
    for (size_t i = 0; i < LEN(k->versions); i++)
        if (str_is_set(k->versions[i]) && str_eq(k->versions[i], version))
            return true;
    return false;
}

static void check_version(struct decoder *d)
{
    struct api_object *o = d->o;
    struct str version = version_name(o->api_version);
    struct api_at at = { o->line, o->col, o->node };
    struct buf b;

    if (version_is_served(o->kind, version))
        return;
    buf_init(&b, 256);
    for (size_t i = 0; i < LEN(o->kind->versions) && str_is_set(o->kind->versions[i]); i++)
        buf_printf(&b, "%s%.*s%s%.*s", i ? ", " : "", STRF(o->kind->group),
                   o->kind->group.n ? "/" : "", STRF(o->kind->versions[i]));
    api_note(o, d->notes, SEV_ERROR, "LAT0104",
             (struct api_spot){ &at, "apiVersion", -1, STR_NONE, false },
             "\"%.*s\" is no version of this kind: use %.*s", STRF(o->api_version),
             STRF(buf_str(&b)));
    buf_fini(&b);
    o->broken = true;
}

static void read_meta(struct decoder *d, const struct node *object)
{
    const struct node_pair *pair = node_pair(object, STR("metadata"));
    const struct node *map = pair ? &pair->value : NULL;
    struct api_object *o = d->o;
    bool proto = d->proto;

    /* The title of every message comes from here: name and namespace first. */
    o->meta = ARENA_NEW(d->arena, struct api_meta);
    o->meta->name = outer_text(map, STR("name"));
    o->meta->namespace = outer_text(map, STR("namespace"));
    if (o->kind->namespaced && o->meta->namespace.n == 0)
        o->meta->namespace = STR("default");
    if (map && map->kind != NODE_MAP) {
        struct seat seat = { object, pair, -1, STR_NONE, map };

        if (!node_is_null(map))
            decode_note(d, SEV_ERROR, "LAT0103", &seat, "an object is wanted, not %s",
                        node_what(map));
        map = NULL;
    }
    d->proto = false;
    o->meta->at = (struct api_at){ map ? map->line : o->line, map ? map->col : o->col, map };
    if (map)
        decode_fields(d, &rec_meta, map, NULL, o->meta);
    d->proto = proto;
    if (!o->kind->namespaced)
        o->meta->namespace = STR_NONE;
    else if (o->meta->namespace.n == 0)
        o->meta->namespace = STR("default");
}

/* What stands beside the body. Only the names matter. */
static const struct api_field outer_fields[] = {
    { .name = STR_INIT("apiVersion") }, { .name = STR_INIT("kind") },
    { .name = STR_INIT("metadata") },   { .name = STR_INIT("spec") },
    { .name = STR_INIT("status") },
};
static const struct api_record outer = { .name = "an object of this kind",
                                         .fields = outer_fields,
                                         .n = LEN(outer_fields) };

static void read_body(struct decoder *d, const struct node *object)
{
    const struct api_kind *k = d->o->kind;
    const struct node_pair *pair = k->body_key.n ? node_pair(object, k->body_key) : NULL;
    const struct node *body = pair ? &pair->value : NULL;

    if (!k->body_key.n) {
        void *msg = arena_alloc(d->arena, k->body->size);

        *(struct api_at *)msg = (struct api_at){ object->line, object->col, object };
        decode_fields(d, k->body, object, outer_names, msg);
        d->o->body = msg;
        return;
    }
    for (uint32_t i = 0; i < object->n; i++)
        if (!api_field_find(&outer, object->pairs[i].key))
            decode_unknown(d, &outer, object, &object->pairs[i]);
    if (body && body->kind != NODE_MAP) {
        struct seat seat = { object, pair, -1, STR_NONE, body };

        if (!node_is_null(body))
            decode_note(d, SEV_ERROR, "LAT0103", &seat, "an object (%s) is wanted, not %s",
                        k->body->name, node_what(body));
        body = NULL;
    }
    d->o->body = decode_message(d, k->body, body, body ? body->line : object->line,
                                body ? body->col : object->col);
}

void decode_object(struct decoder *d, const struct node *object)
{
    read_meta(d, object);
    check_version(d);
    read_body(d, object);
}

static void read_object(struct file_reader *f, const struct node *object,
                        const struct api_kind *kind, struct str api_version)
{
    struct api_object *o = ARENA_NEW(f->arena, struct api_object);
    struct decoder d = { f->arena, f->notes, o, kind->proto };

    *o = (struct api_object){ .kind = kind,
                              .api_version = api_version,
                              .file = f->file,
                              .line = object->line,
                              .col = object->col,
                              .node = object,
                              .packed = decode_pack(f->arena, object) };
    o->place_hash = hash_stable(o->packed);
    decode_object(&d, object);
    if (o->meta->name.n == 0) {
        api_note(o, f->notes, SEV_ERROR, "LAT0106", LEAF(o->meta, "name"),
                 "missing: every object needs a name");
        return;
    }
    f->objects.v = arena_grow(f->arena, f->objects.v, f->objects.n, &f->object_cap,
                              sizeof(*f->objects.v));
    f->objects.v[f->objects.n++] = o;
}

static void add_unknown(struct file_reader *f, const struct node *object, struct str api_version,
                        struct str kind)
{
    struct api_unknown *u;

    f->objects.unknown = arena_grow(f->arena, f->objects.unknown, f->objects.unknown_count,
                                    &f->unknown_cap, sizeof(*f->objects.unknown));
    u = &f->objects.unknown[f->objects.unknown_count++];
    *u = (struct api_unknown){ api_version, kind, { f->file, object->line, object->col } };
}

static void read_document(struct file_reader *f, const struct node *object, bool in_list);

static void read_list(struct file_reader *f, const struct node *list)
{
    const struct node *items = node_get(list, STR("items"));

    if (!items || node_is_null(items))
        return;
    if (items->kind != NODE_SEQ) {
        file_note(f, SEV_ERROR, items, "items: a list is wanted");
        return;
    }
    for (uint32_t i = 0; i < items->n; i++)
        read_document(f, &items->items[i], true);
}

static void read_document(struct file_reader *f, const struct node *object, bool in_list)
{
    struct str api_version, kind_name;
    const struct api_kind *kind;

    if (object->kind != NODE_MAP) {
        file_note(f, SEV_ERROR, object,
                  "an object with apiVersion, kind and metadata is wanted here");
        return;
    }
    api_version = outer_text(object, STR("apiVersion"));
    kind_name = outer_text(object, STR("kind"));
    if (api_version.n == 0 || kind_name.n == 0) {
        file_note(f, SEV_ERROR, object,
                  kind_name.n ? "apiVersion: missing: say which version of the kind this is"
                              : "kind: missing: say what this object is");
        return;
    }
    kind = api_kind_find(version_group(api_version), kind_name);
    if (kind)
        read_object(f, object, kind, api_version);
    else if (!in_list && str_ends(kind_name, STR("List")) && node_get(object, STR("items")))
        read_list(f, object);
    else
        add_unknown(f, object, api_version, kind_name);
}

bool api_decode_file(struct arena *arena, struct str file, struct str octets, struct notes *notes,
                     struct api_objects *ret)
{
    struct file_reader f = { .arena = arena, .notes = notes, .file = file };
    struct yaml_docs docs;

    if (!yaml_read(arena, file, octets, str_ends(file, STR(".json")), NULL, notes, &docs))
        return false;
    for (size_t i = 0; i < docs.n; i++)
        read_document(&f, &docs.v[i], false);
    *ret = f.objects;
    return true;
}

bool api_load_file(struct arena *arena, struct str file, struct str octets, struct notes *notes,
                   struct api_objects *ret)
{
    if (!api_decode_file(arena, file, octets, notes, ret))
        return false;
    for (size_t i = 0; i < ret->n; i++)
        api_validate(ret->v[i], notes);
    return true;
}

bool api_load_packed(struct arena *arena, struct str file, struct str packed, struct notes *notes,
                     struct api_objects *ret)
{
    struct file_reader f = { .arena = arena, .notes = notes, .file = file };
    const struct node *object = node_unpack(arena, packed);

    if (!object)
        return false;
    read_document(&f, object, true);
    if (f.objects.n != 1)
        return false;
    api_validate(f.objects.v[0], notes);
    *ret = f.objects;
    return true;
}

static struct str kind_name(const void *from, size_t i)
{
    (void)from;
    return api_kinds[i]->kind;
}

/* A kind of the same group whose name is nearly that; STR_NONE. */
static struct str nearest_kind(const struct api_unknown *u)
{
    struct str near = nearest_name(u->kind, api_kind_count, kind_name, NULL);

    return api_kind_find(version_group(u->api_version), near) ? near : STR_NONE;
}

void api_note_unknown(const struct api_objects *const *files, size_t n, struct notes *notes)
{
    struct map seen;

    map_init(&seen);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < files[i]->unknown_count; k++) {
            const struct api_unknown *u = &files[i]->unknown[k];
            struct str key = arena_printf(notes->arena, "%.*s %.*s",
                                          STRF(version_group(u->api_version)), STRF(u->kind));
            struct str near;

            if (map_put(&seen, key, (void *)u))
                continue;
            near = nearest_kind(u);
            note_add(notes, SEV_INFO, u->pos, "LAT0112",
                     "%.*s of %.*s is a kind that Lateen does not read: skipped%s%.*s%s",
                     STRF(u->kind), STRF(u->api_version), near.n ? "; did you mean " : "",
                     STRF(near), near.n ? "?" : "");
        }
    }
    map_fini(&seen);
}
