/*
 * proxy/downstream - accepted connections: which listener and chain they belong to, and
 * the requests that arrive on them.
 */
#pragma once

#include "live/crowd.h"
#include "proxy/worker_int.h"

/* A listening socket of this worker. */
struct port {
    struct list node;
    struct acceptor acceptor;
    struct worker *worker;
    slot_id listener;
    struct live_crowd *crowd; /* NULL before the first connection */
};

struct downstream {
    struct list node;
    struct worker *worker;
    struct http_server server;
    struct http_settings settings;
    struct tls_chooser chooser;
    struct http_conn *conn;
    const struct listener *part; /* as accepted; a reference */
    const struct chain *opened;  /* the chain as it was then; a reference, or NULL */
    struct stat_row *stats;      /* of `part` */
    slot_id listener;
    struct crowd_place place;
    bool is_tls;
    uint8_t peer_ip_n;
    char peer_ip[46]; /* the other side's address as text */
};

/* The chain that serves this connection's requests now. One that has another name since (its
 * Gateway or port was renamed) is found again by the name that the client asked for. NULL: none
 * that asks of clients what that one asked. */
const struct chain *downstream_chain(const struct downstream *d, const struct root *root);

/* Starts to accept for a listener; the descriptor is handed over. */
void port_open(struct worker *w, slot_id listener, int take_fd);
struct port *port_of_listener(struct worker *w, slot_id listener);
/* Accepts what waits, then closes. */
void port_close(struct port *p);
