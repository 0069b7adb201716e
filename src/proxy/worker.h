/*
 * proxy/worker - a data-plane thread: its loop, its connections, its view of the snapshot.
 *
 * Workers share nothing but parts. Control speaks to them by mail: a root to serve, with
 * the listening sockets that the keeper opened for it; drain; stop.
 */
#pragma once

#include "model/root.h"

struct worker;
struct access_log;
struct metrics;
struct loop;

struct worker_options {
    uint32_t id; /* below LIVE_WORKERS_MAX */
    size_t max_connections;
    size_t max_body_octets;        /* of all bodies in memory */
    struct access_log *access_log; /* NULL: none */
    /* Called on the worker's thread when it serves another root. May be NULL. */
    void (*serves)(struct worker *w, void *arg);
    /* Called on the worker's thread when a drain is over. May be NULL. */
    void (*drained)(struct worker *w, void *arg);
    void *arg;
};

/* A listening socket for the listener in a slot; the descriptor is handed over. */
struct listen_grant {
    slot_id listener;
    int take_fd;
};

/* Starts a thread. Aborts where none can be had. */
struct worker *worker_start(const struct worker_options *options);

/* Serve `take_root` from now on. Listeners of the root that have no socket yet get theirs
 * from `grants` (copied); sockets of listeners that are no longer in it are accepted from
 * until empty, then closed. Any thread. */
void worker_publish(struct worker *w, struct root *take_root, const struct listen_grant *grants,
                    size_t n);

/* From now on answers end their connections: HTTP/2 says GOAWAY, HTTP/1 `Connection: close`. */
void worker_tell_to_go(struct worker *w);

/* The same, and listeners close after `min_ms`, idle
 * connections with them; after `max_ms` all is over. Then options.drained is called. */
void worker_drain(struct worker *w, uint32_t min_ms, uint32_t max_ms);

/* live_pressure() is another one. Any thread. */
void worker_squeeze(struct worker *w);

/* Ends all connections and the thread; frees the worker. Not from its own thread. */
void worker_stop(struct worker *w);

uint32_t worker_id(const struct worker *w);

/* The generation of the root that the worker serves; any thread, for /ready and tests. */
uint64_t worker_generation(const struct worker *w);
