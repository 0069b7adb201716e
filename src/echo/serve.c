#include "echo/serve_int.h"

#include <stdlib.h>
#include <unistd.h>

#define BODIES_MAX (64u << 20)

static const struct http_settings default_settings = {
    .request_head_ms = 60000,
    .idle_ms = 3600000,
    .handshake_ms = 15000,
    .max_headers = 200,
    .max_head_octets = 128 * 1024,
    .buffer_limit = 256 * 1024,
};

/* ---- connections ---- */

struct echo_conn *echo_conn_new(struct echo_listener *l)
{
    struct echo_conn *c = must_alloc(sizeof(*c));

    c->listener = l;
    l->conns++;
    list_push_back(&l->server->conns, &c->node);
    return c;
}

static void listener_free_if_done(struct echo_listener *l)
{
    if (!l->stopped || l->conns)
        return;
    list_remove(&l->node);
    free((char *)(uintptr_t)l->who.name.p);
    free((char *)(uintptr_t)l->who.version.p);
    free(l);
}

void echo_conn_gone(struct echo_conn *c)
{
    struct echo_listener *l = c->listener;

    list_remove(&c->node);
    free(c);
    l->conns--;
    listener_free_if_done(l);
}

static void http_request(struct http_server *http, struct http_conn *c, struct leg *leg)
{
    struct echo_server *s = CONTAINER_OF(http, struct echo_server, http);
    struct echo_conn *conn = http_conn_owner(c);

    if (conn->listener->who.speaks_grpc && leg->in_head && head_is_grpc(leg->in_head))
        echo_call_start(s, &conn->listener->who, leg);
    else
        echo_exchange_start(s, &conn->listener->who, leg);
}

static void http_closed(struct http_server *http, struct http_conn *c)
{
    struct echo_conn *conn = http_conn_owner(c);

    (void)http;
    if (conn)
        echo_conn_gone(conn);
}

static void http_replaced(struct http_server *http, struct http_conn *old, struct http_conn *fresh)
{
    struct echo_conn *conn = http_conn_owner(fresh);

    (void)http;
    (void)old;
    if (conn)
        conn->http = fresh;
}

static bool http_start(struct echo_conn *conn, struct transport *t)
{
    struct echo_server *s = conn->listener->server;

    conn->http = http_serve(s->pools, t, &s->http, &s->settings);
    if (!conn->http)
        return false;
    http_conn_set_owner(conn->http, conn);
    return true;
}

static bool accepted(struct acceptor *a, int take_fd, const struct addr *peer)
{
    struct echo_listener *l = CONTAINER_OF(a, struct echo_listener, acceptor);
    struct echo_server *s = l->server;
    struct transport *t;
    struct echo_conn *conn;

    if (l->kind == ECHO_TLS)
        t = net_accept_tls(s->net, take_fd, peer, NULL, l->tls);
    else
        t = net_accept(s->net, take_fd, peer, NULL);
    if (!t)
        return false;
    conn = echo_conn_new(l);
    if (l->kind == ECHO_TCP ? echo_tcp_start(conn, t) : http_start(conn, t))
        return true;
    echo_conn_gone(conn);
    return false;
}

/* ---- listeners ---- */

static struct str own(struct str s)
{
    char *copy = must_alloc(s.n + 1);

    return str_make(str_copy(s, copy, s.n + 1), s.n);
}

struct echo_listener *echo_listen(struct echo_server *s, int take_fd, enum echo_kind kind,
                                  const struct echo_identity *who, const struct tls_chooser *tls)
{
    struct echo_listener *l = must_alloc(sizeof(*l));

    l->server = s;
    l->kind = kind;
    l->who = (struct echo_identity){ own(who->name), own(who->version), who->speaks_grpc };
    l->tls = tls;
    l->acceptor.accepted = accepted;
    list_push_back(&s->listeners, &l->node);
    if (acceptor_start(&l->acceptor, s->loop, take_fd, false) == ERR_OK)
        return l;
    l->stopped = true;
    listener_free_if_done(l);
    return NULL;
}

void echo_unlisten(struct echo_listener *l)
{
    struct echo_server *s = l->server;

    if (l->stopped)
        return;
    acceptor_stop(&l->acceptor);
    l->stopped = true;
    LIST_EACH (it, &s->conns, after) {
        struct echo_conn *c = LIST_ITEM(it, struct echo_conn, node);

        if (c->listener == l && c->http)
            http_conn_retire(c->http);
    }
    listener_free_if_done(l);
}

/* ---- the server ---- */

static struct chunk *filling_new(struct http_pools *pools)
{
    struct chunk *c = chunk_new(&pools->chunks);

    MUST(c != NULL);
    while (c->n + echo_filling.n <= CHUNK_OCTETS) {
        memcpy(c->data + c->n, echo_filling.p, echo_filling.n);
        c->n += (uint32_t)echo_filling.n;
    }
    return c;
}

struct echo_server *echo_server_new(struct loop *loop, size_t max_connections)
{
    struct http_limits limits = { max_connections, BODIES_MAX };
    struct echo_server *s = must_alloc(sizeof(*s));

    s->loop = loop;
    s->http = (struct http_server){ .request = http_request,
                                    .replaced = http_replaced,
                                    .closed = http_closed };
    s->pools = http_pools_new(loop, &limits);
    s->net = net_new(loop, max_connections);
    s->settings = default_settings;
    s->filling = filling_new(s->pools);
    list_init(&s->listeners);
    list_init(&s->conns);
    return s;
}

static void close_all(struct echo_server *s)
{
    LIST_EACH (it, &s->listeners, after)
        echo_unlisten(LIST_ITEM(it, struct echo_listener, node));
    LIST_EACH (it, &s->conns, after) {
        struct echo_conn *c = LIST_ITEM(it, struct echo_conn, node);

        if (c->http)
            http_conn_close(c->http);
        else
            echo_tcp_close(c->tcp);
    }
}

void echo_server_free(struct echo_server *s)
{
    if (!s)
        return;
    close_all(s);
    while (!list_is_empty(&s->conns))
        loop_turn(s->loop, 1);
    chunk_unref(s->filling);
    net_free(s->net);
    http_pools_free(s->pools);
    free(s);
}
