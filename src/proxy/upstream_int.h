/*
 * proxy/upstream_int - pools and their connections, for upstream.c and share.c.
 */
#pragma once

#include "proxy/share.h"
#include "proxy/upstream.h"
#include "tls/resume.h"

struct upstream_pool {
    struct live_host *live;        /* a reference */
    const struct cluster *cluster; /* the newest; a reference */
    struct share *share;           /* NULL: the cluster's connections are not limited */
    struct list idle, busy;        /* those that take another exchange, those that do not */
    uint32_t in_line;              /* claims that wait for a connection */
    bool named;                    /* by the current root */
    uint64_t tls_hash;             /* of the cluster's TLS as it is now; 0: clear text */
    struct tls_resume resume;      /* the last session with this endpoint */
};

struct upstream {
    struct list node;       /* in one of the pool's lists */
    struct list share_node; /* in the share's list while it is in the pool's `idle` */
    struct list opening;    /* claims that wait for it to open */
    struct worker *worker;
    struct upstream_pool *pool;
    struct http_conn *conn;
    struct http_client client;
    struct http_settings settings;
    uint64_t tls_hash;      /* the pool's when it was dialled */
    uint64_t tls_key;       /* and with the name that was asked for */
    uint32_t max_exchanges; /* 0: no limit */
    bool is_open, is_leaving;
    bool is_held; /* leaves when its streams have ended, which may take long */
    bool http2;   /* as dialled; the cluster may speak otherwise since */
};

/* Into the list of those that take another exchange, as the next; or of those that do not. */
void upstream_set_idle(struct upstream *u);
void upstream_set_busy(struct upstream *u);
/* Takes no further exchange, and closes when it is idle. */
void upstream_leave(struct upstream *u);
/* Frees a pool that nobody needs any more. */
void upstream_pool_let_go(struct worker *w, struct upstream_pool *p);
