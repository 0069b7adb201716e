/*
 * net/socket - the plain transport: octets over a TCP socket, accepted or dialled.
 */
#include "net/net_int.h"
#include "net/sockaddr.h"
#include "net/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

struct socket {
    struct transport t;
    struct wire wire;
    struct net *net;
};

size_t socket_size(void)
{
    return sizeof(struct socket);
}

static struct socket *socket_of(struct transport *t)
{
    return CONTAINER_OF(t, struct socket, t);
}

static void socket_notify(struct wire *w)
{
    struct socket *s = CONTAINER_OF(w, struct socket, wire);

    s->t.read_drained = wire_is_drained(w);
    if (s->t.task)
        task_wake(s->t.task);
}

#define DELAYED "delayed connect error: "

struct str socket_failure(enum err e)
{
    static const struct str others[] = {
#define XX(name, text) STR_INIT(DELAYED text),
        ERR_MAP(XX)
#undef XX
    };
    static const struct {
        enum err e;
        struct str text;
    } words[] = {
        { ERR_REFUSED, STR_INIT(DELAYED "Connection refused") },
        { ERR_TIMEOUT, STR_INIT(DELAYED "Connection timed out") },
        { ERR_UNREACHABLE, STR_INIT(DELAYED "No route to host") },
        { ERR_ADDRESS, STR_INIT(DELAYED "Cannot assign requested address") },
        { ERR_RESET, STR_INIT(DELAYED "Connection reset by peer") },
    };

    for (size_t i = 0; i < LEN(words); i++) {
        if (words[i].e == e)
            return words[i].text;
    }
    return others[e];
}

static void socket_fail(struct socket *s, enum err e)
{
    s->t.state = TRANSPORT_FAILED;
    s->t.info.failure = e;
    s->t.info.failure_text = socket_failure(e);
}

static enum transport_state socket_advance(struct transport *t)
{
    struct socket *s = socket_of(t);
    enum err e;

    if (t->state != TRANSPORT_OPENING)
        return t->state;
    e = wire_connected(&s->wire);
    if (e == ERR_AGAIN)
        return t->state;
    if (e != ERR_OK) {
        socket_fail(s, e);
        return t->state;
    }
    t->info.local = sockaddr_local(s->wire.watch.fd);
    t->state = TRANSPORT_OPEN;
    return t->state;
}

static ssize_t socket_read(struct transport *t, char *into, size_t n)
{
    struct socket *s = socket_of(t);
    ssize_t got = wire_read(&s->wire, into, n);

    t->read_drained = wire_is_drained(&s->wire);
    return got;
}

static ssize_t socket_writev(struct transport *t, const struct iovec *iov, size_t n)
{
    struct socket *s = socket_of(t);
    ssize_t sent = wire_writev(&s->wire, iov, n);

    t->read_drained = wire_is_drained(&s->wire);
    return sent;
}

static enum err socket_flush(struct transport *t)
{
    (void)t;
    return ERR_OK; /* nothing is kept here */
}

static void socket_finish(struct transport *t)
{
    wire_finish(&socket_of(t)->wire);
}

static void socket_close(struct transport *t, bool reset)
{
    struct socket *s = socket_of(t);
    struct net *n = s->net;

    wire_close(&s->wire, reset);
    slab_put(&n->sockets, s);
    net_leave(n);
}

static uint32_t socket_waited_ms(const struct transport *t)
{
    return net_waited_ms(CONTAINER_OF(t, const struct socket, t)->wire.watch.fd);
}

static void socket_park(struct transport *t, struct parked *ret)
{
    struct socket *s = socket_of(t);

    ret->net = s->net;
    ret->remote = t->info.remote;
    ret->fd = wire_leave(&s->wire);
    slab_put(&s->net->sockets, s);
}

static const struct transport_ops socket_ops = {
    .name = "socket",
    .advance = socket_advance,
    .read = socket_read,
    .writev = socket_writev,
    .flush = socket_flush,
    .finish = socket_finish,
    .close = socket_close,
    .waited_ms = socket_waited_ms,
    .park = socket_park,
};

/* Takes the descriptor over, for a connection that is counted. NULL: the kernel refused. */
static struct socket *socket_start(struct net *n, int take_fd, bool connecting, struct task *task)
{
    struct socket *s = slab_get(&n->sockets);

    MUST(s != NULL); /* as many as may be open */
    s->net = n;
    s->t.ops = &socket_ops;
    s->t.task = task;
    s->t.state = connecting ? TRANSPORT_OPENING : TRANSPORT_OPEN;
    s->t.info.chain = SLOT_NONE;
    s->t.read_drained = true; /* the loop reports at once what waits already */
    if (wire_start(&s->wire, n->loop, take_fd, connecting, socket_notify))
        return s;
    slab_put(&n->sockets, s);
    net_leave(n);
    return NULL;
}

/* NULL at a limit, too. */
static struct socket *socket_new(struct net *n, int take_fd, bool connecting, struct task *task)
{
    if (net_enter(n))
        return socket_start(n, take_fd, connecting, task);
    close(take_fd);
    return NULL;
}

struct transport *net_unpark(struct parked *take, struct task *task)
{
    struct socket *s = socket_start(take->net, take->fd, false, task);

    take->net = NULL;
    if (!s)
        return NULL;
    s->t.info.remote = take->remote;
    s->t.info.local = sockaddr_local(take->fd);
    s->wire.watch.ready |= READY_READ;
    s->t.read_drained = false;
    return &s->t;
}

struct addr net_parked_local(const struct parked *p)
{
    return sockaddr_local(p->fd);
}

void net_parked_close(struct parked *take)
{
    close(take->fd);
    net_leave(take->net);
    take->net = NULL;
}

struct transport *net_accept(struct net *n, int take_fd, const struct addr *peer, struct task *task)
{
    struct socket *s = socket_new(n, take_fd, false, task);

    if (!s)
        return NULL;
    s->t.info.remote = *peer;
    s->t.info.local = sockaddr_local(take_fd);
    return &s->t;
}

static int dial_start(const struct addr *to)
{
    struct sockaddr_storage there = { 0 };
    socklen_t n = sockaddr_of_addr(to, &there);
    int fd = socket(there.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, saved;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *)&there, n) == 0 || errno == EINPROGRESS)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int socket_dial(const struct net *n, const struct addr *to, enum err *reterr)
{
    int fd = -1;

    *reterr = ERR_LIMIT;
    if (n->open < n->max && (fd = dial_start(to)) < 0)
        *reterr = err_of_errno(errno);
    return fd;
}

struct transport *net_dial(struct net *n, const struct addr *to, struct task *task,
                           enum err *reterr)
{
    struct socket *s;
    int fd;

    if (n->dial)
        return n->dial(n->dial_arg, to, task, reterr);
    fd = socket_dial(n, to, reterr);
    if (fd < 0)
        return NULL;
    s = socket_new(n, fd, true, task);
    if (!s) {
        *reterr = ERR_LIMIT;
        return NULL;
    }
    s->t.info.remote = *to;
    return &s->t;
}
