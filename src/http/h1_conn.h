/*
 * http/h1_conn - the HTTP/1 driver: one connection, either side, one exchange at a time.
 *
 * For this folder's own files. h1_conn.c has the life of a connection, h1_in.c what
 * arrives, h1_head.c the heads of it, h1_out.c what leaves. Everything runs in the connection's
 * task; leg_wake() and leg_release() only note and wake it.
 *
 *   OPENING -> IDLE -> EXCHANGE -> IDLE ...      (server: a head is being read in IDLE)
 *                         |
 *                         v
 *                      LINGER -> DEAD            (any state may go to DEAD)
 *
 * A DEAD connection has no transport; it is freed once its leg is released.
 */
#pragma once

#include "codec/h1/body.h"
#include "codec/h1/head.h"
#include "http/conn_int.h"

enum h1_state { H1_OPENING, H1_IDLE, H1_EXCHANGE, H1_LINGER, H1_DEAD };

enum h1_in_state {
    H1_IN_HEAD, /* nothing, or a part of a head */
    H1_IN_BODY,
    H1_IN_DONE /* the message is whole: what follows belongs to the next */
};

struct h1_conn {
    struct http_conn c;
    uint8_t state; /* enum h1_state */
    uint8_t armed; /* what the timer stands for, see conn_arm */
    bool timed_out;
    bool closing; /* http_conn_close was called */
    bool napless; /* there was no memory for a nap */
    bool is_h2;   /* HTTP/2, by ALPN or preface: the other driver takes over */

    /* what arrives */
    uint8_t in_state; /* enum h1_in_state */
    bool eof;         /* FIN arrived */
    struct buf in;    /* octets that are not understood yet */
    struct h1_scan scan;
    struct h1_body body;
    struct h1_limits limits;
    struct chunk *fill; /* where body octets are received */
    uint32_t linger_left;
    uint64_t nap_due_ms;

    /* what leaves */
    struct bufq out;
    uint8_t out_framing; /* enum h1_framing_kind */
    bool head_queued, end_queued, continue_sent;
    bool write_broken; /* the other side no longer reads; what it sent still counts */
    bool keep_alive;   /* both sides would go on behind this exchange */
    uint64_t out_left; /* H1_BODY_LENGTH: octets still owed */

    struct leg leg;
    bool leg_open;               /* the owner has not released it */
    struct arena *request_arena; /* server: until the handler has taken it over */
};

/* NULL at the limit; the transport is then closed. */
struct http_conn *h1_conn_new(struct http_pools *p, enum http_role role,
                              struct transport *take_transport,
                              const struct http_settings *settings);

static inline struct h1_conn *h1_of(struct http_conn *c)
{
    return CONTAINER_OF(c, struct h1_conn, c);
}

static inline bool h1_is_server(const struct h1_conn *h)
{
    return h->c.role == HTTP_SERVER;
}

/* Server: octets of the next request are here already. */
static inline bool h1_has_pipelined(const struct h1_conn *h)
{
    return h1_is_server(h) && h->in.n > 0;
}

extern const struct leg_ops h1_leg_ops;

/* Ends the connection: the transport is closed, an open leg fails. */
void h1_die(struct h1_conn *h, enum leg_fail fail, const char *details, bool reset);

/* Server: hands the handler a request that cannot be read, to be answered and ended. */
void h1_bad_request(struct h1_conn *h, enum leg_fail fail, uint16_t status, const char *details);

/* A head at the front of `rest`, which is not empty, or a part of one: octets used. */
size_t h1_decode_head(struct h1_conn *h, struct str rest);

/* Reads and understands what there is. True: it was much, and there may be more. */
bool h1_input(struct h1_conn *h);
/* Makes octets of what the leg's owner gave, and writes them. */
void h1_output(struct h1_conn *h);
/* Back to the start of a message in both directions. */
void h1_input_next(struct h1_conn *h);
void h1_output_next(struct h1_conn *h);
