#include "unit/api/manifests.h"

#include "base/map.h"

/*
 * Each kind with every field of its tables set: printed, decoded and printed again it must be
 * the same text. The values are made up by type, so rules between fields do not hold.
 */
static void fill_message(struct arena *arena, const struct api_record *r, void *msg);

static void fill_one(struct arena *arena, const struct api_field *f, void *to)
{
    static const struct node tree = { .kind = NODE_SCALAR, .quoted = true, .text = STR_INIT("t") };
    void *message;

    switch (f->type) {
    case API_BOOL:
        *(struct opt_bool *)to = (struct opt_bool){ true, true };
        break;
    case API_INT:
        *(struct opt_int *)to = (struct opt_int){ f->max >= 7 || f->max == 0 ? 7 : 1, true };
        break;
    case API_NUM:
        *(struct opt_num *)to = (struct opt_num){ 12.5, true };
        break;
    case API_STRING:
        *(struct str *)to = STR("no: \"x\"\n\xc3\xa9");
        break;
    case API_BYTES:
        *(struct str *)to = STR("\x00\xff\x10 octets");
        break;
    case API_ENUM:
        *(struct opt_enum *)to = (struct opt_enum){ f->enums->values[f->enums->n - 1].number,
                                                    true };
        break;
    case API_DUR:
        *(struct opt_dur *)to = (struct opt_dur){ INT64_C(3661500000000), true };
        break;
    case API_TIME:
        *(struct opt_time *)to = (struct opt_time){ INT64_C(1795511703042), true };
        break;
    case API_PORT:
        *(struct int_or_str *)to = (struct int_or_str){ 0, STR("http"), true };
        break;
    case API_TREE:
        *(const struct node **)to = &tree;
        break;
    case API_MSG:
        message = arena_alloc(arena, f->record->size);
        fill_message(arena, f->record, message);
        *(void **)to = message;
        break;
    default:
        break;
    }
}

/* Two items, or two keys. */
static void fill_run(struct arena *arena, const struct api_field *f, struct api_run *run)
{
    bool map = f->shape == API_MAP_OF;
    size_t size = f->type == API_MSG   ? (map ? sizeof(void *) : f->record->size)
                  : f->type == API_INT ? sizeof(int64_t)
                                       : sizeof(struct str);
    size_t stride = size + (map ? sizeof(struct str) : 0);
    static const struct str keys[] = { STR_INIT("a.key"), STR_INIT("true") };

    run->n = 2;
    run->v = arena_alloc(arena, stride * 2);
    for (size_t i = 0; i < 2; i++) {
        char *item = (char *)run->v + stride * i;

        if (map) {
            *(struct str *)(void *)item = keys[i];
            item += sizeof(struct str);
        }
        if (f->type == API_MSG && !map)
            fill_message(arena, f->record, item);
        else if (f->type == API_INT)
            *(int64_t *)(void *)item = 80 + (int64_t)i;
        else
            fill_one(arena, f, item);
    }
}

static void fill_message(struct arena *arena, const struct api_record *r, void *msg)
{
    for (size_t i = 0; i < r->n; i++) {
        void *to = (char *)msg + r->fields[i].offset;

        if (r->fields[i].type == API_SKIP)
            continue;
        if (r->fields[i].shape == API_ONE)
            fill_one(arena, &r->fields[i], to);
        else
            fill_run(arena, &r->fields[i], to);
    }
}

static struct str printed(struct arena *arena, const struct api_object *o, enum api_format format)
{
    struct buf b;
    struct str text;

    buf_init(&b, 1 << 22);
    api_print(o, &b, format);
    CHECK(!b.full);
    text = arena_dup(arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

static struct api_object *full_object(struct arena *arena, const struct api_kind *k)
{
    struct api_object *o = ARENA_NEW(arena, struct api_object);
    void *body = arena_alloc(arena, k->body->size);

    fill_message(arena, k->body, body);
    *o = (struct api_object){ .kind = k, .meta = ARENA_NEW(arena, struct api_meta), .body = body };
    o->api_version = k->group.n
                         ? arena_printf(arena, "%.*s/%.*s", STRF(k->group), STRF(k->versions[0]))
                         : k->versions[0];
    fill_message(arena, &rec_meta, o->meta);
    if (!k->namespaced)
        o->meta->namespace = STR_NONE;
    return o;
}

static void check_again(struct arena *arena, const char *name, struct str text, struct str want)
{
    struct notes notes;
    struct api_objects objects;

    notes_init(&notes, arena);
    CHECK(api_decode_file(arena, str_of(name), text, &notes, &objects));
    if (notes.n)
        print_error("%.*s\n%.*s\n", STRF(notes.v[0].text), STRF(text));
    CHECK_EQ(notes.n, 0);
    CHECK_EQ(objects.n, 1);
    CHECK_STR(printed(arena, objects.v[0], API_YAML), want);
}

TEST(every_field_of_every_kind_survives_printing_and_decoding)
{
    for (size_t i = 0; i < api_kind_count; i++) {
        struct arena *arena = arena_new(1 << 16);
        struct api_object *o = full_object(arena, api_kinds[i]);
        struct str yaml = printed(arena, o, API_YAML), json = printed(arena, o, API_JSON);

        CASE(i);
        check_again(arena, "f.yaml", yaml, yaml);
        check_again(arena, "f.json", json, yaml);
        arena_free(arena);
    }
}

TEST(mesh_config_survives_printing_and_decoding)
{
    struct arena *arena = arena_new(1 << 16);
    struct api_object *o = full_object(arena, &api_kind_meshconfig);
    struct str yaml = printed(arena, o, API_YAML);
    struct notes notes;
    struct api_object *again;

    notes_init(&notes, arena);
    again = api_decode_meshconfig(arena, STR("mesh.yaml"), yaml, &notes);
    CHECK(again != NULL);
    CHECK_STR(printed(arena, again, API_YAML), yaml);
    arena_free(arena);
}

/* Names must be unique, each field documented, each default and group sane. */
static void check_record(const struct api_record *r, struct map *seen)
{
    if (map_put(seen, str_of(r->name), (void *)r))
        return;
    for (size_t i = 0; i < r->n; i++) {
        const struct api_field *f = &r->fields[i];

        CHECK(api_field_find(r, f->name) == f);
        CHECK(f->type == API_SKIP || (f->doc && f->doc[0]));
        CHECK(f->type == API_SKIP || f->offset >= sizeof(struct api_at));
        CHECK(f->type == API_SKIP || f->offset < r->size);
        if (f->type == API_MSG)
            check_record(f->record, seen);
    }
}

TEST(the_tables_are_sound)
{
    struct map seen;

    map_init(&seen);
    for (size_t i = 0; i < api_kind_count; i++) {
        check_record(api_kinds[i]->body, &seen);
        CHECK(api_kind_find(api_kinds[i]->group, api_kinds[i]->kind) == api_kinds[i]);
    }
    check_record(api_kind_meshconfig.body, &seen);
    map_fini(&seen);
}

TEST(a_field_is_found_by_its_path)
{
    const struct api_kind *vs = api_kind_find(STR("networking.istio.io"), STR("VirtualService"));

    CHECK_STRZ(api_field_by_path(vs, STR("http.route.weight"))->name, "weight");
    CHECK(api_field_by_path(vs, STR("http.weight")) == NULL);
    CHECK(api_field_by_path(vs, STR("http.route.weight.x")) == NULL);
}
