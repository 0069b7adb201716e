#include "proxy/downstream.h"

#include "live/pressure.h"
#include "live/seats.h"
#include "proxy/decide.h"
#include "proxy/request.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- choosing the chain ---- */

static const struct chain *downstream_choose(const struct tls_chooser *self, struct str sni,
                                             const struct root **ret_root)
{
    const struct downstream *d = CONTAINER_OF(self, const struct downstream, chooser);
    const struct root *root = worker_root(d->worker);
    const struct listener *l = root_listener(root, d->listener);
    const struct chain *c = l ? chain_by_name(root, l, sni) : NULL;

    *ret_root = root;
    return c;
}

/* ---- the connection ---- */

static void settings_of_chain(struct http_settings *s, const struct chain *c)
{
    s->request_head_ms = c->http.request_head_ms;
    s->idle_ms = c->http.idle_ms;
    s->max_headers = c->http.max_headers;
    s->max_head_octets = c->http.max_head_octets;
    s->buffer_limit = c->http.buffer_limit;
    s->preserve_case = c->http.preserve_case;
}

static void downstream_opened(struct http_server *server, struct http_conn *conn)
{
    struct downstream *d = CONTAINER_OF(server, struct downstream, server);
    const struct root *root = worker_root(d->worker);
    const struct listener *l = root_listener(root, d->listener);
    const struct chain *c = NULL;

    if (d->is_tls)
        c = root_chain(root, http_conn_info(conn)->chain);
    else if (l)
        c = decide_chain(root, l, STR_NONE);
    if (c) {
        part_ref((struct part *)(uintptr_t)&c->part);
        d->opened = c;
        settings_of_chain(&d->settings, c);
    }
    if (d->is_tls)
        metrics_listener_stat(d->worker->metrics, d->part, STAT_TLS_HANDSHAKE, 1);
}

const struct chain *downstream_chain(const struct downstream *d, const struct root *root)
{
    const struct transport_info *info = d->is_tls ? http_conn_info(d->conn) : NULL;
    const struct chain *c = d->opened ? root_chain(root, d->opened->part.slot) : NULL;
    const struct listener *l;

    if (c || !d->opened)
        return c;
    l = root_listener(root, d->listener);
    if (l && l->is_tls == d->is_tls)
        c = decide_chain(root, l, info ? info->sni : STR_NONE);
    return c && chain_asks_the_same(c, d->opened) ? c : NULL;
}

static void downstream_free(struct downstream *d)
{
    if (d->opened)
        part_unref((struct part *)(uintptr_t)&d->opened->part);
    part_unref((struct part *)(uintptr_t)&d->part->part);
    crowd_leave(&d->place);
    seats_add(d->worker->options.id, -1);
    list_remove(&d->node);
    slab_put(&d->worker->downstream_slab, d);
}

static void downstream_closed(struct http_server *server, struct http_conn *conn)
{
    struct downstream *d = CONTAINER_OF(server, struct downstream, server);
    struct worker *w = d->worker;

    (void)conn;
    if (d->is_tls && !d->opened)
        metrics_listener_stat(w->metrics, d->part, STAT_TLS_ERROR, 1);
    metrics_listener_stat(w->metrics, d->part, STAT_DOWNSTREAM_CX_ACTIVE, -1);
    downstream_free(d);
}

static void downstream_counted(struct http_server *server, const uint32_t counts[static H2_COUNTS])
{
    struct downstream *d = CONTAINER_OF(server, struct downstream, server);

    metrics_listener_h2(d->worker->metrics, d->part, counts);
}

static void downstream_replaced(struct http_server *server, struct http_conn *old,
                                struct http_conn *fresh)
{
    (void)old;
    CONTAINER_OF(server, struct downstream, server)->conn = fresh;
}

static void downstream_request(struct http_server *server, struct http_conn *conn, struct leg *leg)
{
    struct downstream *d = CONTAINER_OF(server, struct downstream, server);

    request_begin(d->worker, d, conn, leg);
}

/* Before the chain is known: the defaults of design 7. */
static const struct http_settings first_settings = {
    .request_head_ms = 60000,
    .idle_ms = 3600000,
    .handshake_ms = 15000,
    .max_headers = 100,
    .max_head_octets = 60 * 1024,
    .buffer_limit = 1 << 20,
};

static struct downstream *downstream_new(struct worker *w, const struct listener *l)
{
    struct downstream *d = slab_get(&w->downstream_slab);

    if (!d)
        return NULL;
    d->worker = w;
    d->part = l;
    part_ref((struct part *)(uintptr_t)&l->part);
    d->stats = metrics_listener_row(w->metrics, l);
    d->listener = l->part.slot;
    d->is_tls = l->is_tls;
    d->settings = first_settings;
    if (l->tls_handshake_ms)
        d->settings.handshake_ms = l->tls_handshake_ms;
    d->server.request = downstream_request;
    d->server.opened = downstream_opened;
    d->server.replaced = downstream_replaced;
    d->server.closed = downstream_closed;
    d->server.counted = downstream_counted;
    d->chooser.choose = downstream_choose;
    list_push_back(&w->downstreams, &d->node);
    seats_add(w->options.id, 1);
    return d;
}

static bool downstream_start(struct downstream *d, int take_fd, const struct addr *peer)
{
    struct worker *w = d->worker;
    char text[ADDR_TEXT_MAX];
    struct str ip = addr_format_ip(peer, text);
    struct transport *t = d->is_tls ? net_accept_tls(w->net, take_fd, peer, NULL, &d->chooser)
                                    : net_accept(w->net, take_fd, peer, NULL);

    if (!t)
        return false;
    d->peer_ip_n = (uint8_t)MIN(ip.n, sizeof(d->peer_ip));
    memcpy(d->peer_ip, ip.p, d->peer_ip_n);
    d->conn = http_serve(w->pools, t, &d->server, &d->settings);
    if (!d->conn)
        return false;
    if (w->telling || w->pressure >= PRESSURE_SAVE)
        http_conn_drain(d->conn);
    return true;
}

static bool refuses_all(struct worker *w, const struct listener *l)
{
    bool is_refused = live_pressure() >= PRESSURE_SHED;

    if (is_refused)
        metrics_listener_stat(w->metrics, l, STAT_ACCEPT_REFUSED, 1);
    return is_refused;
}

/* It waited that long to be accepted, or has gone already. */
static bool is_too_late(struct worker *w, const struct listener *l, int fd)
{
    bool is_refused = w->lag.is_behind && net_waited_ms(fd) >= LAG_TOO_LATE_MS;

    if (is_refused)
        metrics_listener_stat(w->metrics, l, STAT_OVERLOAD_REFUSED, 1);
    return is_refused;
}

/* False: the connection is one too many, which is counted. */
static bool port_let_in(struct port *p, const struct listener *l, const struct addr *peer,
                        struct crowd_place *ret)
{
    static const enum stat_id stats[] = {
        [CROWD_LISTENER_FULL] = STAT_ACCEPT_REFUSED,
        [CROWD_ALL_FULL] = STAT_ALL_REFUSED,
        [CROWD_ADDRESS_FULL] = STAT_ADDRESS_REFUSED,
    };
    struct crowd_limits max = { l->max_connections, l->max_connections_in_all };
    enum crowd_answer answer;

    if (!p->crowd)
        p->crowd = live_crowd_get(l->part.name);
    answer = crowd_enter(ret, p->crowd, peer, max);
    if (answer == CROWD_ROOM)
        return true;
    metrics_listener_stat(p->worker->metrics, l, stats[answer], 1);
    return false;
}

static const struct listener *port_serves(const struct port *p)
{
    const struct root *root = worker_root(p->worker);

    return root ? root_listener(root, p->listener) : NULL;
}

static bool port_take(struct port *p, int take_fd, const struct addr *peer)
{
    struct worker *w = p->worker;
    const struct listener *l = port_serves(p);
    struct crowd_place place = { 0 };
    struct downstream *d;

    if (l &&
        (refuses_all(w, l) || is_too_late(w, l, take_fd) || !port_let_in(p, l, peer, &place))) {
        close(take_fd);
        return true;
    }
    d = l ? downstream_new(w, l) : NULL;
    if (!d) {
        close(take_fd);
        crowd_leave(&place);
        metrics_stat(w->metrics, STAT_ACCEPT_REFUSED, 1);
        return l == NULL; /* at the limit: wait a little */
    }
    d->place = place;
    if (!downstream_start(d, take_fd, peer)) {
        downstream_free(d);
        metrics_stat(w->metrics, STAT_ACCEPT_REFUSED, 1);
        return false;
    }
    metrics_listener_stat(w->metrics, l, STAT_DOWNSTREAM_CX_TOTAL, 1);
    metrics_listener_stat(w->metrics, l, STAT_DOWNSTREAM_CX_ACTIVE, 1);
    return true;
}

/* ---- keeping workers even ---- */

struct sent {
    struct seat_mail seat;
    slot_id listener;
    int fd;
    struct addr peer;
};

static void sent_deliver(struct mail *m, struct loop *loop)
{
    struct sent *sent = CONTAINER_OF(m, struct sent, seat.mail);
    struct worker *w = sent->seat.owner;
    struct port *p = port_of_listener(w, sent->listener);

    (void)loop;
    seats_add(w->options.id, -1); /* it is counted where it is taken */
    if (p)
        (void)port_take(p, sent->fd, &sent->peer);
    else
        close(sent->fd); /* the listener was removed on its way */
    free(sent);
}

/* Sends it to the worker with the fewest connections; false: it stays here. */
static bool port_send(struct port *p, int take_fd, const struct addr *peer)
{
    uint32_t id = p->worker->options.id, to = seats_pick(id);
    struct sent *sent;

    if (to == id)
        return false;
    sent = must_alloc(sizeof(*sent));
    sent->seat.mail.deliver = sent_deliver;
    sent->listener = p->listener;
    sent->fd = take_fd;
    sent->peer = *peer;
    if (seats_send(to, &sent->seat))
        return true;
    free(sent);
    return false;
}

static bool port_accepted(struct acceptor *a, int take_fd, const struct addr *peer)
{
    struct port *p = CONTAINER_OF(a, struct port, acceptor);

    return (port_serves(p) && port_send(p, take_fd, peer)) || port_take(p, take_fd, peer);
}

/* ---- ports ---- */

static int port_may_accept(struct acceptor *a)
{
    return lag_may_accept(CONTAINER_OF(a, struct port, acceptor)->worker);
}

void port_open(struct worker *w, slot_id listener, int take_fd)
{
    struct port *p = must_alloc(sizeof(*p));

    p->worker = w;
    p->listener = listener;
    p->acceptor.accepted = port_accepted;
    p->acceptor.may_accept = port_may_accept;
    if (acceptor_start(&p->acceptor, w->loop, take_fd, false) != ERR_OK) {
        free(p);
        return;
    }
    acceptor_set_backlog(&p->acceptor,
                         LISTEN_BACKLOG); /* a worker that crashed may have been behind */
    list_push_back(&w->ports, &p->node);
}

struct port *port_of_listener(struct worker *w, slot_id listener)
{
    LIST_EACH (it, &w->ports, after) {
        struct port *p = LIST_ITEM(it, struct port, node);

        if (p->listener == listener)
            return p;
    }
    return NULL;
}

void port_close(struct port *p)
{
    acceptor_stop(&p->acceptor);
    list_remove(&p->node);
    live_crowd_unref(p->crowd);
    free(p);
}
