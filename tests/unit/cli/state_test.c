#include "cli/state.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/rng.h"
#include "cli/file.h"
#include "mesh/kept.h"
#include "unit/check.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GATEWAY                                                                                    \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"                    \
    "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}]}\n"
#define VS(name, status)                                                                           \
    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " name "}\n"  \
    "spec: {hosts: [" name ".x], gateways: [gw], http: [{directResponse: {status: " status         \
    "}}]}\n"
#define GOOD GATEWAY VS("a", "201") VS("b", "201")
#define BROKEN GATEWAY VS("a", "many") VS("b", "202")
#define MENDED GATEWAY VS("a", "201") VS("b", "202") /* what BROKEN comes to after GOOD */

struct fixture {
    struct arena arena;
    char dir[32];
    struct run_options run;
    struct str path;
};

/* One run of the program: its state, and a mesh that starts from it. */
struct run {
    struct fixture *f;
    struct state *state;
    struct mesh *mesh;
    struct root *root;
    enum mesh_verdict verdict;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){ .dir = "/tmp/lateen-unit-state-XXXXXX" };
    arena_init(&f->arena, 4096);
    CHECK(mkdtemp(f->dir) != NULL);
    f->path = STR("/manifests");
    f->run.files = (struct flag_strs){ &f->path, 1, 1 };
}

static void fixture_fini(struct fixture *f)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
    CHECK_EQ(system(command), 0);
    arena_fini(&f->arena);
}

static void recall(void *arg, struct mesh *m)
{
    struct run *r = arg;

    state_recall(r->state, m);
}

/* NULL: nothing can be read. */
static void run_update(struct run *r, const char *octets)
{
    struct source_error error = { r->f->path, STR("No such file or directory") };
    struct source_file file = { .path = STR("/manifests/m.yaml"), .changed = true };
    struct source_scan scan = { .files = &file, .n = octets != NULL, .changed = true };
    struct root *root = NULL;
    struct notes notes;

    if (octets) {
        file.octets = str_of(octets);
        file.hash = hash_stable(file.octets);
    } else {
        scan.errors = &error;
        scan.error_count = 1;
    }
    notes_init(&notes, &r->f->arena);
    r->verdict = mesh_update(r->mesh, &scan, &notes, &root);
    if (!root)
        return;
    root_unref(r->root);
    r->root = root;
    state_keep(r->state, root);
}

static void run_begin(struct run *r, struct fixture *f, const char *octets)
{
    struct mesh_options o = { .hooks = { .arg = r, .recall = recall } };

    static const struct image_sink nobody = { 0 };

    *r = (struct run){ .f = f, .state = state_new(str_of(f->dir), &f->run, &nobody) };
    r->mesh = mesh_new(&o);
    r->root = state_snapshot(r->state);
    if (r->root)
        mesh_adopt(r->mesh, r->root);
    run_update(r, octets);
}

static void run_end(struct run *r)
{
    CHECK(state_write(r->state, r->mesh));
    state_free(r->state);
    mesh_free(r->mesh);
    root_unref(r->root);
}

/* The hash of the snapshot that a program comes to which starts over these octets. */
static uint64_t run_over(struct fixture *f, const char *octets)
{
    struct run r;
    uint64_t hash;

    run_begin(&r, f, octets);
    hash = r.root ? root_hash(r.root) : 0;
    run_end(&r);
    return hash;
}

/* Without a state. */
static uint64_t hash_of(const char *octets)
{
    struct fixture f;
    uint64_t hash;

    fixture_init(&f);
    hash = run_over(&f, octets);
    fixture_fini(&f);
    return hash;
}

TEST(a_start_over_broken_files_serves_what_was_good_of_them)
{
    struct fixture f;

    fixture_init(&f);
    run_over(&f, GOOD);
    CHECK(run_over(&f, BROKEN) == hash_of(MENDED));
    CHECK(run_over(&f, BROKEN) == hash_of(MENDED)); /* and again from what that one kept */
    CHECK(run_over(&f, "a: [\n") == hash_of(MENDED));
    run_over(&f, GATEWAY);
    CHECK(run_over(&f, BROKEN) == hash_of(BROKEN)); /* deleted in between */
    fixture_fini(&f);
}

TEST(a_start_that_can_read_nothing_serves_the_last_snapshot_and_then_the_files)
{
    struct fixture f;
    struct run r;

    fixture_init(&f);
    run_over(&f, GOOD);
    run_begin(&r, &f, NULL);
    CHECK(mesh_is_cold(r.mesh) && r.verdict == MESH_SAME);
    CHECK(root_hash(r.root) == hash_of(GOOD));
    CHECK(state_write(r.state, r.mesh)); /* does not take the objects away */
    run_update(&r, NULL);
    CHECK(mesh_is_cold(r.mesh));
    run_update(&r, BROKEN);
    CHECK(!mesh_is_cold(r.mesh) && r.verdict == MESH_NEW);
    CHECK(root_hash(r.root) == hash_of(MENDED));
    run_end(&r);
    fixture_fini(&f);
}

TEST(without_a_snapshot_the_objects_alone_come_to_the_same)
{
    struct fixture f;

    fixture_init(&f);
    run_over(&f, GOOD);
    unlink(arena_printf(&f.arena, "%s/last-good", f.dir).p);
    CHECK(run_over(&f, NULL) == hash_of(GOOD));
    fixture_fini(&f);
}

TEST(what_other_manifests_or_flags_left_is_not_served)
{
    struct str elsewhere = STR("/elsewhere"), relative = STR("manifests");
    struct flag_port port = { 80, 8080 };
    struct fixture f;

    fixture_init(&f);
    run_over(&f, GOOD);
    f.run.ports = (struct flag_ports){ &port, 1, 1 };
    CHECK(run_over(&f, NULL) == hash_of(GOOD)); /* by its objects: the snapshot has other ports */
    f.run.files.v = &elsewhere;
    CHECK(run_over(&f, BROKEN) == hash_of(BROKEN));
    f.run.files.v = &f.path;
    CHECK(run_over(&f, BROKEN) == hash_of(BROKEN)); /* it took the directory over */
    f.run.files.v = &relative;
    run_over(&f, GOOD);
    CHECK_EQ(chdir(f.dir), 0);
    CHECK(run_over(&f, BROKEN) == hash_of(BROKEN)); /* the same name, from another place */
    CHECK_EQ(chdir("/"), 0);
    fixture_fini(&f);
}

TEST(the_snapshot_of_other_flags_goes_before_the_directory_is_taken_over)
{
    static const struct image_sink nobody = { 0 };
    const struct mesh_options o = { 0 };
    struct flag_port port = { 80, 8080 };
    struct fixture f;

    fixture_init(&f);
    run_over(&f, GOOD);
    f.run.ports = (struct flag_ports){ &port, 1, 1 };
    for (int i = 0; i < 2; i++) {
        struct state *s = state_new(str_of(f.dir), &f.run, &nobody);
        struct mesh *mesh = mesh_new(&o);

        CASE(i);
        CHECK(state_snapshot(s) == NULL);
        CHECK(state_write(s, mesh)); /* and ends without a snapshot of its own */
        state_free(s);
        mesh_free(mesh);
    }
    fixture_fini(&f);
}

/* ---- damage ---- */

static struct str find_shard(struct fixture *f)
{
    struct str dir = arena_printf(&f->arena, "%s/objects", f->dir), found = STR_NONE;
    DIR *d = opendir(dir.p);
    const struct dirent *e;

    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            found = arena_printf(&f->arena, "%.*s/%s", STRF(dir), e->d_name);
    closedir(d);
    return found;
}

static size_t refused;

static void count_refusals(struct str line)
{
    CHECK(str_find_str(line, STR("what was last good cannot be used")) < line.n);
    refused++;
}

static void check_damage(struct fixture *f, struct str path, const char *manifests)
{
    struct str octets, why;
    struct rng rng;

    rng_init(&rng, 7);
    CHECK(file_read(path, 1 << 20, &f->arena, &octets, &why));
    for (int i = 0; i < 150; i++) {
        struct str bad = arena_dup(&f->arena, octets);
        size_t at = rng_below(&rng, octets.n);
        struct run r;

        CASE(i);
        if (i % 3 == 0)
            bad.n = at;
        else
            ((char *)(uintptr_t)bad.p)[at] ^= (char)(1 << rng_below(&rng, 8));
        CHECK(file_write_atomic(path, bad));
        refused = 0;
        run_begin(&r, f, manifests); /* goes on without it */
        CHECK_EQ(refused, 1);
        CHECK(r.root != NULL);
        state_free(r.state);
        mesh_free(r.mesh);
        root_unref(r.root);
    }
    CHECK(file_write_atomic(path, octets));
}

TEST(cut_and_flipped_files_are_refused_and_the_start_goes_on)
{
    void (*sink)(struct str line) = log_sink;
    struct fixture f;

    fixture_init(&f);
    run_over(&f, GOOD);
    log_sink = count_refusals;
    check_damage(&f, arena_printf(&f.arena, "%s/last-good", f.dir), NULL);
    check_damage(&f, find_shard(&f), BROKEN);
    log_sink = sink;
    CHECK(run_over(&f, BROKEN) == hash_of(MENDED));
    fixture_fini(&f);
}

/* ---- the directory ---- */

TEST(a_second_program_writes_nothing_as_long_as_the_first_one_lives)
{
    struct fixture f;
    struct run first, second;

    fixture_init(&f);
    run_begin(&first, &f, GOOD);
    CHECK(state_write(first.state, first.mesh));
    run_begin(&second, &f, GATEWAY);
    log_threshold = LOG_ERROR;
    CHECK(!state_write(second.state, second.mesh));
    log_threshold = LOG_INFO;
    run_end(&first);
    CHECK(run_over(&f, BROKEN) == hash_of(MENDED));
    run_end(&second); /* it is alone now */
    CHECK(run_over(&f, BROKEN) == hash_of(BROKEN));
    fixture_fini(&f);
}

TEST(files_are_for_the_owner_alone_and_half_written_ones_go)
{
    static const char *const names[] = { "last-good", "belongs-to", "lock" };
    struct fixture f;
    struct stat st;
    struct str left;

    fixture_init(&f);
    run_over(&f, GOOD);
    for (size_t i = 0; i < LEN(names); i++) {
        CASE(i);
        CHECK_EQ(stat(arena_printf(&f.arena, "%s/%s", f.dir, names[i]).p, &st), 0);
        CHECK_EQ(st.st_mode & 0777, 0600);
    }
    CHECK_EQ(stat(find_shard(&f).p, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    left = arena_printf(&f.arena, "%s/objects/00.1.tmp", f.dir);
    CHECK(file_write_atomic(left, STR("half")));
    run_over(&f, GOOD);
    CHECK(access(left.p, F_OK) != 0);
    run_over(&f, "# nothing\n");
    CHECK(!str_is_set(find_shard(&f))); /* no object, no file */
    fixture_fini(&f);
}
