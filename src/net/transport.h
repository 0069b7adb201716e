/*
 * net/transport - an open or opening byte stream to the other side, whatever carries it:
 * socket, TLS over a socket, and later PROXY headers, HTTP/2 CONNECT or a test pipe.
 *
 * Non-blocking, one thread. A transport notes readiness and wakes its task; the owner then
 * calls read and write until they say ERR_AGAIN. The owner frees it with transport_close.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"
#include "event/loop.h"
#include "model/part.h"

#include <sys/types.h>
#include <sys/uio.h>

struct tls_peer; /* tls/peer.h */

enum transport_state {
    TRANSPORT_OPENING, /* connecting or in the TLS handshake */
    TRANSPORT_OPEN,
    TRANSPORT_FAILED /* see info.failure */
};

/* What is known about the connection; borrowed until transport_close. */
struct transport_info {
    struct addr local, remote;
    /* TLS, once open: */
    struct str sni;         /* lower case; STR_NONE without */
    struct str alpn;        /* STR_NONE without */
    struct str tls_version; /* "TLSv1.3" */
    struct str tls_cipher;
    bool tls_resumed;
    struct tls_peer *peer; /* the client's certificate; NULL: none */
    bool truncated;        /* read said ERR_EOF, but no close_notify came before it */
    slot_id chain;         /* what tls_chooser chose; SLOT_NONE otherwise */
    /* When it failed: */
    enum err failure;
    struct str failure_text; /* Envoy's transport failure reason */
};

struct transport;
struct net;

/* A connection without its transport: what net_unpark makes one of again. */
struct parked {
    struct net *net; /* NULL: none. It is counted there still */
    int fd;
    struct addr remote;
};

struct transport_ops {
    const char *name;
    /* Carries the opening on; called by the owner when woken in state OPENING. */
    enum transport_state (*advance)(struct transport *t);
    /* Up to `n` octets: > 0, or -ERR_AGAIN, -ERR_EOF (the other side finished sending in
     * order), -ERR_RESET, -ERR_TLS, ... */
    ssize_t (*read)(struct transport *t, char *into, size_t n);
    /* Octets taken, all or some: > 0, or -ERR_AGAIN, -ERR_RESET... What TLS has taken but
     * not sent is sent by flush. */
    ssize_t (*writev)(struct transport *t, const struct iovec *iov, size_t n);
    /* ERR_OK: nothing waits to be sent. ERR_AGAIN: something does, the task will be woken. */
    enum err (*flush)(struct transport *t);
    /* FIN, behind what was written (TLS: close_notify first). Reading goes on. */
    void (*finish)(struct transport *t);
    /* Ends it: with a reset if `reset`, else in order. Frees `t`. */
    void (*close)(struct transport *t, bool reset);
    /* How long the last octets from the other side have waited, see net_waited_ms(). Optional. */
    uint32_t (*waited_ms)(const struct transport *t);
    /* Frees an open `t` but for its descriptor, which nobody watches then. Optional. */
    void (*park)(struct transport *t, struct parked *ret);
};

struct transport {
    const struct transport_ops *ops;
    enum transport_state state;
    struct task *task; /* woken on readiness; the owner may change it */
    struct transport_info info;
    /* A last read was short or said AGAIN: nothing to read until woken. The owner may skip
     * the read while this is set. */
    bool read_drained;
};

static inline void transport_close(struct transport *t, bool reset)
{
    if (t)
        t->ops->close(t, reset);
}
