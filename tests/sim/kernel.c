#include "sim/kernel_int.h"

#include "sim/fiber.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define CALLS_PER_TURN 200000 /* beyond it a turn never ends */
#define PORTS_MAX 128         /* a port by its remainder */

struct faults faults;
enum dialled (*kernel_dialled_hook)(uint16_t backend, struct end *theirs);

static struct vfd vfds[VFDS];
static uint16_t epolls;
static uint32_t calls; /* since the last wait */
uint64_t kernel_turns;
uint32_t vfd_dialled[BACKENDS_MAX];
static uint32_t served_at[PORTS_MAX], served_from[UINT8_MAX + 1];

int __real_close(int fd);
ssize_t __real_read(int fd, void *into, size_t n);
ssize_t __real_write(int fd, const void *p, size_t n);
int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev);
int __wrap_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_close(int fd);
ssize_t __wrap_read(int fd, void *into, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);

/* ---- descriptors ---- */

void kernel_begin(void)
{
    memset(vfds, 0, sizeof(vfds));
    memset(vfd_dialled, 0, sizeof(vfd_dialled));
    memset(served_at, 0, sizeof(served_at));
    memset(served_from, 0, sizeof(served_from));
    epolls = 0;
    calls = 0;
}

/* The lowest that is free, as the kernel does it: numbers come again soon. */
struct vfd *vfd_new(enum vkind kind)
{
    struct vfd *v = vfds;

    while (v < vfds + VFDS && v->kind != VFD_FREE)
        v++;
    if (v == vfds + VFDS)
        return NULL;
    *v = (struct vfd){ .kind = kind };
    list_init(&v->node);
    list_init(&v->ready);
    list_init(&v->backlog);
    return v;
}

int vfd_number(const struct vfd *v)
{
    return VFD_BASE + (int)(v - vfds);
}

struct vfd *vfd_at(int fd)
{
    struct vfd *v = vfds + (fd - VFD_BASE);

    if (fd < VFD_BASE || fd >= VFD_BASE + VFDS)
        return NULL;
    HOLDS(v->kind != VFD_FREE, "descriptor %d is used after it was closed", fd);
    HOLDS(++calls < CALLS_PER_TURN, "a turn makes system calls for ever");
    return v;
}

size_t kernel_open_count(void)
{
    size_t n = 0;

    for (size_t i = 0; i < VFDS; i++)
        n += vfds[i].kind != VFD_FREE;
    return n;
}

size_t kernel_connections(void)
{
    size_t n = 0;

    for (size_t i = 0; i < VFDS; i++)
        n += vfds[i].kind == VFD_SOCKET;
    return n;
}

size_t kernel_dialled(uint16_t backend)
{
    return vfd_dialled[backend];
}

size_t kernel_served_at(uint16_t port)
{
    return served_at[port % PORTS_MAX];
}

size_t kernel_served_from(uint8_t address)
{
    return served_from[address];
}

void vfd_serves(struct vfd *v, bool now)
{
    uint32_t more = now ? 1 : (uint32_t)-1;

    if (v->at_port == 0 || v->is_served == now)
        return;
    v->is_served = now;
    served_at[v->at_port % PORTS_MAX] += more;
    served_from[v->from] += more;
}

static void knocks_drop(struct vfd *v)
{
    LIST_EACH (it, &v->backlog, after)
        end_close(LIST_ITEM(it, struct knock, node)->end, true);
}

int __wrap_close(int fd)
{
    struct vfd *v = vfd_at(fd);

    if (!v)
        return __real_close(fd);
    if (v->kind == VFD_LISTENER)
        knocks_drop(v);
    if (v->end) {
        v->end->vfd = NULL;
        event_off(&v->end->room);
        end_close(v->end, v->linger_reset);
    }
    if (v->kind == VFD_SOCKET && v->port)
        vfd_dialled[v->port - 1]--;
    vfd_serves(v, false);
    list_remove(&v->node);
    v->kind = VFD_FREE;
    sim.progress++;
    return 0;
}

/* ---- listeners ---- */

int kernel_listen(uint16_t port)
{
    struct vfd *v = vfd_new(VFD_LISTENER);

    MUST(v != NULL);
    v->port = port;
    return vfd_number(v);
}

bool kernel_knock(uint16_t port, uint8_t from, struct end *worker_end)
{
    struct knock *k = ARENA_NEW(sim.arena, struct knock);
    size_t start = below(VFDS);

    for (size_t i = 0; i < VFDS; i++) {
        struct vfd *v = &vfds[(start + i) % VFDS];

        if (v->kind != VFD_LISTENER || v->port != port)
            continue;
        k->end = worker_end;
        k->from = from;
        list_push_back(&v->backlog, &k->node);
        kernel_edge(v);
        return true;
    }
    return false;
}

/* ---- epoll ---- */

static uint32_t socket_mask(const struct end *e)
{
    uint32_t mask = 0;

    if (e->connecting)
        return 0;
    if (e->here_n || e->fin || e->rst)
        mask |= EPOLLIN;
    if (e->fin || e->rst)
        mask |= EPOLLRDHUP;
    if (e->rst || (e->fin && e->shut))
        mask |= EPOLLHUP;
    if (e->error)
        mask |= EPOLLERR;
    if (e->rst || e->shut || end_has_space(e))
        mask |= EPOLLOUT;
    return mask;
}

static uint32_t mask_of(const struct vfd *v)
{
    switch (v->kind) {
    case VFD_EVENT:
        return (v->count ? EPOLLIN : 0u) | EPOLLOUT;
    case VFD_LISTENER:
        return list_is_empty(&v->backlog) ? 0 : EPOLLIN;
    case VFD_SOCKET:
        return v->end ? socket_mask(v->end) : 0;
    default:
        return 0;
    }
}

static uint32_t asked_mask(const struct vfd *v)
{
    return mask_of(v) & (v->events | EPOLLERR | EPOLLHUP);
}

void kernel_edge(struct vfd *v)
{
    if (v->epoll && list_is_empty(&v->node) && asked_mask(v))
        list_push_back(&v->epoll->ready, &v->node);
}

int __wrap_epoll_create1(int flags)
{
    struct vfd *v = vfd_new(VFD_EPOLL);

    (void)flags;
    MUST(v != NULL);
    v->owner = epolls++;
    return vfd_number(v);
}

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
    struct vfd *ep = vfd_at(epfd), *v = vfd_at(fd);

    if (op == EPOLL_CTL_DEL) {
        list_remove(&v->node);
        v->epoll = NULL;
        return 0;
    }
    MUST(op == EPOLL_CTL_ADD && v->epoll == NULL);
    if (v->kind == VFD_SOCKET && chance(faults.no_descriptor)) {
        errno = ENOSPC;
        return -1;
    }
    v->epoll = ep;
    v->owner = ep->owner;
    v->events = ev->events;
    v->word = ev->data.ptr;
    kernel_edge(v);
    return 0;
}

static bool has_events(struct fiber *f, void *arg)
{
    struct vfd *ep = arg;

    (void)f;
    return !list_is_empty(&ep->ready);
}

/* Moves what is ready to `events`; levels stay. */
static int epoll_collect(struct vfd *ep, struct epoll_event *events, int max)
{
    struct list levels;
    int n = 0;

    list_init(&levels);
    while (n < max && !list_is_empty(&ep->ready)) {
        struct vfd *v = LIST_ITEM(ep->ready.next, struct vfd, node);
        uint32_t mask = asked_mask(v);

        list_remove(&v->node);
        if (!mask)
            continue;
        if (v->end) {
            v->end->told_got = v->end->got;
            v->end->told_turn = kernel_turns;
        }
        events[n++] = (struct epoll_event){ .events = mask, .data.ptr = v->word };
        if (!(v->events & EPOLLET))
            list_push_back(&levels, &v->node);
    }
    while (!list_is_empty(&levels)) {
        struct list *it = levels.next;

        list_remove(it);
        list_push_back(&ep->ready, it);
    }
    return n;
}

int __wrap_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
    struct vfd *ep = vfd_at(epfd);
    uint64_t until = timeout < 0 ? NEVER : sim.now_ns + (uint64_t)timeout * MS;
    int n;

    calls = 0;
    kernel_turns++;
    sim.now_ns += between(500, 20000); /* what a turn takes */
    fiber_wait(until, has_events, ep);
    if (chance(faults.intr)) {
        errno = EINTR;
        return -1;
    }
    n = epoll_collect(ep, events, (int)between(1, (uint64_t)max));
    SAY("worker %u wakes for %d", ep->owner, n);
    return n;
}

/* ---- mail ---- */

int __wrap_eventfd(unsigned count, int flags)
{
    struct vfd *v = vfd_new(VFD_EVENT);

    (void)flags;
    MUST(v != NULL);
    v->count = count;
    return vfd_number(v);
}

ssize_t __wrap_read(int fd, void *into, size_t n)
{
    struct vfd *v = vfd_at(fd);

    if (!v)
        return __real_read(fd, into, n);
    MUST(v->kind == VFD_EVENT && n == sizeof(v->count));
    if (!v->count) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(into, &v->count, n);
    v->count = 0;
    sim.progress++;
    return (ssize_t)n;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    struct vfd *v = vfd_at(fd);
    uint64_t more;

    if (!v)
        return __real_write(fd, p, n);
    MUST(v->kind == VFD_EVENT && n == sizeof(more));
    memcpy(&more, p, n);
    v->count += more;
    kernel_edge(v);
    return (ssize_t)n;
}
