/*
 * tests/sim/peer - a virtual client's or backend's side of a connection: its pace, its patience
 * and, for clients, its TLS.
 */
#pragma once

#include "sim/net.h"
#include "sim/traffic.h"

struct peer_tls; /* tls.c */

struct peer {
    struct actor actor;
    struct end *end;
    struct peer_tls *tls;
    struct text out;      /* octets for the wire */
    struct event step;    /* goes on after a pause */
    uint64_t pace_ns;     /* between two pieces that are written or read; 0: at once */
    size_t piece;         /* octets at a time */
    uint64_t deaf_until;  /* reads nothing before */
    bool finishing, dead; /* FIN behind `out` */
    bool told;            /* of the other side's FIN */
    /* Octets arrived. */
    void (*input)(struct peer *p, struct str octets);
    /* The other side will send nothing more; or has reset. `p` is closed if it was a reset. */
    void (*ended)(struct peer *p, bool reset);
    /* All of `out` is with the network. */
    void (*drained)(struct peer *p);
};

/* The functions are set; the end's actor becomes `p`. */
void peer_begin(struct peer *p, struct end *end);
void peer_write(struct peer *p, struct str octets);
size_t peer_waiting(const struct peer *p);
void peer_finish(struct peer *p); /* FIN, behind what was written */
void peer_close(struct peer *p, bool reset);
/* Looks at the end soon. */
void peer_nudge(struct peer *p);

/* ---- tls.c: what stands between a client and the wire ---- */

void tls_begin(void);                              /* once a process */
struct str tls_chain_pem(void), tls_key_pem(void); /* what the listener presents */
struct peer_tls *tls_new(bool http2);
void tls_free_all(void); /* of the schedule */
/* False: the handshake or a record failed. `wire` gets what must be sent. */
bool tls_received(struct peer *p, struct str octets);
void tls_write(struct peer *p, struct str octets);
/* False: the handshake is under way; peer_finish is called again behind it. */
bool tls_finish(struct peer *p);
