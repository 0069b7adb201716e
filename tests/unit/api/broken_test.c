#include "unit/api/manifests.h"
#include "unit/api/manifests_dir.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

struct loaded load_octets(const char *name, struct str octets)
{
    struct loaded l = { .arena = arena_new(65536) };

    notes_init(&l.notes, l.arena);
    l.parsed = api_load_file(l.arena, str_of(name), octets, &l.notes, &l.objects);
    return l;
}

struct loaded load_text(const char *name, const char *text)
{
    return load_octets(name, str_of(text));
}

void unload(struct loaded *l)
{
    arena_free(l->arena);
    l->arena = NULL;
}

struct str loaded_notes(struct loaded *l)
{
    struct buf b, line;
    struct str text;

    buf_init(&b, 1 << 20);
    notes_sort(&l->notes);
    for (size_t i = 0; i < l->notes.n; i++) {
        buf_init(&line, 1 << 16);
        note_print(&line, &l->notes.v[i]);
        buf_add(&b, str_from(buf_str(&line), l->notes.v[i].pos.file.n + 1));
        buf_fini(&line);
    }
    text = arena_dup(l->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

struct str read_whole(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = must_alloc(1 << 20);
    size_t n;

    if (!f) {
        free(text);
        return STR_NONE;
    }
    n = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    return str_make(text, n);
}

static int is_manifest(const struct dirent *e)
{
    struct str name = str_of(e->d_name);

    return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")) ||
           str_ends(name, STR(".json"));
}

size_t each_manifest(const char *folder, void (*fn)(const char *path, const char *name))
{
    struct dirent **entries;
    char path[4096];
    int n;

    snprintf(path, sizeof(path), "%s/%s", MANIFESTS_DIR, folder);
    n = scandir(path, &entries, is_manifest, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s/%s", MANIFESTS_DIR, folder, entries[i]->d_name);
        fn(path, entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return n < 0 ? 0 : (size_t)n;
}

static size_t different;

static void check_notes(const char *path, const char *name)
{
    char expect_path[4200];
    struct str octets = read_whole(path), want;
    struct loaded l = load_octets(name, octets);
    struct str got = loaded_notes(&l);

    snprintf(expect_path, sizeof(expect_path), "%s.expect", path);
    want = read_whole(expect_path);
    if (!str_is_set(want) || !str_eq(got, want)) {
        print_error("%s\n--- want\n%.*s--- got\n%.*s", name, STRF(want), STRF(got));
        different++;
    }
    unload(&l);
    free((void *)octets.p);
    free((void *)want.p);
}

/* Each has a sibling .expect: line:col, the path of the field, what to do. */
TEST(broken_manifests_are_told_apart_with_place_path_and_remedy)
{
    size_t n;

    different = 0;
    n = each_manifest("broken", check_notes);
    CHECK(n >= 64);
    CHECK_EQ(different, 0);
}

static void check_fine(const char *path, const char *name)
{
    struct str octets = read_whole(path);
    struct loaded l = load_octets(name, octets);

    CHECK_STRZ(loaded_notes(&l), "");
    CHECK(l.parsed && l.objects.n > 0);
    unload(&l);
    free((void *)octets.p);
}

TEST(good_manifests_are_decoded_without_a_note)
{
    CHECK(each_manifest("good", check_fine) > 0);
}
