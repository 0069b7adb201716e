/*
 * tests/fuzz/yaml - any octets as a manifest: read, decoded, validated, printed. What an
 * object prints is decoded again without an error, and prints the same.
 */
#include "fuzz.h"

#include "api/object.h"

static struct str printed(struct arena *arena, const struct api_object *o)
{
    struct buf b;
    struct str text;

    buf_init(&b, (size_t)1 << 26);
    api_print(o, &b, API_YAML);
    text = arena_dup(arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void check_again(struct arena *arena, const struct api_object *o)
{
    struct str text = printed(arena, o);
    struct api_objects objects = { 0 };
    struct notes notes;

    notes_init(&notes, arena);
    MUST(api_decode_file(arena, STR("again.yaml"), text, &notes, &objects));
    MUST(notes.errors == 0 && objects.n == 1);
    MUST(str_eq(printed(arena, objects.v[0]), text));
}

static void ignore_leaf(void *arg, const struct api_set *set)
{
    (void)set;
    (*(size_t *)arg)++;
}

static void check_file(struct str name, struct str octets)
{
    struct arena *arena = arena_new(1 << 14);
    struct api_objects objects = { 0 };
    const struct api_objects *files = &objects;
    struct notes notes;
    size_t leaves = 0;

    notes_init(&notes, arena);
    if (!api_load_file(arena, name, octets, &notes, &objects))
        MUST(notes.errors > 0);
    for (size_t i = 0; i < objects.n; i++) {
        MUST(!objects.v[i]->broken || notes.errors > 0);
        api_each_set_leaf(objects.v[i], ignore_leaf, &leaves);
        if (!objects.v[i]->broken)
            check_again(arena, objects.v[i]);
    }
    api_note_unknown(&files, 1, &notes);
    for (size_t i = 0; i < notes.n; i++)
        MUST(notes.v[i].pos.line > 0 && notes.v[i].pos.col > 0);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str text = str_make((const char *)octets, n);

    check_file(STR("f.yaml"), text);
    check_file(STR("f.json"), text);
    return 0;
}
