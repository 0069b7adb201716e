/*
 * http/h2_conn - the HTTP/2 driver: one connection, either side, many legs.
 *
 * For this folder's own files. h2_conn.c has the life of a connection, h2_leg.c that of its
 * legs, h2_in.c what arrives, h2_out.c what leaves. Everything runs in the connection's task.
 *
 *   OPENING -> OPEN -> LINGER -> DEAD
 *
 * A leg that has something to send stands in `pending`, one that waits for a window in
 * `blocked`, one of a client's that waits for the peer's stream limit in `waiting`: its stream
 * gets its number only with its HEADERS, so that numbers leave in order and a leg that sent
 * nothing needs no RST_STREAM. Released legs are freed at once: what they queued is in `out`.
 *
 * LINGER: GOAWAY is on its way or out. What arrives is read and dropped for a while, since
 * closing with octets unread would reset the connection under it.
 */
#pragma once

#include "codec/h2/h2.h"
#include "http/conn_int.h"

enum h2_conn_state { H2C_OPENING, H2C_OPEN, H2C_LINGER, H2C_DEAD };

struct h2_conn {
    struct http_conn c;
    struct h2 h2;
    uint8_t state;      /* enum h2_conn_state */
    uint8_t armed;      /* what the timer runs for, */
    uint32_t armed_for; /* and for which of them */
    bool timed_out, closing;
    bool eof;    /* a server's: the client sent FIN, and gets what it asked for */
    bool ponged; /* the PING behind the first GOAWAY was answered, or took too long */
    bool goaway_first, goaway_last; /* sent: announced, final */
    bool finished, unflushed;       /* our FIN is sent; TLS holds octets */
    bool was_usable, was_at_rest;   /* a client's, when its owner last knew */
    uint32_t linger_left;           /* octets that are still read */
    uint64_t idle_since_ms;
    uint32_t rested;   /* exchanges so far when memory was last given back */
    uint32_t unopened; /* legs whose stream has no number yet */
    struct buf in;     /* octets that are not understood yet */
    struct bufq out;
    struct list legs;                      /* all that are open */
    uint32_t n_legs;                       /* of them */
    struct list pending, blocked, waiting; /* by `turn` */
    struct chunk *fill; /* where frame heads and small pieces are put; NULL: none */
    size_t held;        /* content octets that owners have not taken */
    size_t owed;        /* of the connection's window, not given back yet */
};

struct h2_leg {
    struct leg leg;
    struct h2_stream s;
    struct h2_conn *conn;
    struct list node; /* in conn->legs */
    struct list turn; /* in conn->pending or blocked, or in none */
    size_t held;      /* octets in leg.in that are counted in conn->held */
    int64_t out_left; /* by the head's content_length; -1: not known */
    bool unopened;    /* counted in conn->unopened */
    bool gone;        /* failed: nothing moves any more */
    bool head_sent, head_refused, no_body, continue_sent;
};

/* NULL at the limit; the transport is then closed. */
struct http_conn *h2_conn_new(struct http_pools *p, enum http_role role,
                              struct transport *take_transport,
                              const struct http_settings *settings);
/* Octets that arrived before it was known that this is HTTP/2. */
void h2_conn_feed(struct http_conn *c, struct str octets);

static inline bool h2_is_server(const struct h2_conn *h)
{
    return h->c.role == HTTP_SERVER;
}

static inline struct h2_leg *h2_leg_of_stream(struct h2_stream *s)
{
    return CONTAINER_OF(s, struct h2_leg, s);
}

/* A leg for a stream, linked into the connection; NULL at the limit. */
struct h2_leg *h2_leg_new(struct h2_conn *h, struct arena *arena);
void h2_leg_pend(struct h2_leg *l); /* has something to send */
/* The leg has failed; inert until its owner releases it. */
void h2_leg_fail(struct h2_leg *l, enum leg_fail fail, const char *details);

void h2_die(struct h2_conn *h, enum leg_fail fail, bool reset);
/* The codec has ended the connection, or all is done: legs fail, GOAWAY leaves, then FIN. */
void h2_linger(struct h2_conn *h);
/* Gives the leg of a client its stream. False: it waits, or has failed. */
bool h2_leg_open(struct h2_leg *l);
void h2_leg_opened_not(struct h2_leg *l); /* it will not be */
/* Sends on what lies in `out`. False: the connection is dead. */
bool h2_flush(struct h2_conn *h);
bool h2_input(struct h2_conn *h);
bool h2_output(struct h2_conn *h);
/* Counts what the owner has taken since, and gives windows back. */
void h2_leg_taken(struct h2_leg *l);
