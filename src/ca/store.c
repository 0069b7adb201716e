#include "ca/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_AT_ONCE 4096

static bool make_path(const char *path)
{
    char part[PATH_MAX];

    for (const char *c = path + 1; *c; c++) {
        if (*c != '/')
            continue;
        str_copy(str_make(path, (size_t)(c - path)), part, sizeof(part));
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

int store_lock(struct str path)
{
    char z[PATH_MAX];
    int fd, saved;

    if (path.n == 0 || path.n >= sizeof(z)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (!make_path(str_copy(path, z, sizeof(z))))
        return -1;
    fd = open(z, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

enum err store_read(int dir_fd, const char *name, struct buf *into)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    enum err e = ERR_OK;
    ssize_t n = 1;

    if (fd < 0)
        return err_of_errno(errno);
    while (n > 0 && e == ERR_OK) {
        char *at = buf_reserve(into, READ_AT_ONCE);

        n = at ? read(fd, at, READ_AT_ONCE) : 0;
        if (!at)
            e = ERR_LIMIT;
        else if (n >= 0)
            into->n += (size_t)n;
        else if (errno == EINTR)
            n = 1;
        else
            e = err_of_errno(errno);
    }
    close(fd);
    return e;
}

static bool write_all(int fd, struct str octets)
{
    while (octets.n) {
        ssize_t n = write(fd, octets.p, octets.n);

        if (n < 0 && errno != EINTR)
            return false;
        octets = str_from(octets, n > 0 ? (size_t)n : 0);
    }
    return true;
}

enum err store_write(int dir_fd, const char *name, unsigned mode, struct str octets)
{
    char fresh[NAME_MAX];
    int fd, saved;

    snprintf(fresh, sizeof(fresh), ".%s.new", name);
    (void)unlinkat(dir_fd, fresh, 0); /* of a run that was cut off; we hold the lock */
    fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return err_of_errno(errno);
    if (write_all(fd, octets) && fsync(fd) == 0 && renameat(dir_fd, fresh, dir_fd, name) == 0) {
        close(fd);
        return fsync(dir_fd) == 0 ? ERR_OK : err_of_errno(errno);
    }
    saved = errno;
    close(fd);
    (void)unlinkat(dir_fd, fresh, 0);
    return err_of_errno(saved);
}
