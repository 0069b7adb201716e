#include "net/listen.h"

#include "net/net.h"
#include "net/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* A turn takes at most so many, so that a flood of connections cannot starve the open ones;
 * of a socket that other workers share only a few, so that all get some. */
#define ACCEPTS_PER_TURN 64
#define ACCEPTS_WHEN_SHARED 4
#define ACCEPT_PAUSE_MS 100

/* ---- opening ---- */

static bool option_on(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* A bound socket that does not listen yet, or -1 with errno. */
static int bound_socket(const struct addr *at, bool dual, bool group)
{
    struct sockaddr_storage s = { 0 };
    socklen_t n = sockaddr_of_addr(at, &s);
    int fd = socket(s.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int saved;

    if (fd < 0)
        return -1;
    if (option_on(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
        (!group || option_on(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        (at->family != 6 || option_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, !dual)) &&
        /* accepted sockets inherit it: a system call less for each connection */
        option_on(fd, IPPROTO_TCP, TCP_NODELAY, 1) && bind(fd, (struct sockaddr *)&s, n) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* A group of SO_REUSEPORT sockets would join another program's group in silence: without
 * the option the kernel says who holds the port. */
static bool port_is_free(const struct addr *at, bool dual)
{
    int fd = bound_socket(at, dual, false);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* Opens one more of a group; -1 with errno. Fills a port of 0 in. */
static int listen_one(struct addr *at, bool dual, bool group)
{
    int fd = bound_socket(at, dual, group);
    int saved;

    if (fd < 0)
        return -1;
    if (listen(fd, LISTEN_BACKLOG) == 0) {
        if (at->port == 0)
            at->port = sockaddr_local(fd).port;
        return fd;
    }
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool listen_group(struct addr *at, bool dual, int *fds, size_t n)
{
    size_t open = 0;
    int saved;

    if (n > 1 && at->port != 0 && !port_is_free(at, dual))
        return false;
    while (open < n) {
        fds[open] = listen_one(at, dual, n > 1);
        if (fds[open] < 0)
            break;
        open++;
    }
    if (open == n)
        return true;
    saved = errno;
    while (open > 0)
        close(fds[--open]);
    errno = saved;
    return false;
}

enum err listen_open(struct addr *addr, int *fds, size_t n)
{
    struct addr any6 = { .family = 6, .port = addr->port };
    struct addr any4 = { .family = 4, .port = addr->port };
    struct addr exact = *addr;

    if (addr_is_set(addr)) {
        if (!listen_group(&exact, false, fds, n))
            return err_of_errno(errno);
        addr->port = exact.port;
        return ERR_OK;
    }
    if (listen_group(&any6, true, fds, n)) {
        addr->port = any6.port;
        return ERR_OK;
    }
    if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
        return err_of_errno(errno);
    if (!listen_group(&any4, false, fds, n))
        return err_of_errno(errno);
    addr->port = any4.port;
    return ERR_OK;
}

/* ---- accepting ---- */

/* What accept() reports about the connection that it could not give, or about the network
 * behind it: the next one may be well (accept(2), "Error handling"). */
static bool accept_error_passes(int number)
{
    static const int passing[] = { ECONNABORTED, EINTR,        EPROTO,      ENETDOWN,
                                   ENOPROTOOPT,  EHOSTDOWN,    ENONET,      EPERM,
                                   EOPNOTSUPP,   EHOSTUNREACH, ENETUNREACH, ETIMEDOUT };

    for (size_t i = 0; i < LEN(passing); i++) {
        if (passing[i] == number)
            return true;
    }
    return false;
}

enum accepted { ACCEPTED_ONE, ACCEPTED_NONE, ACCEPTED_FULL };

static enum accepted accept_one(struct acceptor *a, bool measure)
{
    struct sockaddr_storage s = { 0 };
    socklen_t n = sizeof(s);
    int fd = accept4(a->watch.fd, (struct sockaddr *)&s, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct addr peer;

    if (fd >= 0) {
        peer = sockaddr_to_addr(&s);
        if (measure)
            a->waited_ms = net_waited_ms(fd);
        return a->accepted(a, fd, &peer) ? ACCEPTED_ONE : ACCEPTED_FULL;
    }
    if (errno == EAGAIN)
        return ACCEPTED_NONE;
    a->accept_errors++;
    return accept_error_passes(errno) ? ACCEPTED_ONE : ACCEPTED_FULL;
}

static void acceptor_pause(struct acceptor *a)
{
    int fd = a->watch.fd;

    watch_stop(&a->watch);
    a->paused_fd = fd;
    timer_set(&a->pause, ACCEPT_PAUSE_MS);
}

static void acceptor_run(struct task *t)
{
    struct acceptor *a = CONTAINER_OF(t, struct acceptor, task);
    int budget = a->shared ? ACCEPTS_WHEN_SHARED : ACCEPTS_PER_TURN;
    enum accepted last = ACCEPTED_ONE;

    if (a->may_accept)
        budget = MIN(budget, a->may_accept(a));
    a->waited_ms = 0;
    while (a->watch.fd >= 0 && last == ACCEPTED_ONE && budget-- > 0)
        last = accept_one(a, budget == 0);
    if (last == ACCEPTED_FULL)
        acceptor_pause(a);
    /* beyond the budget the level-triggered watch wakes again */
}

static void acceptor_resume(struct timer *t)
{
    struct acceptor *a = CONTAINER_OF(t, struct acceptor, pause);
    int fd = a->paused_fd;

    if (!watch_listen(&a->watch, a->task.loop, fd, &a->task, a->shared)) {
        timer_set(&a->pause, ACCEPT_PAUSE_MS);
        return;
    }
    a->paused_fd = -1;
}

enum err acceptor_start(struct acceptor *a, struct loop *loop, int take_fd, bool shared)
{
    enum err e;

    a->shared = shared;
    a->paused_fd = -1;
    a->accept_errors = 0;
    task_init(&a->task, loop, acceptor_run);
    timer_init(&a->pause, loop, acceptor_resume);
    /* for sockets that others opened (systemd); refused by what is no TCP socket */
    (void)option_on(take_fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (watch_listen(&a->watch, loop, take_fd, &a->task, shared))
        return ERR_OK;
    e = err_of_errno(errno);
    close(take_fd);
    return e;
}

static int acceptor_fd(const struct acceptor *a)
{
    return a->paused_fd >= 0 ? a->paused_fd : a->watch.fd;
}

void acceptor_set_backlog(struct acceptor *a, int backlog)
{
    (void)listen(acceptor_fd(a), backlog); /* once more: Linux takes the new number */
}

bool acceptor_is_crowded(const struct acceptor *a)
{
    struct tcp_info i = { 0 };
    socklen_t n = sizeof(i);

    /* of a listening socket: those that wait, and how many may */
    return getsockopt(acceptor_fd(a), IPPROTO_TCP, TCP_INFO, &i, &n) == 0 && i.tcpi_sacked > 0 &&
           i.tcpi_unacked >= i.tcpi_sacked / 2;
}

void acceptor_stop(struct acceptor *a)
{
    int fd = acceptor_fd(a);

    if (fd < 0)
        return;
    watch_stop(&a->watch);
    a->watch.fd = fd;
    for (int left = LISTEN_BACKLOG; left > 0 && accept_one(a, false) == ACCEPTED_ONE; left--)
        ;
    a->watch.fd = -1;
    a->paused_fd = -1;
    timer_fini(&a->pause);
    task_cancel(&a->task);
    close(fd);
}
