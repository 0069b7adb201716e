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
};
extern struct manners manners;

struct backend {
    struct peer peer;
    struct h1read *reader;
    uint16_t number;
    struct rq *rq; /* being read or answered */
    size_t up_got;
    bool reading, answering, answered, leaves, dies, surplus;
    struct event answer, idle;
};

void backends_begin(void);
