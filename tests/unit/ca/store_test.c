#include "ca/store.h"
#include "unit/check.h"
#include "unit/full_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char path[40];
    int fd;
};

static struct place place_new(void)
{
    struct place p = { "/tmp/lateen-store-XXXXXX", -1 };

    CHECK(mkdtemp(p.path) != NULL);
    p.fd = store_lock(str_of(p.path));
    CHECK(p.fd >= 0);
    return p;
}

/* Fails where anything but `name` is left. */
static void place_remove(const struct place *p, const char *name)
{
    CHECK(unlinkat(p->fd, name, 0) == 0 || unlinkat(p->fd, name, AT_REMOVEDIR) == 0);
    close(p->fd);
    CHECK_EQ(rmdir(p->path), 0);
}

static enum err read_up_to(const struct place *p, const char *name, size_t max, struct buf *b)
{
    buf_init(b, max);
    return store_read(p->fd, name, b);
}

TEST(a_file_that_cannot_be_read_whole_is_an_error)
{
    struct place p = place_new();
    char long_text[5000] = "begin";
    const struct {
        const char *name;
        size_t max;
        enum err want;
    } rows[] = {
        { "f", 65536, ERR_OK },
        { "f", 4096, ERR_LIMIT },
        { "missing", 65536, ERR_NOT_FOUND },
        { ".", 65536, err_of_errno(EISDIR) },
    };

    CHECK_EQ(store_write(p.fd, "f", 0600, str_make(long_text, sizeof(long_text))), ERR_OK);
    for (size_t i = 0; i < LEN(rows); i++) {
        struct buf b;

        CASE(i);
        CHECK_EQ(read_up_to(&p, rows[i].name, rows[i].max, &b), rows[i].want);
        CHECK(rows[i].want != ERR_OK ||
              str_eq(buf_str(&b), str_make(long_text, sizeof(long_text))));
        buf_fini(&b);
    }
    place_remove(&p, "f");
}

TEST(a_full_disk_leaves_the_old_file_and_nothing_beside_it)
{
    struct place p = place_new();
    struct rlimit before;
    enum err e;
    struct buf b;

    CHECK_EQ(store_write(p.fd, "f", 0600, STR("old")), ERR_OK);
    before = full_disk_begin();
    e = store_write(p.fd, "f", 0600, STR("new"));
    full_disk_end(before);
    CHECK_EQ(e, err_of_errno(EFBIG));
    CHECK_EQ(read_up_to(&p, "f", 65536, &b), ERR_OK);
    CHECK_STR(buf_str(&b), STR("old"));
    buf_fini(&b);
    place_remove(&p, "f");
}

TEST(what_cannot_be_replaced_is_an_error_and_leaves_nothing_behind)
{
    struct place p = place_new();

    CHECK_EQ(mkdirat(p.fd, "f", 0700), 0);
    CHECK_EQ(store_write(p.fd, "f", 0600, STR("new")), err_of_errno(EISDIR));
    CHECK_EQ(store_write(-1, "f", 0600, STR("new")), err_of_errno(EBADF));
    place_remove(&p, "f");
}

TEST(a_path_that_is_no_directory_is_not_locked)
{
    struct place p = place_new();
    static char long_path[PATH_MAX + 1];
    char file[64], below[64];

    memset(long_path, 'x', PATH_MAX);
    snprintf(file, sizeof(file), "%s/f", p.path);
    snprintf(below, sizeof(below), "%s/f/g", p.path);
    CHECK_EQ(store_write(p.fd, "f", 0600, STR("")), ERR_OK);
    {
        const struct {
            const char *path;
            int want;
        } rows[] = {
            { "", ENAMETOOLONG }, { long_path, ENAMETOOLONG }, { file, ENOTDIR }, { below, ENOTDIR }
        };

        for (size_t i = 0; i < LEN(rows); i++) {
            CASE(i);
            CHECK_EQ(store_lock(str_of(rows[i].path)), -1);
            CHECK_EQ(errno, rows[i].want);
        }
    }
    place_remove(&p, "f");
}
