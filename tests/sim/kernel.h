/*
 * tests/sim/kernel - the system calls of event/, net/ and proxy/, answered here.
 *
 * The program is linked with `--wrap` for each of them (meson.build), so that the very object
 * code that is released runs. Descriptors from VFD_BASE on are virtual, all others the real
 * kernel's. epoll behaves as Linux' does: edges for connections, levels for listeners.
 */
#pragma once

#include "sim/net.h"

#include <stdint.h>

#define VFD_BASE 4096
#define VFDS 512

enum vkind { VFD_FREE, VFD_EPOLL, VFD_EVENT, VFD_LISTENER, VFD_SOCKET };

struct vfd {
    enum vkind kind;
    uint16_t owner; /* worker, by the order of their epolls */
    /* being watched */
    struct vfd *epoll;
    uint32_t events;
    void *word;
    struct list node; /* in the epoll's `ready`, or in none */
    /* by kind */
    struct list ready;   /* EPOLL */
    uint64_t count;      /* EVENT */
    struct list backlog; /* LISTENER: struct knock */
    uint16_t port;       /* LISTENER; SOCKET: its backend's number + 1, 0 accepted */
    uint16_t at_port;    /* accepted: the listener's, */
    uint8_t from;        /* the client's address, */
    bool is_served;      /* and an octet was read or written */
    struct end *end;     /* SOCKET */
    bool linger_reset;
};

/* How often system calls fail though nothing is wrong; per mille. */
struct faults {
    uint32_t intr, again, short_send, send_error, accept_error, no_descriptor, connect_error;
    uint32_t slow_clock; /* of the schedule: each look at the clock costs 100 us */
};
extern struct faults faults;

/* A client's connection that nobody has accepted yet. */
struct knock {
    struct list node;
    struct end *end; /* the worker's side */
    uint8_t from;    /* the last octet of the client's address */
};

void kernel_begin(void);
/* Descriptors that are open. */
size_t kernel_open_count(void);
size_t kernel_connections(void); /* of them: sockets */
/* Sockets that a worker dialled to a backend and has not closed. */
size_t kernel_dialled(uint16_t backend);
int kernel_listen(uint16_t port);
/* False: nobody listens there. The worker's end goes to one of its listeners. */
bool kernel_knock(uint16_t port, uint8_t from, struct end *worker_end);
/* Accepted connections that a worker reads or writes: of a listener, of a client's address. */
size_t kernel_served_at(uint16_t port);
size_t kernel_served_from(uint8_t address);
/* Something about it changed. */
void kernel_edge(struct vfd *v);
/* The world's: somebody dialled a backend. False: it refuses, 'hole': it never answers. */
enum dialled { DIAL_TAKEN, DIAL_REFUSED, DIAL_HOLE };
extern enum dialled (*kernel_dialled_hook)(uint16_t backend, struct end *theirs);
