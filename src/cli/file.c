#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPECTED 65535 /* of what does not say its size, as those of /proc and pipes */

/* Asks for as much as is expected, and for more as it comes. */
static bool read_all(int fd, size_t expected, size_t max, struct arena *a, struct str *ret,
                     struct str *reterr)
{
    size_t room = expected + 1, n = 0; /* one more, to see the end */
    char *into = arena_raw(a, room);
    ssize_t got;

    while ((got = read(fd, into + n, room - n)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *reterr = arena_dup(a, str_of(strerror(errno)));
            return false;
        }
        n += (size_t)got;
        if (n > max) {
            *reterr = arena_printf(a, "larger than %zu octets", max);
            return false;
        }
        if (n == room) {
            room = MIN(room * 2, max + 1);
            into = memcpy(arena_raw(a, room), into, n);
        }
    }
    *ret = str_make(into, n);
    return true;
}

bool file_read(struct str path, size_t max, struct arena *a, struct str *ret, struct str *reterr)
{
    int fd = open(arena_dup(a, path).p, O_RDONLY | O_CLOEXEC);
    size_t expected = MIN(EXPECTED, max);
    struct stat st;
    bool fine;

    if (fd < 0) {
        *reterr = arena_dup(a, str_of(strerror(errno)));
        return false;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        expected = (size_t)MIN((uint64_t)st.st_size, max);
    fine = read_all(fd, expected, max, a, ret, reterr);
    close(fd);
    return fine;
}

bool write_all(int fd, struct str octets)
{
    while (octets.n > 0) {
        ssize_t n = write(fd, octets.p, octets.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        octets = str_from(octets, (size_t)n);
    }
    return true;
}

bool file_write_atomic(struct str path, struct str octets)
{
    char target[PATH_MAX], temporary[PATH_MAX];
    bool fine;
    int fd, why;

    if (path.n + sizeof(".2147483647.tmp") > sizeof(target)) {
        errno = ENAMETOOLONG;
        return false;
    }
    str_copy(path, target, sizeof(target));
    snprintf(temporary, sizeof(temporary), "%.*s.%d.tmp", STRF(path), (int)getpid());
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    fine = write_all(fd, octets) && fsync(fd) == 0;
    why = errno;
    close(fd);
    if (fine && rename(temporary, target) == 0)
        return true;
    errno = fine ? errno : why;
    unlink(temporary);
    return false;
}

bool dir_make(struct str path)
{
    char text[PATH_MAX];
    struct stat st;

    if (path.n == 0 || path.n >= sizeof(text)) {
        errno = ENAMETOOLONG;
        return false;
    }
    str_copy(path, text, sizeof(text));
    for (size_t i = 1; i < path.n; i++) {
        if (text[i] != '/')
            continue;
        text[i] = '\0';
        if (mkdir(text, 0755) != 0 && errno != EEXIST)
            return false;
        text[i] = '/';
    }
    if (mkdir(text, 0700) == 0)
        return true;
    if (errno != EEXIST || stat(text, &st) != 0)
        return false;
    errno = ENOTDIR;
    return S_ISDIR(st.st_mode);
}
