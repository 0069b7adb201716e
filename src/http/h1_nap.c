#include "http/h1_nap.h"

#include "http/h1_conn.h"
#include "net/net.h"

struct h1_nap {
    struct http_conn c; /* without a transport while that is parked */
    struct parked parked;
    struct watch watch; /* of a parked descriptor */
    bool timed_out, closing;
};

static const struct http_conn_ops nap_ops;

static struct h1_nap *nap_of(struct http_conn *c)
{
    return CONTAINER_OF(c, struct h1_nap, c);
}

size_t h1_nap_size(void)
{
    return sizeof(struct h1_nap);
}

/* What the owner knows of a connection goes from one to the other. */
static void identity_copy(struct http_conn *to, const struct http_conn *from)
{
    to->server = from->server;
    to->owner = from->owner;
    to->id = from->id;
    to->exchanges = from->exchanges;
    to->draining = from->draining;
    to->retiring = from->retiring;
}

static void nap_free(struct h1_nap *n)
{
    timer_fini(&n->c.timer);
    task_cancel(&n->c.task);
    slab_put(&n->c.pools->naps, n);
}

/* The connection is over, and its transport gone. */
static void nap_bury(struct h1_nap *n)
{
    if (n->c.server->closed)
        n->c.server->closed(n->c.server, &n->c);
    nap_free(n);
}

static void nap_end(struct h1_nap *n)
{
    if (n->parked.net) {
        watch_stop(&n->watch);
        net_parked_close(&n->parked);
    }
    transport_close(n->c.transport, false);
    n->c.transport = NULL;
    nap_bury(n);
}

static bool nap_hears(const struct h1_nap *n)
{
    return n->parked.net ? n->watch.ready & (READY_READ | READY_HUP)
                         : !n->c.transport->read_drained;
}

/* Something came: the driver goes on where it was. */
static void nap_wake(struct h1_nap *n)
{
    struct transport *t = n->c.transport;
    struct http_conn *fresh = NULL;

    if (n->parked.net) {
        watch_stop(&n->watch);
        t = net_unpark(&n->parked, NULL);
    }
    n->c.transport = NULL;
    if (t)
        fresh = h1_conn_new(n->c.pools, HTTP_SERVER, t, n->c.settings);
    if (!fresh) {
        nap_bury(n);
        return;
    }
    identity_copy(fresh, &n->c);
    h1_of(fresh)->state = H1_IDLE;
    fresh->server->replaced(fresh->server, &n->c, fresh);
    nap_free(n);
    task_wake(&fresh->task);
}

static void nap_run(struct task *t)
{
    struct h1_nap *n = CONTAINER_OF(t, struct h1_nap, c.task);

    if (n->closing)
        nap_end(n);
    else if (nap_hears(n))
        nap_wake(n);
    else if (n->timed_out || n->c.retiring)
        nap_end(n);
}

static void nap_timeout(struct timer *t)
{
    struct h1_nap *n = CONTAINER_OF(t, struct h1_nap, c.timer);

    n->timed_out = true;
    task_wake(&n->c.task);
}

/* A descriptor that cannot be watched ends the connection in the nap's first turn. */
static void nap_park(struct h1_nap *n)
{
    struct transport *t = n->c.transport;

    n->c.transport = NULL;
    t->ops->park(t, &n->parked);
    if (!watch_start(&n->watch, n->c.pools->loop, n->parked.fd, &n->c.task)) {
        n->closing = true;
        task_wake(&n->c.task);
    }
}

struct http_conn *h1_nap_new(struct http_conn *c, uint64_t idle_ms)
{
    struct h1_nap *n = slab_get(&c->pools->naps);
    uint64_t all_ms = c->settings->idle_ms;

    if (!n)
        return NULL;
    c->pools->rests++;
    http_conn_init(&n->c, &nap_ops, HTTP_SERVER, c->pools, c->transport, c->settings);
    identity_copy(&n->c, c);
    task_init(&n->c.task, c->pools->loop, nap_run);
    timer_init(&n->c.timer, c->pools->loop, nap_timeout);
    if (all_ms)
        timer_set(&n->c.timer, all_ms > idle_ms ? all_ms - idle_ms : 1);
    if (n->c.transport->ops->park)
        nap_park(n);
    return &n->c;
}

/* ---- what owners call ---- */

static bool nap_is_usable(const struct http_conn *c)
{
    (void)c;
    return false; /* a server's */
}

static bool nap_is_at_rest(const struct http_conn *c)
{
    (void)c;
    return true;
}

static const struct parked *nap_parked(const struct http_conn *c)
{
    const struct h1_nap *n = CONTAINER_OF(c, struct h1_nap, c);

    return n->parked.net ? &n->parked : NULL;
}

static void nap_woken(struct http_conn *c)
{
    task_wake(&c->task);
}

static void nap_close(struct http_conn *c)
{
    nap_of(c)->closing = true;
    task_wake(&c->task);
}

static const struct http_conn_ops nap_ops = {
    .is_usable = nap_is_usable,
    .is_at_rest = nap_is_at_rest,
    .parked = nap_parked,
    .drain = nap_woken,
    .retire = nap_woken,
    .close = nap_close,
};
