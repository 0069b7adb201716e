#include "cli/file.h"

#include "unit/check.h"

#include <stdio.h>
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
