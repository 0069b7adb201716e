/*
 * net/tls_int - a TLS connection over a socket, for tls_transport.c and what chooses its engine.
 */
#pragma once

#include "base/bufq.h"
#include "net/net_int.h"
#include "net/wire.h"
#include "tls/engine.h"
#include "tls/hello.h"

/* What all TLS connections of one net share. */
struct tls_side {
    struct tls_contexts *contexts;
    struct slab conns; /* struct tls */
    struct chunk_pool chunks;
    /* Received octets of one connection, which takes what is left away when another comes. */
    struct tls *owner;
    size_t at, n;
    char in[65536];
    char record[ENGINE_RECORD_MAX]; /* pieces of a write, joined to one record */
};

struct tls {
    struct transport t;
    struct wire wire;
    struct net *net;
    const struct tls_chooser *chooser; /* server, until open */
    struct part *held;                 /* what the handshake's demands lie in, until it is over */
    struct engine engine;
    struct bufq in;  /* received and not yet understood, older than the shared buffer */
    struct bufq out; /* records to send */
    bool is_client;
    bool finishing;     /* FIN when `out` is empty */
    bool answer_due;    /* octets were read, and nothing was written since */
    bool has_written;   /* `out` holds what the owner wrote, not tickets alone */
    enum err in_lost;   /* received octets had to be dropped: no memory */
    struct hello hello; /* client: the name that was asked for */
    char failure_text[320];
};

extern const struct engine_carrier tls_carrier;

static inline struct tls_side *tls_side_of(const struct tls *x)
{
    return x->net->tls;
}

/* A connection over `take_fd`, counted already by net_enter. NULL: the kernel refused, and
 * nothing is left of it. */
struct tls *tls_conn_new(struct net *n, int take_fd, bool connecting, const struct addr *peer,
                         struct task *task);
/* Sends what waits, and notes why it failed. */
enum transport_state tls_fail(struct tls *x, enum err e, struct str text);
/* Carries the engine's handshake on. */
enum transport_state tls_handshake(struct tls *x);
/* The same of a client's connection, which has to be connected first. */
enum transport_state tls_client_advance(struct tls *x);
