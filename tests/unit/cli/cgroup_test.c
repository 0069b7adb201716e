/*
 * A control group's memory, read from a folder that looks like the kernel's.
 */
#include "cli/cgroup.h"

#include "unit/check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS 3

static const char *const v2_folders[GROUPS] = { "/a/b", "/a", "" };
static const char *const v1_folders[GROUPS] = { "/memory/a/b", "/memory/a", "/memory" };

static void write_file(const char *dir, const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s%s/%s", dir, folder, name);
    f = fopen(path, "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
}

static void make_folders(const char *dir, const char *const *folders)
{
    char path[256];

    for (size_t i = GROUPS; i-- > 0;) {
        snprintf(path, sizeof(path), "%s%s", dir, folders[i]);
        mkdir(path, 0700);
    }
}

static void remove_all(const char *dir)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    CHECK(system(command) == 0);
}

TEST(the_least_limit_on_the_way_up_counts)
{
    static const struct {
        const char *limits[GROUPS]; /* of /a/b, /a, and the mount; NULL: no such file */
        const char *self;
        uint64_t want, used; /* used: as the group of the limit says */
    } cases[] = {
        { { "1000\n", "2000\n", NULL }, "0::/a/b\n", 1000, 100 },
        { { "3000\n", "2000\n", NULL }, "0::/a/b\n", 2000, 200 },
        { { "max\n", "max\n", "9000\n" }, "0::/a/b\n", 9000, 300 },
        { { "max\n", "max\n", NULL }, "0::/a/b\n", 0, 0 },
        { { "1000\n", "2000\n", "9000\n" }, "0::/\n", 9000, 300 }, /* a container's own view */
        { { "1000\n", "2000\n", NULL }, "", 0, 0 },
        { { "1000\n", "2000\n", NULL }, "5:memory:/a/b\n", 0, 0 },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        char dir[] = "/tmp/lateen-cgroup-XXXXXX", text[64];
        struct cgroup_memory m;

        CASE(i);
        CHECK(mkdtemp(dir) != NULL);
        make_folders(dir, v2_folders);
        for (size_t g = 0; g < GROUPS; g++) {
            if (cases[i].limits[g])
                write_file(dir, v2_folders[g], "memory.max", cases[i].limits[g]);
            snprintf(text, sizeof(text), "%zu\n", 1150 + 100 * g);
            write_file(dir, v2_folders[g], "memory.current", text);
            write_file(dir, v2_folders[g], "memory.stat", "anon 7\nfile 1200\nshmem 150\nsock 3\n");
        }
        CHECK_EQ(cgroup_memory_open(&m, dir, str_of(cases[i].self)), cases[i].want);
        CHECK_EQ(cgroup_memory_used(&m), cases[i].used); /* 1150 - (1200 - 150), ... */
        cgroup_memory_close(&m);
        remove_all(dir);
    }
}

TEST(the_first_version_s_controller_counts_as_well)
{
    char dir[] = "/tmp/lateen-cgroup-XXXXXX";
    struct cgroup_memory m;

    CHECK(mkdtemp(dir) != NULL);
    make_folders(dir, v1_folders);
    for (size_t g = 0; g < GROUPS; g++) {
        write_file(dir, v1_folders[g], "memory.limit_in_bytes",
                   g == 1 ? "5000\n" : "9223372036854771712\n");
        write_file(dir, v1_folders[g], "memory.usage_in_bytes", "4000\n");
        write_file(dir, v1_folders[g], "memory.stat",
                   "cache 9\ntotal_cache 1500\ntotal_shmem 500\n");
    }
    CHECK_EQ(cgroup_memory_open(&m, dir, STR("7:cpu:/x\n5:memory:/a/b\n0::/a/b\n")), 5000);
    CHECK(m.is_v1);
    CHECK_EQ(cgroup_memory_used(&m), 3000);
    cgroup_memory_close(&m);
    CHECK_EQ(cgroup_memory_open(&m, dir, STR("7:cpu:/x\n")), 0);
    remove_all(dir);
}

TEST(a_limit_whose_use_cannot_be_read_is_none)
{
    char dir[] = "/tmp/lateen-cgroup-XXXXXX";
    struct cgroup_memory m;

    CHECK(mkdtemp(dir) != NULL);
    write_file(dir, "", "memory.max", "1000\n");
    CHECK_EQ(cgroup_memory_open(&m, dir, STR("0::/\n")), 0);
    CHECK_EQ(m.usage, -1);
    CHECK_EQ(cgroup_memory_used(&m), 0);
    remove_all(dir);
}
