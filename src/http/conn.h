/*
 * http/conn - an HTTP connection, either side, whatever the version.
 *
 * Server: http_serve() wraps an accepted transport; each request that arrives is handed to
 * `server->request` as a leg. Client: http_connect() wraps a dialled transport; http_open()
 * starts an exchange on it. HTTP/1 has one leg at a time, HTTP/2 many. A server
 * connection is HTTP/2 by ALPN or by its preface (prior knowledge), a client's as asked for.
 */
#pragma once

#include "codec/h2/error.h"
#include "http/leg.h"
#include "http/pools.h"
#include "net/transport.h"

struct http_conn;

/* Limits and times of one side; borrowed, must outlive the connection. Milliseconds; 0: off. */
struct http_settings {
    uint32_t request_head_ms; /* from the first octet of a head to its end: 408 */
    uint32_t idle_ms;         /* between exchanges */
    uint32_t handshake_ms;    /* TLS */
    uint32_t connect_ms;      /* client */
    uint32_t max_headers;
    uint32_t max_head_octets;
    uint32_t buffer_limit; /* leg.in_limit */
    bool preserve_case;    /* names leave as they came */
};

struct http_server {
    /* A request head is complete, or unreadable (leg->fail is LEG_BAD or LEG_TIMEOUT and
     * in_head may be NULL). The handler sets leg->task and owns leg->arena from now on: it
     * gives it back with arena_give() after leg_release(). */
    void (*request)(struct http_server *s, struct http_conn *c, struct leg *leg);
    /* The transport opened (after TLS); may replace settings by the chain's. Optional. */
    void (*opened)(struct http_server *s, struct http_conn *c);
    /* The connection turned out to be HTTP/2: `fresh` takes the place of `old`, which is
     * freed behind the call. The owner word goes along. Optional. */
    void (*replaced)(struct http_server *s, struct http_conn *old, struct http_conn *fresh);
    /* The connection is gone; `c` is freed behind the call. Optional. */
    void (*closed)(struct http_server *s, struct http_conn *c);
    /* What HTTP/2 counted since the last call, by enum h2_count. Optional. */
    void (*counted)(struct http_server *s, const uint32_t counts[static H2_COUNTS]);
};

struct http_client {
    /* The transport opened. Runs in the connection's task. Optional. */
    void (*opened)(struct http_client *cl, struct http_conn *c);
    /* The connection changed: it takes more exchanges, has none open any more, or is dead. Runs
     * in its task, or in leg_release() when that leaves it at rest; the pool may close it or open
     * a leg. Optional. */
    void (*changed)(struct http_client *cl, struct http_conn *c);
    /* As in struct http_server; before the call that tells of a dead connection. Optional. */
    void (*counted)(struct http_client *cl, const uint32_t counts[static H2_COUNTS]);
};

/* Takes the transport over. NULL: a door said no, and the transport was closed. */
struct http_conn *http_serve(struct http_pools *p, struct transport *take_transport,
                             struct http_server *server, const struct http_settings *settings);
struct http_conn *http_connect(struct http_pools *p, struct transport *take_transport,
                               struct http_client *client, const struct http_settings *settings,
                               enum http_version version);

/* The task a transport of the connection-to-be must wake is the connection's own; until
 * http_serve or http_connect has set it, readiness is only noted. */

/* Starts an exchange on a usable client connection; the head and the rest follow through the
 * leg. NULL: a door said no. */
struct leg *http_open(struct http_conn *c, struct arena *arena, struct task *task);

/* Client: may another exchange be opened now? */
bool http_conn_is_usable(const struct http_conn *c);
/* Client: is no exchange open? */
bool http_conn_is_at_rest(const struct http_conn *c);
bool http_conn_is_dead(const struct http_conn *c);
uint32_t http_conn_exchanges(const struct http_conn *c); /* begun so far */

/* Server: from now on each answer says that it is the connection's last. */
void http_conn_drain(struct http_conn *c);
/* Server: drain, and close as soon as it is idle: now, if it is. */
void http_conn_retire(struct http_conn *c);
/* Ends it now. Legs fail with LEG_GONE. Frees `c` from its own task. */
void http_conn_close(struct http_conn *c);

enum http_version http_conn_version(const struct http_conn *c);         /* HTTP_2 or HTTP_11 */
const struct transport_info *http_conn_info(const struct http_conn *c); /* NULL once gone */
/* How long what was read last had waited before (transport_ops.waited_ms); 0: not known. */
uint32_t http_conn_waited_ms(const struct http_conn *c);
/* False: it has no socket any more. The local address of one that naps is asked of the kernel. */
bool http_conn_addresses(const struct http_conn *c, struct addr *ret_remote,
                         struct addr *ret_local);
uint64_t http_conn_id(const struct http_conn *c);
/* One word of the owner's, kept with the connection. */
void http_conn_set_owner(struct http_conn *c, void *owner);
void *http_conn_owner(const struct http_conn *c);
