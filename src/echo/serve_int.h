/*
 * echo/serve_int - what the parts of an echo server share; for this folder's own files.
 */
#pragma once

#include "echo/serve.h"

struct echo_server {
    struct http_server http;
    struct loop *loop;
    struct http_pools *pools;
    struct net *net;
    struct http_settings settings;
    struct chunk *filling; /* whole lines of echo_filling, shared by all answers */
    struct list listeners; /* struct echo_listener */
    struct list conns;     /* struct echo_conn */
};

struct echo_listener {
    struct list node;
    struct acceptor acceptor;
    struct echo_server *server;
    struct echo_identity who; /* owned */
    const struct tls_chooser *tls;
    enum echo_kind kind;
    size_t conns;
    bool stopped;
};

/* An open connection of either sort. */
struct echo_conn {
    struct list node;
    struct echo_listener *listener;
    struct http_conn *http; /* NULL: TCP */
    struct echo_tcp *tcp;
};

/* Enters a connection; echo_conn_gone takes it out and frees it. */
struct echo_conn *echo_conn_new(struct echo_listener *l);
void echo_conn_gone(struct echo_conn *c);

/* echo/exchange.c: one request and its answer. */
void echo_exchange_start(struct echo_server *s, const struct echo_identity *who, struct leg *leg);

/* echo/call.c: one gRPC call. */
void echo_call_start(struct echo_server *s, const struct echo_identity *who, struct leg *leg);

/* echo/tcp.c: octets back to where they came from. False: a door said no. */
bool echo_tcp_start(struct echo_conn *c, struct transport *take_transport);
void echo_tcp_close(struct echo_tcp *t); /* ends it from its own task */
