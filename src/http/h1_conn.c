#include "http/h1_conn.h"

#include "http/h1_nap.h"
#include "http/h2_conn.h"

#define LINGER_MS 1000
#define FIRST_MS 1000 /* what a connection that is to end waits for its first request */
#define NAP_MS 1000   /* idle for so long: it is kept as little as it can be */
#define LINGER_OCTETS (256 * 1024)
#define ROUNDS_PER_TURN 8

static void conn_run(struct task *t);

static void conn_timeout(struct timer *t)
{
    struct h1_conn *h = CONTAINER_OF(t, struct h1_conn, c.timer);

    h->timed_out = true;
    task_wake(&h->c.task);
}

static const struct http_conn_ops h1_ops;

struct http_conn *h1_conn_new(struct http_pools *p, enum http_role role,
                              struct transport *take_transport,
                              const struct http_settings *settings)
{
    struct h1_conn *h = slab_get(&p->conns);

    if (!h) {
        transport_close(take_transport, true);
        return NULL;
    }
    http_conn_init(&h->c, &h1_ops, role, p, take_transport, settings);
    task_init(&h->c.task, p->loop, conn_run);
    timer_init(&h->c.timer, p->loop, conn_timeout);
    h->limits = h1_limits_default;
    h->limits.max_head_octets = settings->max_head_octets;
    h->limits.max_headers = settings->max_headers;
    buf_init(&h->in, settings->max_head_octets + 2 * CHUNK_OCTETS);
    bufq_init(&h->out);
    leg_init(&h->leg, &h1_leg_ops);
    h1_input_next(h);
    h1_output_next(h);
    return &h->c;
}

static void conn_free(struct h1_conn *h)
{
    struct http_pools *p = h->c.pools;

    if (h->c.server && h->c.server->closed)
        h->c.server->closed(h->c.server, &h->c);
    timer_fini(&h->c.timer);
    task_cancel(&h->c.task);
    buf_fini(&h->in);
    leg_fini(&h->leg);
    arena_give(p, h->request_arena);
    slab_put(&p->conns, h);
}

/* A body that ends with the connection would look whole behind a FIN. */
static bool is_cut_unseen(const struct h1_conn *h)
{
    return h->head_queued && h->out_framing == H1_BODY_UNTIL_CLOSE && !h->leg.out_done;
}

/* What a request is answered for is no end yet: its connection's is. */
static bool may_fail(const struct leg *leg)
{
    return leg->fail == LEG_OK || leg->fail == LEG_BAD || leg->fail == LEG_TIMEOUT;
}

void h1_die(struct h1_conn *h, enum leg_fail fail, const char *details, bool reset)
{
    if (h->state == H1_DEAD)
        return;
    reset |= is_cut_unseen(h);
    if (h->leg_open && may_fail(&h->leg)) {
        h->leg.fail = (uint8_t)fail;
        h->leg.fail_details = details;
        if (h->c.transport)
            h->leg.fail_text = arena_dup(h->leg.arena, h->c.transport->info.failure_text);
    }
    h->state = H1_DEAD;
    h->c.dead = true;
    h->leg.transport = NULL;
    transport_close(h->c.transport, reset);
    h->c.transport = NULL;
    timer_off(&h->c.timer);
    bufq_reset(&h->out);
    chunk_unref(h->fill);
    h->fill = NULL;
    if (h->leg_open)
        leg_notify(&h->leg);
    task_wake(&h->c.task);
}

/* ---- HTTP/2 ---- */

/* Hands the transport and what has arrived over to the other driver. `h` is freed. */
static void become_h2(struct h1_conn *h)
{
    struct http_conn *old = &h->c, *fresh;

    fresh = h2_conn_new(old->pools, HTTP_SERVER, old->transport, old->settings);
    old->transport = NULL;
    if (!fresh) {
        h->state = H1_DEAD;
        old->dead = true;
        conn_free(h);
        return;
    }
    fresh->server = old->server;
    fresh->owner = old->owner;
    fresh->draining = old->draining;
    fresh->retiring = old->retiring;
    h2_conn_feed(fresh, buf_str(&h->in));
    if (old->server->replaced)
        old->server->replaced(old->server, old, fresh);
    old->server = NULL; /* it is not closed */
    conn_free(h);
    task_wake(&fresh->task);
}

static bool speaks_h2(const struct h1_conn *h)
{
    return h1_is_server(h) && str_eq(h->c.transport->info.alpn, STR("h2"));
}

/* ---- opening ---- */

static void conn_rest(struct h1_conn *h);

static void conn_opened(struct h1_conn *h)
{
    h->state = h->leg_open ? H1_EXCHANGE : H1_IDLE;
    if (h->c.server && h->c.server->opened)
        h->c.server->opened(h->c.server, &h->c);
    if (h->c.client && h->c.client->opened)
        h->c.client->opened(h->c.client, &h->c);
    if (h->c.client && !h->leg_open)
        conn_rest(h); /* whoever it was dialled for is gone: for the next */
}

/* True once the transport is open. */
static bool conn_open(struct h1_conn *h)
{
    struct transport *t = h->c.transport;

    if (t->state == TRANSPORT_OPENING)
        t->state = t->ops->advance(t);
    if (t->state == TRANSPORT_OPENING)
        return false;
    if (t->state == TRANSPORT_FAILED) {
        h1_die(h, LEG_CONNECT, "upstream_reset_before_response_started{connection_failure}", false);
        return false;
    }
    conn_opened(h);
    return true;
}

/* ---- the end of an exchange ---- */

/* Stops sending, and reads on for a while so that the client gets what was sent: closing
 * with octets unread would reset the connection under it. */
static void conn_linger(struct h1_conn *h)
{
    h->state = H1_LINGER;
    h->linger_left = LINGER_OCTETS;
    h->c.transport->ops->finish(h->c.transport);
}

static bool was_sent(const struct h1_conn *h)
{
    return h->leg.out_done && !h->write_broken;
}

/* May another exchange follow this one? */
static bool goes_on(const struct h1_conn *h)
{
    return was_sent(h) && h->in_state == H1_IN_DONE && h->keep_alive && !h->closing &&
           (!h->eof || h1_has_pipelined(h));
}

static void conn_rest(struct h1_conn *h)
{
    leg_fini(&h->leg);
    h->state = H1_IDLE;
    h1_input_next(h);
    h1_output_next(h);
    if (h->c.client && h->c.client->changed)
        h->c.client->changed(h->c.client, &h->c);
}

/* The owner has let go. */
static void conn_exchange_done(struct h1_conn *h)
{
    bool sent = was_sent(h);

    if (goes_on(h)) {
        conn_rest(h);
        return;
    }
    leg_fini(&h->leg);
    if (!h1_is_server(h) || h->eof || !sent) {
        h1_die(h, LEG_GONE, NULL, false);
        return;
    }
    conn_linger(h);
}

/* ---- the turn ---- */

static void conn_timed_out(struct h1_conn *h)
{
    h->timed_out = false;
    if (h->state == H1_OPENING) {
        h1_die(h, LEG_CONNECT_TIMEOUT, "upstream_reset_before_response_started{connection_timeout}",
               true);
    } else if (h->state == H1_IDLE && h1_is_server(h) && h->in.n > 0) {
        h1_bad_request(h, LEG_TIMEOUT, 408, "request_header_timeout");
    } else if (h->state != H1_EXCHANGE) {
        h1_die(h, LEG_GONE, NULL, false);
    }
}

enum armed {
    ARMED_NOT,
    ARMED_OPENING,
    ARMED_NAP,
    ARMED_IDLE,
    ARMED_FIRST,
    ARMED_HEAD,
    ARMED_LINGER
};

/* To be ended, but its first request may be under way: it was accepted a moment ago. */
static bool is_unused(const struct h1_conn *h)
{
    return h1_is_server(h) && h->c.exchanges == 0;
}

static bool may_nap(const struct h1_conn *h)
{
    uint32_t idle_ms = h->c.settings->idle_ms;

    return h1_is_server(h) && h->c.server->replaced && h->c.exchanges > 0 && !h->napless &&
           (idle_ms == 0 || idle_ms > NAP_MS);
}

static enum armed conn_waits_for(const struct h1_conn *h)
{
    switch (h->state) {
    case H1_OPENING:
        return ARMED_OPENING;
    case H1_IDLE:
        if (h->in.n)
            return ARMED_HEAD;
        if (h->c.retiring && is_unused(h))
            return ARMED_FIRST;
        return may_nap(h) ? ARMED_NAP : ARMED_IDLE;
    case H1_LINGER:
        return ARMED_LINGER;
    default:
        return ARMED_NOT;
    }
}

/* The one place that sets the deadline, from the state alone. */
static void conn_arm(struct h1_conn *h)
{
    const struct http_settings *s = h->c.settings;
    enum armed waits = conn_waits_for(h);
    uint32_t ms = 0;

    if (h->armed == waits && waits != ARMED_IDLE && waits != ARMED_NAP)
        return;
    h->armed = (uint8_t)waits;
    if (waits == ARMED_OPENING)
        ms = h1_is_server(h) ? s->handshake_ms : s->connect_ms;
    else if (waits == ARMED_NAP)
        ms = NAP_MS;
    else if (waits == ARMED_IDLE)
        ms = s->idle_ms;
    else if (waits == ARMED_FIRST)
        ms = FIRST_MS;
    else if (waits == ARMED_HEAD)
        ms = s->request_head_ms;
    else if (waits == ARMED_LINGER)
        ms = LINGER_MS;
    if (waits == ARMED_NAP)
        h->nap_due_ms = loop_now_ms(h->c.pools->loop) + ms;
    if (ms)
        timer_set(&h->c.timer, ms);
    else
        timer_off(&h->c.timer);
}

/* The nap timer ran out. True: `h` is freed, and a nap stands in its place. */
static bool conn_nap(struct h1_conn *h)
{
    uint64_t late_ms = loop_now_ms(h->c.pools->loop) - h->nap_due_ms;
    struct http_conn *nap;

    h->timed_out = false;
    if (h->state != H1_IDLE || h->closing || h->eof || h->in.n || !h->c.transport->read_drained)
        return false;
    nap = h1_nap_new(&h->c, NAP_MS + late_ms);
    h->napless = nap == NULL;
    if (!nap)
        return false;
    h->c.transport = NULL;
    h->c.server->replaced(h->c.server, &h->c, nap);
    h->c.server = NULL; /* it is not closed */
    conn_free(h);
    return true;
}

/* True if the connection was freed. */
static bool conn_bury(struct h1_conn *h)
{
    if (h->c.client && h->c.client->changed) {
        struct http_client *client = h->c.client;

        h->c.client = NULL; /* told once */
        client->changed(client, &h->c);
    }
    if (h->leg_open)
        return false;
    conn_free(h);
    return true;
}

/* True: there is more to do. */
static bool conn_step(struct h1_conn *h)
{
    bool more;

    if (h->state == H1_LINGER) {
        if (!http_conn_discard(&h->c, &h->linger_left))
            h1_die(h, LEG_GONE, NULL, false);
        return false;
    }
    more = h1_input(h);
    if (h->state == H1_DEAD)
        return false;
    h1_output(h);
    if (h->state == H1_EXCHANGE && !h->leg_open) {
        conn_exchange_done(h);
        more = h->in.n > 0 || (h->c.transport && !h->c.transport->read_drained);
    }
    return more && h->state != H1_DEAD;
}

static void conn_run(struct task *t)
{
    struct h1_conn *h = CONTAINER_OF(t, struct h1_conn, c.task);

    if (h->timed_out && h->armed == ARMED_NAP && conn_nap(h))
        return;
    if (h->timed_out && h->state != H1_DEAD)
        conn_timed_out(h);
    if (h->closing && h->state != H1_DEAD && (h->state != H1_EXCHANGE || h->leg_open))
        h1_die(h, LEG_GONE, NULL, false);
    if (h->state == H1_OPENING && !conn_open(h) && h->state != H1_DEAD) {
        conn_arm(h);
        return;
    }
    h->is_h2 |= h->state == H1_IDLE && h->c.exchanges == 0 && speaks_h2(h);
    for (int round = 0; h->state != H1_DEAD && !h->is_h2 && conn_step(h); round++) {
        if (round == ROUNDS_PER_TURN) {
            task_wake(t);
            break;
        }
    }
    if (h->is_h2 && h->state != H1_DEAD) {
        become_h2(h);
        return;
    }
    if (h->state == H1_IDLE && h->c.retiring && h->in.n == 0 && !is_unused(h))
        h1_die(h, LEG_GONE, NULL, false);
    if (h->state == H1_DEAD && conn_bury(h))
        return;
    if (h->state != H1_EXCHANGE || h->armed != ARMED_NOT)
        conn_arm(h);
}

/* ---- what owners call ---- */

static struct leg *h1_open(struct http_conn *c, struct arena *arena, struct task *task)
{
    struct h1_conn *h = h1_of(c);

    leg_init(&h->leg, &h1_leg_ops);
    h->leg.arena = arena;
    h->leg.task = task;
    h->leg.in_limit = c->settings->buffer_limit;
    h->leg.reused = c->exchanges > 1;
    h->leg.transport = c->transport;
    h->leg_open = true;
    h->keep_alive = true;
    if (h->state == H1_IDLE)
        h->state = H1_EXCHANGE;
    return &h->leg;
}

static bool h1_is_usable(const struct http_conn *c)
{
    const struct h1_conn *h = CONTAINER_OF(c, struct h1_conn, c);

    return !h->leg_open && !h->closing && !h->eof &&
           (h->state == H1_IDLE || h->state == H1_OPENING);
}

static bool h1_is_at_rest(const struct http_conn *c)
{
    return !CONTAINER_OF(c, const struct h1_conn, c)->leg_open;
}

static void h1_wake(struct http_conn *c)
{
    task_wake(&c->task);
}

static void h1_close(struct http_conn *c)
{
    h1_of(c)->closing = true;
    task_wake(&c->task);
}

static const struct http_conn_ops h1_ops = {
    .open = h1_open,
    .is_usable = h1_is_usable,
    .is_at_rest = h1_is_at_rest,
    .drain = h1_wake,
    .retire = h1_wake,
    .close = h1_close,
};

/* Can the driver go on with what the owner gave or took? What still arrives wakes it. */
static bool has_work(const struct h1_conn *h)
{
    const struct leg *leg = &h->leg;

    if (h->state != H1_EXCHANGE || leg->out_break)
        return true;
    if (!h->end_queued && (leg->out_head || leg->out_info))
        return true;
    if (h->in_state != H1_IN_BODY)
        return false;
    return !h->c.transport->read_drained ||
           (leg->want_body && leg->in_head && leg->in_head->expect_continue);
}

static void leg_woken(struct leg *leg)
{
    struct h1_conn *h = CONTAINER_OF(leg, struct h1_conn, leg);

    if (has_work(h))
        task_wake(&h->c.task);
}

/* Nothing is left of the exchange and nothing else waits: the connection is at rest at once. */
static bool is_over(const struct h1_conn *h)
{
    return h->state == H1_EXCHANGE && goes_on(h) && h->in.n == 0 && !h->eof && !h->c.retiring &&
           h->c.transport->read_drained;
}

static void leg_released(struct leg *leg)
{
    struct h1_conn *h = CONTAINER_OF(leg, struct h1_conn, leg);

    MUST(h->leg_open);
    h->leg_open = false;
    leg->task = NULL;
    leg->arena = NULL;
    leg->out_head = NULL; /* in the arena that goes away now */
    leg->out_trailers = NULL;
    leg->out_info = NULL;
    leg->in_head = NULL;
    if (is_over(h)) {
        conn_rest(h);
        conn_arm(h);
    } else {
        task_wake(&h->c.task);
    }
}

const struct leg_ops h1_leg_ops = {
    .wake = leg_woken,
    .release = leg_released,
};
