/*
 * http/h2_conn - the HTTP/2 driver: one connection, either side, many legs.
 *
 * For this folder's own files. h2_conn.c has the life of a connection, h2_in.c what
 * arrives, h2_out.c what leaves. Everything runs in the connection's task.
 *
 *   OPENING -> OPEN -> DEAD
 *
 * A leg that has something to send stands in `pending`; one that waits for a window in
 * `blocked`. Released legs are freed at once: what they queued is in `out` already.
 */
#pragma once

#include "codec/h2/h2.h"
#include "http/conn_int.h"

enum h2_conn_state { H2C_OPENING, H2C_OPEN, H2C_DEAD };

struct h2_conn {
    struct http_conn c;
    struct h2 h2;
    uint8_t state; /* enum h2_conn_state */
    uint8_t armed;
    bool timed_out, closing, eof, write_broken;
    bool goaway_first, goaway_last; /* sent: announced, final */
    struct buf in;                  /* octets that are not understood yet */
    struct bufq out;
    struct list legs;             /* all that are open */
    struct list pending, blocked; /* by `turn` */
    size_t held;                  /* content octets that owners have not taken */
    size_t owed;                  /* of the connection's window, not given back yet */
};

struct h2_leg {
    struct leg leg;
    struct h2_stream s;
    struct h2_conn *conn;
    struct list node; /* in conn->legs */
    struct list turn; /* in conn->pending or blocked, or in none */
    size_t held;      /* octets in leg.in that are counted in conn->held */
    int64_t out_left; /* by the head's content_length; -1: not known */
    bool head_sent, trailers_only, continue_sent;
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
bool h2_input(struct h2_conn *h);
bool h2_output(struct h2_conn *h);
/* Counts what the owner has taken since, and gives windows back. */
void h2_leg_taken(struct h2_leg *l);
