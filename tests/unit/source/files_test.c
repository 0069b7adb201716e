#include "source/files.h"
#include "unit/check.h"
#include "unit/source/place.h"

#include <sys/stat.h>
#include <unistd.h>

TEST(a_directory_is_read_in_octet_order_of_the_whole_path)
{
    struct place p;
    struct source *s;

    place_init(&p);
    place_mkdir(&p, "a");
    place_mkdir(&p, ".hidden");
    place_write(&p, "a/z.yaml", "1");
    place_write(&p, "a-b.yaml", "2");
    place_write(&p, "B.json", "3");
    place_write(&p, "c.yml", "4");
    place_write(&p, "c.txt", "no");
    place_write(&p, "d.yaml~", "no");
    place_write(&p, ".d.yaml", "no");
    place_write(&p, ".hidden/e.yaml", "no");
    s = place_source(&p, "");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "B.json=3 a-b.yaml=2 a/z.yaml=1 c.yml=4");
    source_free(s);
    place_fini(&p);
}

TEST(roots_keep_their_order_and_a_file_counts_once)
{
    struct place p;
    struct str paths[3];
    char z[256], all[256];
    struct source *s;

    place_init(&p);
    place_write(&p, "a.yaml", "a");
    place_write(&p, "z.txt", "z");
    snprintf(z, sizeof(z), "%s", place_path(&p, "z.txt"));
    snprintf(all, sizeof(all), "%s//", place_path(&p, ""));
    paths[0] = str_of(z);
    paths[1] = str_of(all);
    paths[2] = str_of(place_path(&p, "a.yaml"));
    s = source_new(paths, 3, 0);
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "z.txt=z a.yaml=a");
    CHECK_EQ(source_scan(s)->changed, false);
    source_free(s);
    place_fini(&p);
}

TEST(only_what_differs_is_changed)
{
    struct place p;
    struct source *s;
    const struct source_scan *scan;

    place_init(&p);
    place_write(&p, "a.yaml", "a");
    place_write(&p, "b.yaml", "b");
    s = place_source(&p, "");
    scan = source_scan(s);
    CHECK(scan->changed && scan->files[0].changed && scan->files[1].changed);
    place_write(&p, "a.yaml", "a"); /* touched only */
    CHECK(!source_scan(s)->changed);
    place_write(&p, "b.yaml", "B"); /* the same length within the same tick */
    scan = source_scan(s);
    CHECK(scan->changed && !scan->files[0].changed && scan->files[1].changed);
    place_remove(&p, "a.yaml");
    scan = source_scan(s);
    CHECK(scan->changed);
    CHECK_STRZ(str_of(place_text(&p, scan)), "b.yaml=B");
    source_free(s);
    place_fini(&p);
}

TEST(a_root_that_is_missing_keeps_its_files)
{
    struct place p;
    struct source *s;
    const struct source_scan *scan;

    place_init(&p);
    place_mkdir(&p, "m");
    place_write(&p, "m/a.yaml", "a");
    s = place_source(&p, "m");
    source_scan(s);
    place_move(&p, "m", "elsewhere");
    scan = source_scan(s);
    CHECK(scan->changed);
    CHECK_EQ(scan->error_count, 1);
    CHECK_STRZ(scan->errors[0].text, "No such file or directory");
    CHECK_STRZ(str_of(place_text(&p, scan)), "m/a.yaml=a");
    CHECK(!source_scan(s)->changed);
    place_mkdir(&p, "m");
    scan = source_scan(s);
    CHECK(scan->changed);
    CHECK_EQ(scan->n + scan->error_count, 0);
    source_free(s);
    place_fini(&p);
}

TEST(a_file_given_by_name_that_is_missing_is_a_source_error)
{
    struct place p;
    struct source *s;

    place_init(&p);
    s = place_source(&p, "a.yaml");
    CHECK_EQ(source_scan(s)->error_count, 1);
    CHECK_EQ(source_scan(s)->n, 0);
    place_write(&p, "a.yaml", "a");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "a.yaml=a");
    place_remove(&p, "a.yaml");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "a.yaml=a");
    CHECK_EQ(source_scan(s)->error_count, 1);
    source_free(s);
    place_fini(&p);
}

TEST(a_file_that_cannot_be_read_keeps_its_octets)
{
    struct place p;
    struct source *s;
    struct str path;

    place_init(&p);
    place_write(&p, "a.yaml", "a");
    place_write(&p, "b.yaml", "b");
    path = str_of(p.dir);
    s = source_new(&path, 1, 8);
    source_scan(s);
    place_write(&p, "a.yaml", "more than eight");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "a.yaml=a! b.yaml=b");
    CHECK_STRZ(source_scan(s)->files[0].error, "larger than 8 octets");
    place_write(&p, "a.yaml", "12345678");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "a.yaml=12345678 b.yaml=b");
    place_remove(&p, "b.yaml");
    place_link(&p, "b.yaml", "nowhere");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "a.yaml=12345678 b.yaml=b!");
    place_remove(&p, "b.yaml");
    CHECK_EQ(mkfifo(place_path(&p, "b.yaml"), 0600), 0);
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "a.yaml=12345678 b.yaml=b!");
    CHECK_STRZ(source_scan(s)->files[1].error, "not a regular file");
    source_free(s);
    place_fini(&p);
}

TEST(a_file_whose_reading_breaks_off_keeps_its_octets)
{
    struct place p;
    struct source *s;

    place_init(&p);
    place_write(&p, "a.yaml", "a");
    s = place_source(&p, ".");
    source_scan(s);
    place_remove(&p, "a.yaml");
    place_link(&p, "a.yaml", "/proc/self/mem"); /* no memory is mapped at its begin */
    CHECK_EQ(source_scan(s)->n, 1);
    CHECK_STRZ(source_scan(s)->files[0].error, "Input/output error");
    CHECK_STR(source_scan(s)->files[0].octets, STR("a"));
    source_free(s);
    place_fini(&p);
}

TEST(dropped_octets_come_again_only_where_they_differ)
{
    struct place p;
    struct source *s;
    const struct source_scan *scan;

    place_init(&p);
    place_write(&p, "a.yaml", "a");
    place_write(&p, "b.yaml", "b");
    s = place_source(&p, "");
    scan = source_scan(s);
    source_drop_octets(s);
    CHECK(scan->files[0].dropped && !str_is_set(scan->files[0].octets));
    place_write(&p, "a.yaml", "a"); /* touched only */
    place_write(&p, "b.yaml", "B");
    scan = source_scan(s);
    CHECK(!scan->files[0].changed && scan->files[0].dropped);
    CHECK(scan->files[1].changed && !scan->files[1].dropped);
    CHECK_STRZ(scan->files[1].octets, "B");
    CHECK(!source_scan(s)->changed);
    CHECK_STRZ(source_scan(s)->files[1].octets, "B"); /* until they are dropped */
    source_free(s);
    place_fini(&p);
}

TEST(dropped_octets_come_again_when_a_file_can_be_read_again)
{
    struct place p;
    struct source *s;
    struct str path;

    place_init(&p);
    place_mkdir(&p, "m");
    place_write(&p, "m/a.yaml", "a");
    place_write(&p, "m/b.yaml", "b");
    path = str_of(place_path(&p, "m"));
    s = source_new(&path, 1, 8);
    source_scan(s);
    source_drop_octets(s);
    place_write(&p, "m/a.yaml", "more than eight");
    CHECK(!str_is_set(source_scan(s)->files[0].octets));
    source_drop_octets(s);
    place_write(&p, "m/a.yaml", "a");
    CHECK_STRZ(source_scan(s)->files[0].octets, "a");
    source_drop_octets(s);
    place_move(&p, "m", "elsewhere");
    CHECK_EQ(source_scan(s)->error_count, 1);
    source_drop_octets(s);
    place_move(&p, "elsewhere", "m");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "m/a.yaml=a m/b.yaml=b");
    source_free(s);
    place_fini(&p);
}

TEST(an_empty_file_is_empty_and_not_missing)
{
    struct place p;
    struct source *s;
    const struct source_scan *scan;

    place_init(&p);
    place_write(&p, "a.yaml", "");
    s = place_source(&p, "");
    scan = source_scan(s);
    CHECK_EQ(scan->n, 1);
    CHECK(str_is_set(scan->files[0].octets) && scan->files[0].octets.n == 0);
    source_free(s);
    place_fini(&p);
}

TEST(links_are_followed_and_loops_end)
{
    struct place p;
    struct source *s;

    place_init(&p);
    place_mkdir(&p, "m");
    place_mkdir(&p, "far");
    place_write(&p, "far/x.yaml", "x");
    place_write(&p, "one", "1");
    place_link(&p, "m/dir", "../far");
    place_link(&p, "m/file.yaml", "../one");
    place_link(&p, "m/loop", "../m");
    s = place_source(&p, "m");
    CHECK_STRZ(str_of(place_text(&p, source_scan(s))), "m/dir/x.yaml=x m/file.yaml=1");
    source_free(s);
    place_fini(&p);
}

TEST(a_pipe_is_read_once)
{
    int fds[2];
    char name[64];
    struct str path;
    struct source *s;
    const struct source_scan *scan;

    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], "kind: X\n", 8), 8);
    close(fds[1]);
    snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
    path = str_of(name);
    s = source_new(&path, 1, 0);
    for (int i = 0; i < 2; i++) {
        scan = source_scan(s);
        CHECK_EQ(scan->n, 1);
        CHECK_EQ(scan->changed, i == 0);
        CHECK_STRZ(scan->files[0].octets, "kind: X\n");
    }
    source_free(s);
    close(fds[0]);
}
