#include "cli/file.h"

#include "unit/check.h"
#include "unit/full_disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char path_text[] = "/tmp/lateen-unit-file";

/* Of a regular file, which says its size. */
static void check_read(size_t size, size_t max)
{
    struct str path, octets, ret = STR_NONE, why = STR_NONE;
    struct arena a;
    bool fine;

    arena_init(&a, 4096);
    path = arena_printf(&a, "%s-%d", path_text, (int)getpid());
    octets = str_make(arena_raw(&a, size), size);
    for (size_t i = 0; i < size; i++)
        ((char *)(uintptr_t)octets.p)[i] = (char)(i * 31 >> 3);
    CHECK(file_write_atomic(path, octets));
    fine = file_read(path, max, &a, &ret, &why);
    unlink(path.p);
    CHECK_EQ(fine, size <= max);
    if (fine)
        CHECK_STR(ret, octets);
    else
        CHECK(str_starts(why, STR("larger than")));
    arena_fini(&a);
}

/* Of a pipe, which does not. */
static void check_read_pipe(size_t size, size_t max)
{
    struct str ret = STR_NONE, why = STR_NONE, octets;
    char name[32];
    int ends[2];
    struct arena a;
    bool fine;

    arena_init(&a, 4096);
    CHECK_EQ(pipe(ends), 0);
    octets = str_make(arena_alloc(&a, size), size);
    CHECK(write_all(ends[1], octets)); /* a pipe has room for 65,536 */
    close(ends[1]);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
    fine = file_read(str_of(name), max, &a, &ret, &why);
    close(ends[0]);
    CHECK_EQ(fine, size <= max);
    if (fine)
        CHECK_STR(ret, octets);
    arena_fini(&a);
}

TEST(files_are_read_whole_up_to_the_limit)
{
    static const size_t sizes[] = { 0, 1, 100, 65535, 65536 };

    for (size_t i = 0; i < LEN(sizes); i++) {
        CASE(i);
        check_read(sizes[i], 1u << 30);
        check_read(sizes[i], sizes[i]);
        check_read(sizes[i] + 1, sizes[i]);
        check_read_pipe(sizes[i], 1u << 30);
        check_read_pipe(sizes[i], sizes[i]);
        if (sizes[i])
            check_read_pipe(sizes[i], sizes[i] - 1);
    }
    check_read_pipe(65536, 100000); /* read in two pieces */
}

TEST(an_empty_file_costs_no_more_than_a_small_one_whatever_the_limit)
{
    struct str ret, why, path;
    struct arena a;

    arena_init(&a, 4096);
    path = arena_printf(&a, "%s-%d", path_text, (int)getpid());
    CHECK(file_write_atomic(path, STR("")));
    CHECK(file_read(path, 1u << 30, &a, &ret, &why));
    unlink(path.p);
    CHECK_EQ(ret.n, 0);
    CHECK(a.total < 200000);
    arena_fini(&a);
}

TEST(a_full_disk_leaves_the_old_file_and_nothing_beside_it)
{
    char dir[] = "/tmp/lateen-file-XXXXXX";
    struct str path, ret, why;
    struct rlimit before;
    struct arena a;
    bool fine;

    arena_init(&a, 4096);
    CHECK(mkdtemp(dir) != NULL);
    path = arena_printf(&a, "%s/f", dir);
    CHECK(file_write_atomic(path, STR("old")));
    before = full_disk_begin();
    fine = file_write_atomic(path, STR("new"));
    full_disk_end(before);
    CHECK(!fine && errno == EFBIG);
    CHECK(file_read(path, 100, &a, &ret, &why));
    CHECK_STR(ret, STR("old"));
    unlink(path.p);
    CHECK_EQ(rmdir(dir), 0); /* nothing is left in it */
    arena_fini(&a);
}

TEST(paths_that_cannot_be_are_errors)
{
    static char long_path[PATH_MAX];
    struct str too_long = str_make(memset(long_path, 'x', sizeof(long_path)), sizeof(long_path));
    struct str ret, why = STR_NONE, file, below;
    struct arena a;

    arena_init(&a, 4096);
    file = arena_printf(&a, "%s-%d", path_text, (int)getpid());
    below = arena_printf(&a, "%.*s/below/it", STRF(file));
    CHECK(file_write_atomic(file, STR("")));
    CHECK(!file_read(STR("/tmp"), 100, &a, &ret, &why));
    CHECK_STRZ(why, "Is a directory");
    CHECK(!file_write_atomic(too_long, STR("x")) && errno == ENAMETOOLONG);
    CHECK(!file_write_atomic(below, STR("x")) && errno == ENOTDIR);
    CHECK(!dir_make(too_long) && errno == ENAMETOOLONG);
    CHECK(!dir_make(STR("")) && errno == ENAMETOOLONG);
    CHECK(!dir_make(file) && errno == ENOTDIR);
    CHECK(!dir_make(below) && errno == ENOTDIR);
    unlink(file.p);
    arena_fini(&a);
}
