#include "cli/keepsake.h"

#include "base/hash.h"
#include "cli/file.h"
#include "unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#define GOOD "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"
#define BROKEN "a: [\n"

struct fixture {
    struct arena arena;
    char dir[32];
    struct source_file file;
    struct source_scan scan;
    struct notes notes;
};

/* One manifest `m.yaml` with those octets, as a scan would have it. */
static void manifest(struct fixture *f, struct str octets)
{
    f->file.path = arena_printf(&f->arena, "%s/m.yaml", f->dir);
    f->file.octets = octets;
    f->file.hash = hash_stable(octets);
    CHECK(file_write_atomic(f->file.path, octets));
    f->scan = (struct source_scan){ .files = &f->file, .n = 1, .changed = true };
    notes_init(&f->notes, &f->arena);
}

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){ .dir = "/tmp/lateen-unit-keep-XXXXXX" };
    arena_init(&f->arena, 4096);
    CHECK(mkdtemp(f->dir) != NULL);
}

static void fixture_fini(struct fixture *f)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
    CHECK_EQ(system(command), 0);
    arena_fini(&f->arena);
}

/* One run of the program: keeps what is there now. */
static void run_over(struct fixture *f)
{
    struct keepsake *k = keepsake_new(str_of(f->dir));

    keepsake_note(k, &f->scan, &f->notes);
    keepsake_write(k);
    keepsake_free(k);
}

static bool recalls(struct fixture *f, struct str *ret)
{
    struct keepsake *k = keepsake_new(str_of(f->dir));
    struct source_scan before;
    bool any = keepsake_recall(k, &f->scan, &f->arena, &before);

    *ret = any ? before.files[0].octets : STR_NONE;
    keepsake_free(k);
    return any;
}

TEST(a_broken_file_is_recalled_as_it_was_when_last_good)
{
    struct fixture f;
    struct str got;

    fixture_init(&f);
    manifest(&f, STR(BROKEN));
    CHECK(!recalls(&f, &got)); /* nothing was ever kept */
    manifest(&f, STR(GOOD));
    run_over(&f);
    CHECK(!recalls(&f, &got)); /* it is not broken */
    manifest(&f, STR(BROKEN));
    CHECK(recalls(&f, &got));
    CHECK_STRZ(got, GOOD);
    note_add(&f.notes, SEV_ERROR, (struct pos){ f.file.path, 1, 1 }, NULL, "broken");
    run_over(&f); /* does not take the broken one's place */
    CHECK(recalls(&f, &got));
    CHECK_STRZ(got, GOOD);
    fixture_fini(&f);
}

TEST(a_deleted_file_is_forgotten_unless_its_root_was_unreadable)
{
    struct fixture f;
    struct keepsake *k;
    struct str got;

    fixture_init(&f);
    k = keepsake_new(str_of(f.dir));
    manifest(&f, STR(GOOD));
    keepsake_note(k, &f.scan, &f.notes);
    keepsake_write(k);
    f.scan = (struct source_scan){ .error_count = 1 };
    keepsake_note(k, &f.scan, &f.notes);
    keepsake_write(k);
    manifest(&f, STR(BROKEN));
    CHECK(recalls(&f, &got));
    f.scan = (struct source_scan){ 0 };
    keepsake_note(k, &f.scan, &f.notes);
    keepsake_write(k);
    manifest(&f, STR(BROKEN));
    CHECK(!recalls(&f, &got));
    keepsake_free(k);
    fixture_fini(&f);
}
