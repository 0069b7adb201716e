/*
 * tests/sim/net - virtual TCP: two ends, octets that travel in segments of any size.
 *
 * Segments arrive in order. What a network does to them shows as TCP shows it: loss and
 * reordering as delay of that segment and all behind it, a death as a reset. An end belongs
 * to a worker's descriptor or to an actor (a virtual client or backend).
 */
#pragma once

#include "sim/sim.h"

struct vfd;
struct segment;

struct actor {
    /* Octets, room, an end or a failure: whatever changed. */
    void (*ready)(struct actor *a);
};

struct end {
    struct end *peer;
    struct vfd *vfd; /* the worker's; NULL: an actor's */
    struct actor *actor;
    uint32_t id; /* of the connection, for the trace */

    /* towards this end */
    struct segment *flying, **flying_last, *here, **here_last;
    size_t flying_n, here_n, cap;
    uint64_t last_at_ns, latency_ns;
    struct event arrival, room;
    bool fin, rst;
    int error;    /* errno to be told once */
    uint64_t got; /* octets that have arrived, ever */
    /* a worker's: octets that nobody asked for begin there, and what it was told of them when */
    uint64_t surplus_at, told_got, told_turn;

    /* from this end */
    bool open, connecting, full, shut, closed;
    uint64_t sent;
};

/* What segments do; of the schedule. */
struct weather {
    uint64_t latency_ns; /* one way, about */
    uint32_t loss;       /* per mille of segments that come 200 ms late or more */
    size_t segment;      /* the largest */
    size_t cap;          /* octets under way to an end and unread there, at most */
};
extern struct weather weather;

/* Two joined ends; nobody's yet. */
void net_pair(struct end **ret_a, struct end **ret_b);

size_t end_room(const struct end *e);                    /* that send would take now */
bool end_has_space(const struct end *e);                 /* so much that a sender is told */
size_t end_send(struct end *e, const char *p, size_t n); /* octets taken; may be 0: full */
size_t end_recv(struct end *e, char *into, size_t n);    /* octets; 0: none here now */
void end_finish(struct end *e);                          /* FIN */
void end_close(struct end *e, bool reset);
/* The end is told of what changed. */
void end_wake(struct end *e);
