#include "cli/keeper_int.h"

#include "net/listen.h"
#include "net/sockaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FDS_START 3
#define LISTEN_FDS_MAX 256

struct kept {
    struct kept *next;
    struct addr addr;
    uint16_t stands_for; /* a port of the manifests */
    uint64_t round;      /* held in it last */
    bool is_adopted;     /* from systemd: one socket that all workers share */
    uint32_t n;
    int fds[];
};

struct keeper *keeper_new(uint32_t group)
{
    struct keeper *k = must_alloc(sizeof(*k));

    MUST(group > 0);
    pthread_mutex_init(&k->lock, NULL);
    k->group = group;
    k->asks = -1;
    return k;
}

static struct kept *kept_new(struct keeper *k, uint32_t n)
{
    struct kept *one = must_alloc(sizeof(*one) + n * sizeof(int));

    one->n = n;
    one->next = k->first;
    k->first = one;
    return one;
}

/* Frees *at, which becomes the next one. */
static void kept_free(struct kept **at)
{
    struct kept *one = *at;

    for (uint32_t i = 0; i < one->n; i++)
        close(one->fds[i]);
    *at = one->next;
    free(one);
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    while (k->first)
        kept_free(&k->first);
    if (k->asks >= 0)
        close(k->asks);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

/* ---- sockets from systemd ---- */

static uint64_t env_number(const char *name)
{
    uint64_t n;

    return str_u64(str_of(getenv(name)), &n) ? n : 0;
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t n = sizeof(on);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

uint32_t keeper_adopt(struct keeper *k)
{
    uint64_t n = env_number("LISTEN_FDS");
    uint32_t adopted = 0;

    if (env_number("LISTEN_PID") != (uint64_t)getpid())
        return 0;
    for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + (int)MIN(n, LISTEN_FDS_MAX); fd++) {
        struct kept *one;

        if (!is_listening(fd))
            continue;
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        one = kept_new(k, 1);
        one->addr = sockaddr_local(fd);
        one->is_adopted = true;
        one->fds[0] = fd;
        adopted++;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return adopted;
}

/* ---- asking ---- */

static bool is_any(const struct addr *a)
{
    static const uint8_t zero[16];

    return a->family == 0 || memcmp(a->ip, zero, a->family == 4 ? 4 : 16) == 0;
}

/* An adopted socket on every address stands for a listener without an address. */
static bool serves(const struct kept *one, const struct addr *asked)
{
    if (one->addr.port != asked->port)
        return false;
    if (one->is_adopted && is_any(&one->addr) && is_any(asked))
        return true;
    return addr_eq(&one->addr, asked);
}

static struct kept *kept_find(const struct keeper *k, const struct addr *addr)
{
    for (struct kept *one = k->first; one; one = one->next) {
        if (serves(one, addr))
            return one;
    }
    return NULL;
}

static enum err hold_locked(struct keeper *k, struct addr *addr, uint16_t stands_for,
                            uint64_t round)
{
    struct kept *one = addr->port ? kept_find(k, addr) : NULL;
    struct addr bound = *addr;
    enum err e;

    if (one) {
        one->stands_for = stands_for;
        one->round = round;
        return ERR_OK;
    }
    one = kept_new(k, k->group);
    e = listen_open(&bound, one->fds, k->group);
    if (e != ERR_OK) {
        one->n = 0;
        kept_free(&k->first);
        return e;
    }
    addr->port = bound.port;
    one->addr = *addr;
    one->stands_for = stands_for;
    one->round = round;
    return ERR_OK;
}

enum err keeper_hold(struct keeper *k, struct addr *addr, uint16_t stands_for, uint64_t round)
{
    enum err e;

    pthread_mutex_lock(&k->lock);
    e = k->asks >= 0 ? far_hold(k, addr, stands_for, round)
                     : hold_locked(k, addr, stands_for, round);
    pthread_mutex_unlock(&k->lock);
    return e;
}

static uint16_t recall_locked(const struct keeper *k, const struct addr *bind, uint16_t stands_for)
{
    for (const struct kept *one = k->first; one; one = one->next) {
        struct addr at = *bind;

        at.port = one->addr.port;
        if (one->stands_for == stands_for && serves(one, &at))
            return at.port;
    }
    return 0;
}

uint16_t keeper_recall(struct keeper *k, const struct addr *bind, uint16_t stands_for)
{
    uint16_t port;

    pthread_mutex_lock(&k->lock);
    port = k->asks >= 0 ? far_recall(k, bind, stands_for) : recall_locked(k, bind, stands_for);
    pthread_mutex_unlock(&k->lock);
    return port;
}

bool keeper_lend(const struct keeper *k, const struct addr *addr, int *ret_fds)
{
    const struct kept *one = kept_find(k, addr);

    for (uint32_t i = 0; one && i < k->group; i++)
        ret_fds[i] = one->fds[i % one->n];
    return one != NULL;
}

static enum err take_locked(struct keeper *k, const struct addr *addr, int *ret_fds)
{
    if (!keeper_lend(k, addr, ret_fds))
        return ERR_NOT_FOUND;
    for (uint32_t i = 0; i < k->group; i++) {
        ret_fds[i] = fcntl(ret_fds[i], F_DUPFD_CLOEXEC, 0);
        if (ret_fds[i] >= 0)
            continue;
        while (i > 0)
            close(ret_fds[--i]);
        return ERR_LIMIT;
    }
    return ERR_OK;
}

enum err keeper_take(struct keeper *k, const struct addr *addr, int *ret_fds)
{
    enum err e;

    pthread_mutex_lock(&k->lock);
    e = k->asks >= 0 ? far_take(k, addr, ret_fds) : take_locked(k, addr, ret_fds);
    pthread_mutex_unlock(&k->lock);
    return e;
}

static void sweep_locked(struct keeper *k, const struct addr *used, size_t n, uint64_t round)
{
    for (struct kept **at = &k->first; *at;) {
        struct kept *one = *at;
        bool wanted = one->round > round || (one->is_adopted && round != UINT64_MAX);

        for (size_t i = 0; i < n && !wanted; i++)
            wanted = serves(one, &used[i]);
        if (wanted)
            at = &one->next;
        else
            kept_free(at);
    }
}

void keeper_sweep(struct keeper *k, const struct addr *used, size_t n, uint64_t round)
{
    pthread_mutex_lock(&k->lock);
    if (k->asks >= 0)
        far_sweep(k, used, n, round);
    else
        sweep_locked(k, used, n, round);
    pthread_mutex_unlock(&k->lock);
}
