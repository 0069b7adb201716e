/*
 * tests/sim/backend - virtual backends: whoever is dialled answers each request as the request
 * was planned to be answered (struct rq), and checks what it gets.
 */
#pragma once

#include "sim/peer.h"

/* How the backends of a schedule are as connections. */
struct manners {
    uint32_t refuses, holes; /* per mille of dials */
    uint32_t idle_closes;    /* of answers after which it closes the idle connection later */
    uint64_t pace_ns;
    size_t piece;
    uint32_t deaf;                /* of connections: reads nothing for a while */
    uint32_t max_streams, window; /* HTTP/2 */
    uint32_t cuts;                /* HTTP/2: of connections that die in their first octets */
    bool changes;                 /* HTTP/2: of limits */
};
extern struct manners manners;

struct h2peer;

struct backend {
    struct peer peer;
    struct text first; /* octets that do not tell yet which HTTP it is */
    bool is_known;
    struct h2peer *h2; /* NULL: HTTP/1 */
    struct h1read *reader;
    uint16_t number;
    struct rq *rq; /* being read or answered */
    size_t up_got;
    bool reading, answering, answered, leaves, dies, surplus;
    /* HTTP/2: GOAWAY said which stream was the last; the window is 0 for a while */
    bool has_gone, stalls;
    struct event answer, idle, odd;
};

void backends_begin(void);
void backend_close(struct backend *b, bool reset);

/* ---- backend_h2.c ---- */

void backend_h2_begin(struct backend *b);
void backend_h2_input(struct backend *b, struct str octets);
void backend_h2_drained(struct backend *b);
void backend_h2_forget(struct backend *b); /* all that it had been asked for */
