#include "unit/source/place.h"

#include "unit/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void place_init(struct place *p)
{
    snprintf(p->dir, sizeof(p->dir), "/tmp/lateen-source-XXXXXX");
    CHECK(mkdtemp(p->dir));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    chmod(path, 0700);
    return remove(path);
}

void place_fini(struct place *p)
{
    nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *place_path(const struct place *p, const char *name)
{
    static char paths[4][256];
    static size_t turn;
    char *path = paths[turn++ % LEN(paths)];

    snprintf(path, sizeof(paths[0]), "%s%s%s", p->dir, name[0] ? "/" : "", name);
    return path;
}

void place_write(const struct place *p, const char *name, const char *text)
{
    int fd = open(place_path(p, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

void place_replace(const struct place *p, const char *name, const char *text)
{
    place_write(p, ".temp", text);
    place_move(p, ".temp", name);
}

void place_mkdir(const struct place *p, const char *name)
{
    CHECK_EQ(mkdir(place_path(p, name), 0755), 0);
}

void place_link(const struct place *p, const char *name, const char *target)
{
    CHECK_EQ(symlink(target, place_path(p, name)), 0);
}

void place_move(const struct place *p, const char *from, const char *to)
{
    CHECK_EQ(rename(place_path(p, from), place_path(p, to)), 0);
}

void place_remove(const struct place *p, const char *name)
{
    nftw(place_path(p, name), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct source *place_source(const struct place *p, const char *name)
{
    struct str path = str_of(place_path(p, name));

    return source_new(&path, 1, 0);
}

const char *place_text(const struct place *p, const struct source_scan *scan)
{
    static char text[1024];
    size_t n = 0, skip = strlen(p->dir) + 1;

    text[0] = 0;
    for (size_t i = 0; i < scan->n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s=%.*s%s", i ? " " : "",
                              STRF(str_from(scan->files[i].path, skip)),
                              STRF(scan->files[i].octets), scan->files[i].error.n ? "!" : "");
    return text;
}
