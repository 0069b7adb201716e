#include "net/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define IOV_AT_ONCE 1024 /* IOV_MAX */

static void wire_woken(struct task *t)
{
    struct wire *w = CONTAINER_OF(t, struct wire, woken);
    bool room = (w->wants_write || w->connecting) && (w->watch.ready & READY_WRITE);

    /* the first event of each socket says only that it is writable: nobody waits for that */
    if (room || (w->watch.ready & (READY_READ | READY_HUP)))
        w->notify(w);
}

bool wire_start(struct wire *w, struct loop *loop, int take_fd, bool connecting,
                void (*notify)(struct wire *w))
{
    *w = (struct wire){ .connecting = connecting, .notify = notify };
    task_init(&w->woken, loop, wire_woken);
    if (watch_start(&w->watch, loop, take_fd, &w->woken)) {
        w->watch.ready = connecting ? 0 : READY_WRITE;
        return true;
    }
    close(take_fd);
    return false;
}

enum err wire_connected(struct wire *w)
{
    int error = 0;
    socklen_t n = sizeof(error);

    if (!w->connecting)
        return w->failed;
    if (!(w->watch.ready & (READY_WRITE | READY_HUP)))
        return ERR_AGAIN;
    w->connecting = false;
    if (getsockopt(w->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        error = errno;
    w->failed = w->unsendable = err_of_errno(error);
    return w->failed;
}

/* An error met while reading ends both directions. */
static ssize_t wire_fail(struct wire *w, enum err e)
{
    w->failed = w->unsendable = e;
    w->wants_write = false;
    return -(ssize_t)e;
}

/* A reset met while sending: the kernel keeps what had arrived before it, which may be an
 * answer. It reports the error only once, so it is remembered for the end of the reading; which
 * comes also where the kernel had no memory and the other side lives on. */
static ssize_t wire_fail_sending(struct wire *w, enum err e)
{
    (void)shutdown(w->watch.fd, SHUT_RD);
    w->unsendable = e;
    w->wants_write = false;
    w->watch.ready |= READY_READ | READY_HUP;
    return -(ssize_t)e;
}

static ssize_t wire_at_end(struct wire *w)
{
    w->watch.ready &= (uint8_t)~READY_READ;
    if (w->unsendable)
        return wire_fail(w, w->unsendable);
    w->eof = true;
    return -ERR_EOF;
}

ssize_t wire_read(struct wire *w, char *into, size_t n)
{
    ssize_t got;

    if (w->failed)
        return -(ssize_t)w->failed;
    if (w->eof)
        return -ERR_EOF;
    if (wire_is_drained(w))
        return -ERR_AGAIN;
    do
        got = recv(w->watch.fd, into, n, 0);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return wire_at_end(w);
    if (got > 0 && ((size_t)got == n || (w->watch.ready & READY_HUP)))
        return got; /* more may be there; behind a hang-up the end is */
    w->watch.ready &= (uint8_t)~READY_READ;
    if (got > 0)
        return got;
    return errno == EAGAIN ? -ERR_AGAIN : wire_fail(w, err_of_errno(errno));
}

static ssize_t wire_send(struct wire *w, const struct iovec *iov, size_t n)
{
    struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n };
    ssize_t sent;

    do
        sent = n == 1 ? send(w->watch.fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                      : sendmsg(w->watch.fd, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t wire_writev(struct wire *w, const struct iovec *iov, size_t n)
{
    size_t whole = 0;
    ssize_t sent;

    if (w->unsendable)
        return -(ssize_t)w->unsendable;
    if (!(w->watch.ready & READY_WRITE)) {
        w->wants_write = true;
        return -ERR_AGAIN;
    }
    n = MIN(n, IOV_AT_ONCE);
    for (size_t i = 0; i < n; i++)
        whole += iov[i].iov_len;
    sent = wire_send(w, iov, n);
    if (sent < 0 && errno != EAGAIN)
        return wire_fail_sending(w, err_of_errno(errno));
    if (sent < 0 || (size_t)sent < whole) { /* full: the kernel will report room */
        w->watch.ready &= (uint8_t)~READY_WRITE;
        w->wants_write = true;
        return sent < 0 ? -ERR_AGAIN : sent;
    }
    w->wants_write = false;
    return sent;
}

void wire_finish(struct wire *w)
{
    if (w->finished || w->unsendable || w->connecting)
        return;
    w->finished = true;
    /* fails only when the connection is gone already: the next read says so */
    (void)shutdown(w->watch.fd, SHUT_WR);
}

void wire_close(struct wire *w, bool reset)
{
    struct linger none = { .l_onoff = 1, .l_linger = 0 };
    int fd = w->watch.fd;

    if (fd < 0)
        return;
    if (reset)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    watch_stop(&w->watch);
    task_cancel(&w->woken);
    close(fd);
}

int wire_leave(struct wire *w)
{
    int fd = w->watch.fd;

    watch_stop(&w->watch);
    task_cancel(&w->woken);
    return fd;
}
