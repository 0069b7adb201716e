#include "cli/link.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_OCTETS (1u << 20) /* as much as the kernel allows of it */

/* ---- one message ---- */

union control_octets {
    struct cmsghdr head;
    char octets[CMSG_SPACE(sizeof(int) * LINK_FDS_MAX)];
};

enum err link_send(int fd, const struct message *m, const int *fds, size_t n, bool wait)
{
    struct iovec piece = { (void *)(uintptr_t)m, sizeof(*m) };
    union control_octets control = { 0 };
    struct msghdr h = { .msg_iov = &piece, .msg_iovlen = 1 };
    ssize_t sent;

    MUST(n <= LINK_FDS_MAX);
    if (n) {
        h.msg_control = &control;
        h.msg_controllen = CMSG_SPACE(sizeof(int) * n);
        control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int) * n),
                                         .cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * n);
    }
    do
        sent = sendmsg(fd, &h, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)sizeof(*m))
        return ERR_OK;
    return errno == EAGAIN || errno == ETOOMANYREFS ? ERR_AGAIN : ERR_EOF;
}

static void fds_take(struct msghdr *h, struct message_fds *ret)
{
    ret->n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        MUST(ret->n + n <= LINK_FDS_MAX);
        memcpy(ret->v + ret->n, CMSG_DATA(c), n * sizeof(int));
        ret->n += n;
    }
}

static void fds_close(struct message_fds *fds)
{
    for (size_t i = 0; i < fds->n; i++) {
        if (fds->v[i] >= 0)
            close(fds->v[i]);
    }
    fds->n = 0;
}

void message_file_keep(int *kept_fd, struct message_fds *fds)
{
    if (*kept_fd >= 0)
        close(*kept_fd);
    *kept_fd = fds->v[0];
    fds->v[0] = -1;
}

enum err link_receive(int fd, struct message *ret, struct message_fds *ret_fds, bool wait)
{
    struct iovec piece = { ret, sizeof(*ret) };
    union control_octets control;
    struct msghdr h = { .msg_iov = &piece,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control) };
    ssize_t n;

    do
        n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? ERR_AGAIN : ERR_EOF;
    fds_take(&h, ret_fds);
    if (n == (ssize_t)sizeof(*ret) && !(h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return ERR_OK;
    fds_close(ret_fds);
    return n == 0 ? ERR_EOF : ERR_SYNTAX;
}

/* ---- read by a loop ---- */

void link_read(struct link *l)
{
    struct message m;
    struct message_fds fds;

    while (l->fd >= 0) {
        enum err e = link_receive(l->fd, &m, &fds, false);

        if (e == ERR_AGAIN)
            return;
        if (e != ERR_OK) {
            watch_stop(&l->watch);
            l->ended(l, e);
            return;
        }
        l->arrived(l, &m, &fds);
        fds_close(&fds);
    }
}

static void link_run(struct task *t)
{
    link_read(CONTAINER_OF(t, struct link, task));
}

bool link_open(struct link *l, struct loop *loop, int take_fd)
{
    l->fd = take_fd;
    task_init(&l->task, loop, link_run);
    if (watch_listen(&l->watch, loop, take_fd, &l->task, false))
        return true;
    link_close(l);
    return false;
}

bool link_open_pair(struct link *l, struct loop *loop, int *ret_theirs)
{
    int octets = BUFFER_OCTETS, ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    for (size_t i = 0; i < 2; i++)
        (void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
    if (link_open(l, loop, ends[0])) {
        *ret_theirs = ends[1];
        return true;
    }
    close(ends[1]);
    return false;
}

void link_close(struct link *l)
{
    if (l->fd < 0)
        return;
    watch_stop(&l->watch);
    task_cancel(&l->task);
    close(l->fd);
    l->fd = -1;
}
