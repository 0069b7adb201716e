/*
 * http/conn_int - what all versions' connections share; for this folder's own files.
 */
#pragma once

#include "http/conn.h"

enum http_role { HTTP_SERVER, HTTP_CLIENT };

struct http_conn_ops {
    struct leg *(*open)(struct http_conn *c, struct arena *arena, struct task *task);
    bool (*is_usable)(const struct http_conn *c);
    bool (*is_at_rest)(const struct http_conn *c);
    void (*drain)(struct http_conn *c);
    void (*retire)(struct http_conn *c);
    const struct parked *(*parked)(const struct http_conn *c); /* NULL: not now. Optional */
    void (*close)(struct http_conn *c);
};

struct http_conn {
    const struct http_conn_ops *ops;
    struct http_pools *pools;
    struct transport *transport; /* NULL once closed */
    struct task task;
    struct timer timer;
    const struct http_settings *settings;
    struct http_server *server; /* one of the two */
    struct http_client *client;
    void *owner;
    uint64_t id;
    uint32_t exchanges;
    uint8_t role;    /* enum http_role */
    uint8_t version; /* enum http_version: HTTP_2 or HTTP_11 */
    bool draining, retiring;
    bool dead;
};

/* Sets up the shared part and takes the transport's wake-ups. */
void http_conn_init(struct http_conn *c, const struct http_conn_ops *ops, enum http_role role,
                    struct http_pools *p, struct transport *take_transport,
                    const struct http_settings *settings);

/* Reads and drops, at most `left` more octets. False: there is nothing more, or it was enough. */
bool http_conn_discard(struct http_conn *c, uint32_t *left);
