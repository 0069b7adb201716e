#include "telemetry/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A pipe that polls writable has room for this much: a blocking write of no more returns. */
#define PIECE PIPE_BUF
#define WAIT_MS 100

uint64_t log_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* /dev/stdout cannot be opened where it is a socket, and opening it would lose the place in
 * a file: the descriptor itself is copied. */
static int descriptor_of(struct str path)
{
    if (str_eq(path, STR("/dev/stdout")))
        return STDOUT_FILENO;
    if (str_eq(path, STR("/dev/stderr")))
        return STDERR_FILENO;
    return -1;
}

static int path_open(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
}

static bool fd_is_stream(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

enum err log_file_open(struct log_file *f, struct str path)
{
    int own = descriptor_of(path);

    *f = (struct log_file){ .fd = -1 };
    if (path.n == 0 || path.n >= PATH_MAX || memchr(path.p, '\0', path.n))
        return ERR_NOT_FOUND;
    if (own >= 0) {
        f->fd = fcntl(own, F_DUPFD_CLOEXEC, 3);
    } else {
        f->path = must_alloc(path.n + 1);
        str_copy(path, f->path, path.n + 1);
        f->fd = path_open(f->path);
    }
    if (f->fd < 0) {
        enum err e = err_of_errno(errno);

        log_file_close(f);
        return e;
    }
    f->is_stream = fd_is_stream(f->fd);
    return ERR_OK;
}

void log_file_close(struct log_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    *f = (struct log_file){ .fd = -1 };
}

enum err log_file_reopen(struct log_file *f)
{
    int fd;

    if (!f->path)
        return ERR_OK;
    fd = path_open(f->path);
    if (fd < 0)
        return err_of_errno(errno);
    close(f->fd);
    f->fd = fd;
    f->is_stream = fd_is_stream(fd);
    f->is_torn = false;
    return ERR_OK;
}

/* Waits until the descriptor takes octets. False: past the deadline. */
static bool wait_writable(const struct log_file *f, const _Atomic uint64_t *deadline_ns)
{
    struct pollfd p = { .fd = f->fd, .events = POLLOUT };

    for (;;) {
        uint64_t deadline = atomic_load_explicit(deadline_ns, memory_order_relaxed);
        bool late = deadline && log_clock_ns() >= deadline;
        int n = poll(&p, 1, late ? 0 : WAIT_MS);

        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return true; /* let the write say what is wrong */
        if (late)
            return false;
    }
}

size_t log_file_write(struct log_file *f, struct str s, const _Atomic uint64_t *deadline_ns)
{
    size_t done = 0;

    if (f->is_torn && s.n) {
        f->is_torn = false;
        if (log_file_write(f, STR("\n"), deadline_ns) == 0)
            f->is_torn = true;
    }
    while (done < s.n) {
        size_t piece = f->is_stream ? MIN(s.n - done, PIECE) : s.n - done;
        ssize_t n;

        if (f->is_stream && !wait_writable(f, deadline_ns))
            break;
        n = write(f->fd, s.p + done, piece);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            f->is_stream = true; /* somebody made it non-blocking */
        else if (errno != EINTR)
            break;
    }
    if (done && done < s.n && s.p[done - 1] != '\n')
        f->is_torn = true;
    return done;
}
