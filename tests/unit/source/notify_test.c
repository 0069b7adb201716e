#include "source/files_int.h"
#include "unit/check.h"
#include "unit/source/place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
    struct place *p;
    int calls;
    char text[1024];
    size_t errors;
};

static void on_changed(struct source *s, const struct source_scan *scan, void *arg)
{
    struct seen *seen = arg;

    (void)s;
    seen->calls++;
    seen->errors = scan->error_count;
    snprintf(seen->text, sizeof(seen->text), "%s", place_text(seen->p, scan));
}

struct rig {
    struct place p;
    struct loop *loop;
    struct source *source;
    struct seen seen;
};

/* After it the watch is on and the first scan is made of what `fill` wrote. */
static void rig_init(struct rig *r, void (*fill)(struct place *), const char *root)
{
    place_init(&r->p);
    fill(&r->p);
    r->loop = loop_new(NULL);
    r->source = place_source(&r->p, root);
    r->seen = (struct seen){ .p = &r->p };
    CHECK(source_watch(r->source, r->loop, on_changed, &r->seen));
    source_scan(r->source);
}

static void rig_fini(struct rig *r)
{
    source_free(r->source);
    loop_free(r->loop);
    place_fini(&r->p);
}

static void rig_turn(struct rig *r, uint64_t ms)
{
    uint64_t end = loop_clock_ns(r->loop) + ms * 1000000;

    while (loop_clock_ns(r->loop) < end)
        loop_turn(r->loop, 5);
}

/* Turns the loop until the files are as `want` says, ten seconds at most. */
static void rig_expect(struct rig *r, const char *want)
{
    for (int i = 0; i < 200 && strcmp(r->seen.text, want) != 0; i++)
        rig_turn(r, 50);
    CHECK_STRZ(str_of(r->seen.text), want);
}

static void fill_two(struct place *p)
{
    place_mkdir(p, "m");
    place_write(p, "m/a.yaml", "a1");
    place_write(p, "m/b.yaml", "b1");
}

static void save_in_place(struct place *p, const char *text)
{
    place_write(p, "m/a.yaml", text);
}

static void save_by_rename(struct place *p, const char *text)
{
    place_replace(p, "m/a.yaml", text);
}

/* vim with `backupcopy=no`: the old file becomes a backup, a new one is written. */
static void save_like_vim(struct place *p, const char *text)
{
    place_write(p, "m/4913", "");
    place_remove(p, "m/4913");
    place_move(p, "m/a.yaml", "m/a.yaml~");
    usleep(20000); /* longer than the quiet time */
    place_write(p, "m/a.yaml", text);
    place_remove(p, "m/a.yaml~");
}

/* emacs: a lock that leads nowhere, a backup by copy, written in place. */
static void save_like_emacs(struct place *p, const char *text)
{
    place_link(p, "m/.#a.yaml", "me@here.1:2");
    place_write(p, "m/a.yaml~", "old");
    place_write(p, "m/a.yaml", text);
    place_remove(p, "m/.#a.yaml");
    place_remove(p, "m/a.yaml~");
}

/* `kubectl get -o yaml > a.yaml`: the file is empty and half for a while. */
static void save_slowly(struct place *p, const char *text)
{
    int fd = open(place_path(p, "m/a.yaml"), O_WRONLY | O_TRUNC);

    CHECK(fd >= 0);
    for (const char *c = text; *c; c++) {
        usleep(10000);
        CHECK_EQ(write(fd, c, 1), 1);
    }
    close(fd);
}

static void save_by_directory(struct place *p, const char *text)
{
    place_mkdir(p, "new");
    place_write(p, "new/a.yaml", text);
    place_write(p, "new/b.yaml", "b1");
    place_move(p, "m", "old");
    usleep(20000);
    place_move(p, "new", "m");
    place_remove(p, "old");
}

TEST(every_way_of_saving_a_file_is_seen)
{
    static void (*const ways[])(struct place *, const char *) = {
        save_in_place, save_by_rename,    save_like_vim, save_like_emacs,
        save_slowly,   save_by_directory, save_in_place,
    };

    for (size_t i = 0; i < LEN(ways); i++) {
        struct rig r;

        CASE(i);
        rig_init(&r, fill_two, "m");
        for (int round = 0; round < 2; round++) {
            ways[i](&r.p, round ? "third" : "other");
            rig_expect(&r, round ? "m/a.yaml=third m/b.yaml=b1" : "m/a.yaml=other m/b.yaml=b1");
        }
        rig_fini(&r);
    }
}

TEST(every_way_of_saving_a_file_given_by_name_is_seen)
{
    static void (*const ways[])(struct place *, const char *) = {
        save_in_place, save_by_rename, save_like_vim, save_like_emacs, save_by_directory,
    };

    for (size_t i = 0; i < LEN(ways); i++) {
        struct rig r;

        CASE(i);
        rig_init(&r, fill_two, "m/a.yaml");
        for (int round = 0; round < 2; round++) {
            ways[i](&r.p, round ? "third" : "other");
            rig_expect(&r, round ? "m/a.yaml=third" : "m/a.yaml=other");
        }
        rig_fini(&r);
    }
}

TEST(a_slow_writer_is_never_read_half)
{
    struct rig r;
    int fd;

    rig_init(&r, fill_two, "m");
    fd = open(place_path(&r.p, "m/a.yaml"), O_WRONLY | O_TRUNC);
    CHECK_EQ(write(fd, "ha", 2), 2);
    place_write(&r.p, "m/b.yaml", "b2");
    rig_expect(&r, "m/a.yaml=a1 m/b.yaml=b2");
    CHECK_EQ(write(fd, "lf", 2), 2);
    close(fd);
    rig_expect(&r, "m/a.yaml=half m/b.yaml=b2");
    rig_fini(&r);
}

static void fill_config_map(struct place *p)
{
    place_mkdir(p, "m");
    place_mkdir(p, "m/..2026_1");
    place_write(p, "m/..2026_1/a.yaml", "a1");
    place_link(p, "m/..data", "..2026_1");
    place_link(p, "m/a.yaml", "..data/a.yaml");
}

TEST(a_config_map_is_swapped_as_the_kubelet_does)
{
    struct rig r;

    rig_init(&r, fill_config_map, "m");
    place_mkdir(&r.p, "m/..2026_2");
    place_write(&r.p, "m/..2026_2/a.yaml", "a2");
    place_link(&r.p, "m/..data_tmp", "..2026_2");
    place_move(&r.p, "m/..data_tmp", "m/..data");
    place_remove(&r.p, "m/..2026_1");
    rig_expect(&r, "m/a.yaml=a2");
    rig_fini(&r);
}

static void fill_release(struct place *p)
{
    place_mkdir(p, "r1");
    place_mkdir(p, "r1/m");
    place_write(p, "r1/m/a.yaml", "a1");
    place_link(p, "current", "r1");
}

TEST(a_link_on_the_way_to_the_root_is_swapped)
{
    struct rig r;

    rig_init(&r, fill_release, "current/m");
    place_mkdir(&r.p, "r2");
    place_mkdir(&r.p, "r2/m");
    place_write(&r.p, "r2/m/a.yaml", "a2");
    place_link(&r.p, "next", "r2");
    place_move(&r.p, "next", "current");
    rig_expect(&r, "current/m/a.yaml=a2");
    place_write(&r.p, "r2/m/a.yaml", "a3");
    rig_expect(&r, "current/m/a.yaml=a3");
    rig_fini(&r);
}

static void fill_far_link(struct place *p)
{
    place_mkdir(p, "m");
    place_mkdir(p, "far");
    place_write(p, "far/one", "a1");
    place_link(p, "m/a.yaml", "../far/one");
}

TEST(the_target_of_a_link_is_watched_too)
{
    struct rig r;

    rig_init(&r, fill_far_link, "m");
    place_write(&r.p, "far/one", "a2");
    rig_expect(&r, "m/a.yaml=a2");
    place_replace(&r.p, "far/one", "a3");
    rig_expect(&r, "m/a.yaml=a3");
    rig_fini(&r);
}

TEST(a_renamed_file_never_stands_at_both_places)
{
    struct rig r;
    const char *names[] = { "b", "c", "d", "e", "f" };
    char from[32], to[32], want[64];

    rig_init(&r, fill_two, "m");
    for (size_t i = 1; i < LEN(names); i++) {
        int calls = r.seen.calls;

        snprintf(from, sizeof(from), "m/%s.yaml", names[i - 1]);
        snprintf(to, sizeof(to), "m/%s.yaml", names[i]);
        snprintf(want, sizeof(want), "m/a.yaml=a1 %s=b1", to);
        place_move(&r.p, from, to);
        while (r.seen.calls == calls)
            loop_turn(r.loop, 5);
        CHECK_STRZ(str_of(r.seen.text), want);
    }
    rig_fini(&r);
}

TEST(directories_may_come_and_go)
{
    struct rig r;

    rig_init(&r, fill_two, "m");
    place_mkdir(&r.p, "m/sub");
    place_mkdir(&r.p, "m/sub/deep");
    place_write(&r.p, "m/sub/deep/c.yaml", "c1");
    rig_expect(&r, "m/a.yaml=a1 m/b.yaml=b1 m/sub/deep/c.yaml=c1");
    place_write(&r.p, "m/sub/deep/c.yaml", "c2");
    rig_expect(&r, "m/a.yaml=a1 m/b.yaml=b1 m/sub/deep/c.yaml=c2");
    place_remove(&r.p, "m/sub");
    rig_expect(&r, "m/a.yaml=a1 m/b.yaml=b1");
    place_remove(&r.p, "m/b.yaml");
    rig_expect(&r, "m/a.yaml=a1");
    rig_fini(&r);
}

static void fill_nothing(struct place *p)
{
    (void)p;
}

TEST(a_root_that_is_missing_at_start_is_seen_when_it_comes)
{
    struct rig r;

    rig_init(&r, fill_nothing, "x/y/m");
    place_mkdir(&r.p, "x");
    rig_turn(&r, 40);
    place_mkdir(&r.p, "x/y");
    rig_turn(&r, 40);
    place_mkdir(&r.p, "x/y/m");
    place_write(&r.p, "x/y/m/a.yaml", "a1");
    rig_expect(&r, "x/y/m/a.yaml=a1");
    CHECK_EQ(r.seen.errors, 0);
    rig_fini(&r);
}

/* Bounds that hold on a busy machine, too: a scan a quiet time at most, and one in any case. */
TEST(a_burst_is_gathered_and_an_endless_one_does_not_wait_for_quiet)
{
    struct rig r;
    uint64_t start, took;

    rig_init(&r, fill_two, "m");
    for (int i = 0; i < 50; i++)
        place_write(&r.p, "m/a.yaml", i % 2 ? "x" : "y"); /* no turn of the loop in between */
    rig_expect(&r, "m/a.yaml=x m/b.yaml=b1");
    CHECK_EQ(r.seen.calls, 1);
    start = loop_clock_ns(r.loop);
    do {
        char text[32];

        snprintf(text, sizeof(text), "%llu", (unsigned long long)loop_clock_ns(r.loop));
        place_replace(&r.p, "m/a.yaml", text);
        loop_turn(r.loop, 2);
        took = (loop_clock_ns(r.loop) - start) / 1000000;
    } while (took < 400 || (r.seen.calls < 2 && took < 5000));
    CHECK(r.seen.calls >= 2);
    CHECK((uint64_t)r.seen.calls <= 2 + took / SOURCE_QUIET_MS);
    rig_fini(&r);
}

/* The kernel keeps fs.inotify.max_queued_events, 16,384, of them. */
TEST(events_that_the_kernel_dropped_are_no_file_missed)
{
    struct rig r;
    int a, b;

    rig_init(&r, fill_two, "m");
    a = open(place_path(&r.p, "m/a.yaml"), O_WRONLY | O_CLOEXEC);
    b = open(place_path(&r.p, "m/b.yaml"), O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 10000; i++) /* in turn, since what is said twice in a row is said once */
        CHECK(pwrite(a, "A2", 2, 0) == 2 && pwrite(b, "B2", 2, 0) == 2);
    close(a); /* nobody is told that they are written */
    close(b);
    for (int i = 0; i < 10; i++)
        loop_turn(r.loop, 0);
    CHECK_EQ(r.source->busy.n, 0);
    rig_expect(&r, "m/a.yaml=A2 m/b.yaml=B2");
    rig_fini(&r);
}

TEST(a_path_seen_from_the_working_directory_is_watched)
{
    struct str path = STR("m");
    int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct rig r;

    rig_init(&r, fill_two, "m");
    source_free(r.source);
    CHECK_EQ(chdir(r.p.dir), 0);
    r.source = source_new(&path, 1, 0);
    CHECK(source_watch(r.source, r.loop, on_changed, &r.seen));
    source_scan(r.source);
    place_replace(&r.p, "m/a.yaml", "a2");
    for (int i = 0; i < 200 && r.seen.calls == 0; i++)
        rig_turn(&r, 50);
    CHECK_EQ(r.seen.calls, 1);
    CHECK_STR(source_scan(r.source)->files[0].octets, STR("a2"));
    CHECK_EQ(fchdir(back), 0);
    close(back);
    rig_fini(&r);
}

TEST(a_log_beside_the_manifests_is_no_reason_to_look)
{
    struct rig r;

    rig_init(&r, fill_two, "m");
    place_write(&r.p, "m/access.log", "");
    rig_turn(&r, 150);
    place_write(&r.p, "m/access.log", "line");
    for (int i = 0; i < 20; i++) {
        place_write(&r.p, "m/access.log", "more lines");
        rig_turn(&r, 5);
    }
    CHECK_EQ(r.seen.calls, 0);
    place_write(&r.p, "m/a.yaml", "a2");
    rig_expect(&r, "m/a.yaml=a2 m/b.yaml=b1");
    rig_fini(&r);
}

TEST(a_rescan_is_reported_even_where_nothing_changed)
{
    struct rig r;

    rig_init(&r, fill_two, "m");
    source_rescan(r.source);
    rig_turn(&r, 20);
    CHECK_EQ(r.seen.calls, 1);
    CHECK_STRZ(str_of(r.seen.text), "m/a.yaml=a1 m/b.yaml=b1");
    rig_fini(&r);
}
