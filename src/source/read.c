/*
 * source/read - the octets of one file, with a cap, read again only where they may differ.
 */
#include "base/hash.h"
#include "source/files_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A file changed within this time of being read may change again under the same stamp. */
#define STAMP_TRUST_S 2
#define PIPE_EXPECTED 65535

static void set_error(char error[128], const char *text)
{
    snprintf(error, 128, "%s", text);
}

/* From room for what is expected and the end behind it. */
static bool grow_for_read(char **octets, size_t n, size_t *cap, size_t max)
{
    if (*octets && n < *cap)
        return true;
    if (*cap > max)
        return false;
    *cap = *octets ? *cap * 2 : *cap + 1;
    if (*cap > max + 1)
        *cap = max + 1;
    *octets = must_realloc(*octets, *cap);
    return n < *cap;
}

static bool read_descriptor(int fd, size_t expected, size_t max, struct str *ret, char error[128])
{
    char *octets = NULL;
    size_t n = 0, cap = MIN(expected, max);

    for (;;) {
        ssize_t got;

        if (!grow_for_read(&octets, n, &cap, max) || n > max) {
            snprintf(error, 128, "larger than %zu octets", max);
            free(octets);
            return false;
        }
        got = read(fd, octets + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            set_error(error, strerror(errno));
            free(octets);
            return false;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *ret = str_make(octets, n);
    return true;
}

static bool stamp_is_same(const struct file_stamp *a, const struct stat *st)
{
    return a->dev == st->st_dev && a->ino == st->st_ino && a->size == st->st_size &&
           a->mtime.tv_sec == st->st_mtim.tv_sec && a->mtime.tv_nsec == st->st_mtim.tv_nsec &&
           a->ctime.tv_sec == st->st_ctim.tv_sec && a->ctime.tv_nsec == st->st_ctim.tv_nsec &&
           a->read_at_s - st->st_ctim.tv_sec > STAMP_TRUST_S;
}

static void stamp_set(struct file_stamp *a, const struct stat *st, int64_t now_s)
{
    *a = (struct file_stamp){ .dev = st->st_dev,
                              .ino = st->st_ino,
                              .size = st->st_size,
                              .mtime = st->st_mtim,
                              .ctime = st->st_ctim,
                              .read_at_s = now_s };
}

static void take_octets(struct file_record *r, struct str octets)
{
    uint64_t hash = hash_stable(octets);
    bool same = r->known && r->n == octets.n && r->hash == hash;

    if (same && r->octets)
        same = memcmp(r->octets, octets.p, octets.n) == 0;
    if (same && (r->octets || !r->lost)) {
        free((char *)(uintptr_t)octets.p);
        return;
    }
    free(r->octets);
    r->octets = (char *)(uintptr_t)octets.p;
    r->n = octets.n;
    r->hash = hash;
    r->known = true;
    r->changed |= !same;
}

/* Emptied or written to since the scan was decided on; the kernel tells of the emptying a
 * moment after it can be seen. */
static bool is_half_saved(struct source *s, struct file_record *r, const struct stat *st, size_t n)
{
    const struct timespec *m = &st->st_mtim;

    if (!r->known || !s->patient)
        return false;
    if (source_was_written(s, r->path)) {
        s->held = true;
        return true;
    }
    if (n > 0 || r->n == 0)
        return false;
    if (m->tv_sec != r->empty_mtime.tv_sec || m->tv_nsec != r->empty_mtime.tv_nsec)
        r->empty_at_ms = 0; /* saved again meanwhile */
    r->empty_mtime = *m;
    return source_may_come_back(s, &r->empty_at_ms, SOURCE_EMPTY_MS);
}

/* What is known of it holds, and nobody has to be told the octets again. */
static bool is_as_read(const struct file_record *r, const struct stat *st)
{
    return S_ISREG(st->st_mode) && r->known && (r->octets || !r->lost) &&
           stamp_is_same(&r->stamp, st);
}

bool record_is_current(const struct file_record *r, const struct stat *st)
{
    return !r->error[0] && is_as_read(r, st);
}

static bool read_open(struct source *s, struct file_record *r, int fd, char error[128])
{
    struct stat st;
    struct timespec now;
    struct str octets;

    if (fstat(fd, &st)) {
        set_error(error, strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode) && !s->roots[r->root].once) {
        set_error(error, "not a regular file");
        return false;
    }
    if (is_as_read(r, &st))
        return true;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!read_descriptor(fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : PIPE_EXPECTED,
                         s->max_octets, &octets, error))
        return false;
    if (is_half_saved(s, r, &st, octets.n)) {
        free((char *)(uintptr_t)octets.p);
        return true;
    }
    r->empty_at_ms = 0;
    take_octets(r, octets);
    stamp_set(&r->stamp, &st, now.tv_sec);
    return true;
}

bool read_record(struct source *s, struct file_record *r)
{
    char error[128] = "";
    bool is_stdin = str_eq(r->path, STR("-")) && s->roots[r->root].once;
    int flags = O_RDONLY | O_CLOEXEC | (s->roots[r->root].once ? 0 : O_NONBLOCK);
    int fd = is_stdin ? dup(0) : open(r->path.p, flags);
    bool fine;

    if (fd < 0) {
        struct stat st;

        set_error(error, strerror(errno));
        if (errno == ENOENT && lstat(r->path.p, &st))
            return false;
    } else {
        fine = read_open(s, r, fd, error);
        close(fd);
        MUST(fine || error[0]);
    }
    if (strcmp(error, r->error) != 0)
        r->changed = true;
    memcpy(r->error, error, sizeof(error));
    return true;
}
