/*
 * tests/shim/faults - system calls that misbehave as the kernel may, put before libc by LD_PRELOAD.
 *
 * LATEEN_FAULTS names a file of one struct page, shared by all processes and by the test, which
 * says in it what is to fail and reads what did. Without the file every call is the kernel's.
 * A shortened call really moves its octet. Whoever waits for an edge of epoll is given a new one
 * behind a shortened or refused call, as the kernel would give it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* tests/e2e/shim.py has the same lists and the same layout. */
enum call { READ, WRITE, ACCEPT, SOCKET, CONNECT, WAIT, CALLS };
enum scope { SCOPE_TCP, SCOPE_OCTETS /* and pipes and files */, SCOPE_ALL };

struct page {
    _Atomic uint64_t calls; /* 1 << enum call: those that may fail; 0: none */
    _Atomic uint64_t error; /* errno; 0: moves one octet */
    _Atomic uint64_t every; /* one of so many fails, drawn by `seed`; 0: only `nth` */
    _Atomic uint64_t nth;   /* the nth of those calls fails, counted from 1; 0: only `every` */
    _Atomic uint64_t scope;
    _Atomic uint64_t seed;
    _Atomic uint64_t drawn;         /* calls that could have failed */
    _Atomic uint64_t failed[CALLS]; /* calls that did */
};

#define FDS 65536

/* How a descriptor is watched, to ask for a new edge. */
static struct {
    int epoll_fd; /* 0: not watched */
    struct epoll_event event;
} watched[FDS];

static struct page *page;

#define REAL(name)                                                                                 \
    ({                                                                                             \
        static __typeof__(name) *real;                                                             \
        if (!real)                                                                                 \
            real = (__typeof__(real))dlsym(RTLD_NEXT, #name);                                      \
        real;                                                                                      \
    })

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("LATEEN_FAULTS");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    void *at;

    if (fd < 0)
        return;
    at = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        page = at;
}

/* ---- what fails ---- */

static int option(int fd, int name)
{
    int value = -1;
    socklen_t n = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &n) == 0 ? value : -1;
}

static bool is_tcp(int fd)
{
    int domain = option(fd, SO_DOMAIN);

    return (domain == AF_INET || domain == AF_INET6) && option(fd, SO_TYPE) == SOCK_STREAM;
}

static bool is_in_scope(int fd, uint64_t scope)
{
    struct stat st;

    if (scope == SCOPE_ALL || fd < 0)
        return true;
    if (fstat(fd, &st) != 0)
        return false;
    if (S_ISSOCK(st.st_mode))
        return is_tcp(fd);
    return scope == SCOPE_OCTETS && (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode));
}

/* splitmix64 */
static uint64_t mixed(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static bool fails(enum call call, int fd)
{
    int saved = errno;
    uint64_t n, every;
    bool chosen;

    if (!page || !(page->calls & (1u << call)) || !is_in_scope(fd, page->scope)) {
        errno = saved;
        return false;
    }
    n = atomic_fetch_add(&page->drawn, 1) + 1;
    every = page->every;
    chosen = n == page->nth || (every && mixed(page->seed ^ mixed(n)) % every == 0);
    if (chosen)
        atomic_fetch_add(&page->failed[call], 1);
    errno = saved;
    return chosen;
}

/* The kernel reports what is ready once more. */
static void edge_again(int fd)
{
    int saved = errno;

    if (fd >= 0 && fd < FDS && watched[fd].epoll_fd && (watched[fd].event.events & EPOLLET))
        REAL(epoll_ctl)(watched[fd].epoll_fd, EPOLL_CTL_MOD, fd, &watched[fd].event);
    errno = saved;
}

/* -1 with the page's error. */
static int refused(int fd)
{
    edge_again(fd);
    errno = (int)page->error;
    return -1;
}

/* A descriptor that is to fail: refused, or its call is to move one octet alone. EAGAIN is for
 * those who wait for an event. */
static bool is_refused(int fd)
{
    return page->error && !(page->error == EAGAIN && (fd >= FDS || !watched[fd].epoll_fd));
}

static ssize_t moved_one(int fd, ssize_t n)
{
    edge_again(fd);
    return n;
}

/* The first octet that a message has; none: the message as it is. */
static struct msghdr one_octet(const struct msghdr *m, struct iovec *piece)
{
    struct msghdr one = *m;

    for (size_t i = 0; i < m->msg_iovlen; i++) {
        if (m->msg_iov[i].iov_len) {
            *piece = (struct iovec){ m->msg_iov[i].iov_base, 1 };
            one.msg_iov = piece;
            one.msg_iovlen = 1;
            break;
        }
    }
    return one;
}

/* ---- octets ---- */

/* A call over `n` octets whose arguments differ in nothing else. */
#define OCTETS(call, fd, n, expression)                                                            \
    do {                                                                                           \
        if (!(n) || !fails(call, fd))                                                              \
            return expression;                                                                     \
        if (is_refused(fd))                                                                        \
            return refused(fd);                                                                    \
        (n) = page->error ? (n) : 1;                                                               \
        return moved_one(fd, expression);                                                          \
    } while (0)

ssize_t read(int fd, void *into, size_t n)
{
    OCTETS(READ, fd, n, REAL(read)(fd, into, n));
}

ssize_t pread(int fd, void *into, size_t n, off_t at)
{
    /* of /proc, which the kernel gives whole */
    if (!fails(READ, fd) || !is_refused(fd))
        return REAL(pread)(fd, into, n, at);
    return refused(fd);
}

ssize_t recv(int fd, void *into, size_t n, int flags)
{
    OCTETS(READ, fd, n, REAL(recv)(fd, into, n, flags));
}

ssize_t write(int fd, const void *from, size_t n)
{
    OCTETS(WRITE, fd, n, REAL(write)(fd, from, n));
}

ssize_t send(int fd, const void *from, size_t n, int flags)
{
    OCTETS(WRITE, fd, n, REAL(send)(fd, from, n, flags));
}

ssize_t sendto(int fd, const void *from, size_t n, int flags, const struct sockaddr *to,
               socklen_t to_n)
{
    OCTETS(WRITE, fd, n, REAL(sendto)(fd, from, n, flags, to, to_n));
}

#define MESSAGE(call, fd, m, name, flags)                                                          \
    do {                                                                                           \
        struct iovec piece;                                                                        \
        struct msghdr one;                                                                         \
        if (!fails(call, fd))                                                                      \
            return REAL(name)(fd, m, flags);                                                       \
        if (is_refused(fd))                                                                        \
            return refused(fd);                                                                    \
        one = page->error ? *(m) : one_octet(m, &piece);                                           \
        return moved_one(fd, REAL(name)(fd, &one, flags));                                         \
    } while (0)

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    /* what the kernel says of a message stands in its head: only errors, no pieces */
    if (!fails(READ, fd) || !is_refused(fd))
        return REAL(recvmsg)(fd, m, flags);
    return refused(fd);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    MESSAGE(WRITE, fd, m, sendmsg, flags);
}

/* ---- descriptors ---- */

int accept4(int fd, struct sockaddr *from, socklen_t *n, int flags)
{
    return fails(ACCEPT, fd) ? refused(fd) : REAL(accept4)(fd, from, n, flags);
}

int socket(int domain, int type, int protocol)
{
    bool tcp = (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM;

    return tcp && fails(SOCKET, -1) ? refused(-1) : REAL(socket)(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    return fails(CONNECT, fd) ? refused(fd) : REAL(connect)(fd, to, n);
}

int close(int fd)
{
    if (fd >= 0 && fd < FDS)
        watched[fd].epoll_fd = 0;
    return REAL(close)(fd);
}

/* ---- waiting ---- */

int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    int result = REAL(epoll_ctl)(epoll_fd, what, fd, event);

    if (result != 0 || fd < 0 || fd >= FDS)
        return result;
    watched[fd].epoll_fd = what == EPOLL_CTL_DEL ? 0 : epoll_fd;
    if (event && what != EPOLL_CTL_DEL)
        watched[fd].event = *event;
    return 0;
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout_ms)
{
    return fails(WAIT, -1) ? refused(-1) : REAL(epoll_wait)(fd, events, n, timeout_ms);
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    return fails(WAIT, -1) ? refused(-1) : REAL(poll)(fds, n, timeout_ms);
}
