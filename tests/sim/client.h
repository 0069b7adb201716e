/*
 * tests/sim/client - virtual clients: each sends its requests, over as many connections as it
 * takes, and checks what it gets.
 */
#pragma once

#include "sim/peer.h"

struct h2peer;

struct client {
    struct peer peer; /* of the connection under way */
    struct h1read *reader;
    struct h2peer *h2; /* of the connection under way; NULL: HTTP/1 */
    uint16_t port;
    bool http2, tls, connected;
    bool sent_here;                  /* a request, over this connection */
    uint32_t first, n;               /* its requests */
    uint32_t next_send, next_answer; /* of them; HTTP/2: how many were begun and are over */
    uint32_t depth;                  /* requests at once */
    uint64_t think_ns;               /* before the next */
    uint32_t window;                 /* HTTP/2 */
    uint32_t at_once;                /* its requests at backends, where that is counted */
    uint32_t connections_left;
    bool half_closes;  /* FIN behind its last request */
    bool stays;        /* leaves its connection open in the end */
    uint64_t abort_ns; /* goes away after that; 0: never */
    bool resets;       /* ... by a reset */
    uint32_t cancels;  /* HTTP/2: per mille of streams that it resets */
    bool rude;         /* HTTP/2: breaks rules */
    uint8_t address;   /* the last octet of it */
    struct event next, abort, odd;
    struct text held; /* the body behind `expect` */
};

/* Begins after a while. The rest is set. */
void client_begin(struct client *c, uint64_t delay_ns);
/* Nothing is left to do for it. */
bool client_is_done(const struct client *c);

struct rq *client_rq(struct client *c, uint32_t i);
void client_is_through(struct client *c); /* all are over */
/* The connection is gone: what was under way is broken, another one takes what is left. */
void client_lost(struct client *c, const char *how);
void client_drop(struct client *c); /* forgets the connection, which is closed */
void client_aborts(struct event *abort);

/* ---- client_h2.c ---- */

void client_h2_peer(struct peer *p);
void client_h2_begin(struct client *c);
void client_h2_send(struct client *c);
