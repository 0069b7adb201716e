/*
 * tests/sim/kernel_net - sockets, clocks and randomness of the virtual kernel.
 */
#include "sim/kernel_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_socket(int family, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t n);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *n, int flags);
ssize_t __wrap_recv(int fd, void *into, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n);
int __wrap_getsockname(int fd, struct sockaddr *at, socklen_t *n);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
ssize_t __wrap_getrandom(void *into, size_t n, unsigned flags);
int __wrap_malloc_trim(size_t pad);

static int fails(int error)
{
    errno = error;
    return -1;
}

static void address(struct sockaddr *at, socklen_t *n, uint8_t last, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(0x0a000000u | last) };

    memcpy(at, &a, MIN(*n, sizeof(a)));
    *n = sizeof(a);
}

/* ---- opening ---- */

static struct vfd *socket_new(struct end *e)
{
    struct vfd *v = chance(faults.no_descriptor) ? NULL : vfd_new(VFD_SOCKET);

    if (!v)
        return NULL;
    v->end = e;
    if (e)
        e->vfd = v;
    return v;
}

int __wrap_socket(int family, int type, int protocol)
{
    struct vfd *v = socket_new(NULL);

    (void)family, (void)type, (void)protocol;
    return v ? vfd_number(v) : fails(EMFILE);
}

/* The three-way handshake, or what comes of it. */
struct dialling {
    struct event due;
    struct end *ours, *theirs;
    uint16_t backend;
    bool answered;
    int outcome;
};

static void dialling_over(struct dialling *d)
{
    d->ours->connecting = false;
    if (d->ours->closed) { /* gone before it was open */
        d->ours->closed = false;
        end_close(d->ours, true);
        return;
    }
    d->ours->error = d->outcome;
    d->ours->rst = d->outcome != 0;
    sim.progress++;
    SAY("c%u connect: %s", d->ours->id, d->outcome ? strerror(d->outcome) : "open");
    end_wake(d->ours);
}

/* First the SYN arrives, then its answer. */
static void dialling_due(struct event *ev)
{
    struct dialling *d = CONTAINER_OF(ev, struct dialling, due);

    if (d->answered) {
        dialling_over(d);
        return;
    }
    d->answered = true;
    switch (kernel_dialled_hook(d->backend, d->theirs)) {
    case DIAL_TAKEN:
        event_in(&d->due, d->ours->latency_ns);
        break;
    case DIAL_REFUSED:
        d->outcome = ECONNREFUSED;
        event_in(&d->due, d->ours->latency_ns);
        break;
    case DIAL_HOLE:
        d->outcome = ETIMEDOUT;
        event_in(&d->due, 130 * SECOND);
        break;
    }
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t n)
{
    static const int errors[] = { EADDRNOTAVAIL, ENETUNREACH, ENOBUFS };
    struct vfd *v = vfd_at(fd);
    struct dialling *d = ARENA_NEW(sim.arena, struct dialling);
    struct sockaddr_in in;

    MUST(n == sizeof(in));
    memcpy(&in, to, sizeof(in));
    if (chance(faults.connect_error))
        return fails(errors[below(LEN(errors))]);
    net_pair(&d->ours, &d->theirs);
    d->backend = (uint16_t)(ntohl(in.sin_addr.s_addr) & 0xff);
    d->ours->connecting = true;
    d->ours->vfd = v;
    d->due.fire = dialling_due;
    v->end = d->ours;
    v->port = d->backend + 1;
    vfd_dialled[d->backend]++;
    SAY("c%u worker dials backend %u", d->ours->id, d->backend);
    event_in(&d->due, d->ours->latency_ns);
    return fails(EINPROGRESS);
}

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *n, int flags)
{
    static const int errors[] = { ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, EPROTO };
    struct vfd *l = vfd_at(fd), *v;
    struct knock *k;

    (void)flags;
    if (list_is_empty(&l->backlog))
        return fails(EAGAIN);
    k = LIST_ITEM(l->backlog.next, struct knock, node);
    if (chance(faults.accept_error)) {
        int error = errors[below(LEN(errors))];

        if (error == ECONNABORTED || error == EPROTO) { /* that one is lost */
            list_remove(&k->node);
            end_close(k->end, true);
        }
        return fails(error);
    }
    v = socket_new(k->end);
    if (!v)
        return fails(EMFILE);
    list_remove(&k->node);
    sim.progress++;
    v->at_port = l->port;
    v->from = k->from;
    address(from, n, k->from, (uint16_t)(1024 + k->end->id % 60000));
    SAY("c%u accepted", k->end->id);
    return vfd_number(v);
}

/* ---- octets ---- */

static int take_error(struct end *e)
{
    int error = e->error;

    e->error = 0;
    return error;
}

ssize_t __wrap_recv(int fd, void *into, size_t n, int flags)
{
    struct end *e = vfd_at(fd)->end;
    size_t got;

    (void)flags;
    if (chance(faults.intr))
        return fails(EINTR);
    if (e->here_n && chance(faults.again)) { /* it came a moment later, then */
        kernel_edge(e->vfd);
        return fails(EAGAIN);
    }
    got = end_recv(e, into, n);
    SAY("c%u recv %zu of %zu", e->id, got, n);
    if (got) {
        vfd_serves(e->vfd, true);
        return (ssize_t)got;
    }
    if (e->error)
        return fails(take_error(e));
    return e->rst || e->fin ? 0 : fails(EAGAIN);
}

static ssize_t send_some(struct end *e, const struct iovec *iov, size_t n, bool stinting)
{
    size_t sent = 0;

    for (size_t i = 0; i < n; i++) {
        size_t most = stinting ? below(iov[i].iov_len + 1) : iov[i].iov_len;
        size_t taken = end_send(e, iov[i].iov_base, most);

        sent += taken;
        if (taken < iov[i].iov_len)
            break;
    }
    return (ssize_t)sent;
}

/* It was told of them some turns ago, so that a task had its turn. */
static bool is_known_dirty(const struct end *e)
{
    return e->surplus_at && e->told_got > e->surplus_at && e->told_turn + 4 < kernel_turns;
}

static ssize_t send_all(int fd, const struct iovec *iov, size_t n)
{
    struct end *e = vfd_at(fd)->end;
    bool stinting = chance(faults.short_send);
    ssize_t sent;

    MUST(!e->shut);
    if (chance(faults.intr))
        return fails(EINTR);
    if (e->error)
        return fails(take_error(e));
    if (e->rst)
        return fails(EPIPE);
    if (chance(faults.send_error))
        return fails(ENOBUFS);
    HOLDS(!is_known_dirty(e), "c%u is used again with octets on it that nobody asked for", e->id);
    e->surplus_at = 0; /* sent in ignorance: what comes back is out of step, and not to be told */
    sent = send_some(e, iov, n, stinting);
    SAY("c%u send %zd", e->id, sent);
    if (stinting) { /* the kernel's memory was short, and is not for long */
        e->full = true;
        event_in(&e->room, between(1, 3000) * 1000);
    }
    vfd_serves(e->vfd, true);
    return sent ? sent : fails(EAGAIN);
}

ssize_t __wrap_send(int fd, const void *p, size_t n, int flags)
{
    struct iovec one = { (void *)(uintptr_t)p, n };

    (void)flags;
    return send_all(fd, &one, 1);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    (void)flags;
    return send_all(fd, m->msg_iov, m->msg_iovlen);
}

int __wrap_shutdown(int fd, int how)
{
    struct end *e = vfd_at(fd)->end;

    if (e->rst)
        return fails(ENOTCONN);
    if (how == SHUT_WR) {
        end_finish(e);
    } else { /* SHUT_RD: what is here can be read, then comes the end */
        MUST(how == SHUT_RD);
        e->fin = true;
        kernel_edge(e->vfd);
    }
    return 0;
}

/* ---- the rest ---- */

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    struct vfd *v = vfd_at(fd);
    struct linger linger;

    if (level == SOL_SOCKET && name == SO_LINGER && n == sizeof(linger)) {
        memcpy(&linger, value, sizeof(linger));
        v->linger_reset = linger.l_onoff && linger.l_linger == 0;
    }
    return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
    struct end *e = vfd_at(fd)->end;
    int error;

    if (level == IPPROTO_TCP &&
        name == TCP_INFO) { /* as of an open socket that has just been heard */
        memset(value, 0, *n);
        ((struct tcp_info *)value)->tcpi_state = TCP_ESTABLISHED;
        return 0;
    }
    error = take_error(e);
    MUST(level == SOL_SOCKET && name == SO_ERROR && *n == sizeof(error));
    memcpy(value, &error, sizeof(error));
    return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *at, socklen_t *n)
{
    (void)vfd_at(fd);
    address(at, n, 100, 80);
    return 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    static const uint64_t wall_ns = 1800000000ull * SECOND;
    uint64_t ns;

    if (sim.arena == NULL) /* no schedule under way */
        return __real_clock_gettime(id, t);
    sim.now_ns += faults.slow_clock ? 100000 : 40;
    ns = id == CLOCK_REALTIME ? wall_ns + sim.now_ns : sim.now_ns;
    if (id == CLOCK_THREAD_CPUTIME_ID)
        ns = sim.now_ns / 10;
    t->tv_sec = (time_t)(ns / SECOND);
    t->tv_nsec = (long)(ns % SECOND);
    return 0;
}

ssize_t __wrap_getrandom(void *into, size_t n, unsigned flags)
{
    char *p = into;

    (void)flags;
    for (size_t i = 0; i < n; i++)
        p[i] = (char)below(256);
    return (ssize_t)n;
}

int __wrap_malloc_trim(size_t pad)
{
    (void)pad;
    return 0;
}
