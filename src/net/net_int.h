/*
 * net/net_int - what the files of net/ share: the worker's own state.
 */
#pragma once

#include "base/slab.h"
#include "net/net.h"

struct tls_side;

struct net {
    struct loop *loop;
    size_t max, open;
    struct slab sockets; /* struct socket, of socket.c */
    struct transport *(*dial)(void *arg, const struct addr *to, struct task *task,
                              enum err *reterr); /* NULL: the kernel */
    void *dial_arg;
    /* What tls_transport.c keeps; NULL until the first TLS connection. */
    struct tls_side *tls;
    void (*tls_free)(struct tls_side *side);
    void (*tls_trim)(struct tls_side *side);
};

/* One more connection: false at the limit. Each success is given back by net_leave. */
MUST_USE bool net_enter(struct net *n);
void net_leave(struct net *n);

/* socket.c */
size_t socket_size(void);
struct str socket_failure(enum err e); /* Envoy's words for a connect that did not succeed */
/* A descriptor that is on its way to `to`; -1 with a reason. */
int socket_dial(const struct net *n, const struct addr *to, enum err *reterr);
