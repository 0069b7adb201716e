/*
 * net/listen - bound listening sockets. The keeper opens them (design 5.11); a worker only
 * accepts from those it was given.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"
#include "event/loop.h"

#define LISTEN_BACKLOG 4096

/* Opens `n` listening TCP sockets on one address (SO_REUSEPORT when n > 1, dual stack for
 * family 0: [::] with IPV6_V6ONLY off, falling back to 0.0.0.0 without IPv6). Port 0 picks
 * one and `addr` receives it; family 0 stays 0. A port that another program listens on is
 * ERR_ADDRESS_IN_USE for groups, too. On failure no socket stays open. */
MUST_USE enum err listen_open(struct addr *addr, int *fds, size_t n);

/* Accepts from one socket on a loop. */
struct acceptor {
    struct task task;
    struct watch watch;
    struct timer pause; /* EMFILE and the like: wait, then go on; no spinning */
    /* Takes the descriptor over in any case (non-blocking, TCP_NODELAY set); false: no more
     * for now (a limit): accepting pauses 100 ms. */
    bool (*accepted)(struct acceptor *a, int take_fd, const struct addr *peer);
    /* At most so many in this turn, because there is other work; at least 1. NULL: no such limit.
     */
    int (*may_accept)(struct acceptor *a);
    uint64_t accept_errors;
    /* How long the last connection that a turn had room for had waited (net_waited_ms); 0: none was
     * left waiting. */
    uint32_t waited_ms;
    bool shared;
    int paused_fd; /* while pausing; -1 otherwise */
};

/* The caller has set `accepted`. Takes the descriptor over, also when it fails. `shared`: other
 * loops accept from the same socket. */
MUST_USE enum err acceptor_start(struct acceptor *a, struct loop *loop, int take_fd, bool shared);
/* How many connections may wait to be accepted; beyond them the kernel answers nobody, and who
 * knocks tries again. LISTEN_BACKLOG at first. */
void acceptor_set_backlog(struct acceptor *a, int backlog);
/* At least half as many wait as may. */
bool acceptor_is_crowded(const struct acceptor *a);

/* Accepts all that waits already (design 5.11), then closes the socket. Harmless when stopped;
 * not to be called from `accepted`. */
void acceptor_stop(struct acceptor *a);
