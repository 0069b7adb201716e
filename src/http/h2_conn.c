#include "http/h2_conn.h"

#define ROUNDS_PER_TURN 8
#define LINGER_MS 1000

static void conn_run(struct task *t);
static const struct http_conn_ops h2_ops;
static const struct leg_ops h2_leg_ops;

static void conn_timeout(struct timer *t)
{
    struct h2_conn *h = CONTAINER_OF(t, struct h2_conn, c.timer);

    h->timed_out = true;
    task_wake(&h->c.task);
}

struct http_conn *h2_conn_new(struct http_pools *p, enum http_role role,
                              struct transport *take_transport,
                              const struct http_settings *settings)
{
    struct h2_conn *h = slab_get(&p->h2_conns);

    if (!h) {
        transport_close(take_transport, true);
        return NULL;
    }
    http_conn_init(&h->c, &h2_ops, role, p, take_transport, settings);
    task_init(&h->c.task, p->loop, conn_run);
    timer_init(&h->c.timer, p->loop, conn_timeout);
    h2_init(&h->h2, role == HTTP_SERVER ? H2_SERVER : H2_CLIENT, &h2_options_default);
    buf_init(&h->in, 2 * (H2_MAX_FRAME + H2_HEAD_LEN));
    bufq_init(&h->out);
    list_init(&h->legs);
    list_init(&h->pending);
    list_init(&h->blocked);
    return &h->c;
}

void h2_conn_feed(struct http_conn *c, struct str octets)
{
    struct h2_conn *h = CONTAINER_OF(c, struct h2_conn, c);

    MUST(buf_add(&h->in, octets));
}

static void conn_free(struct h2_conn *h)
{
    struct http_pools *p = h->c.pools;

    if (h->c.server && h->c.server->closed)
        h->c.server->closed(h->c.server, &h->c);
    timer_fini(&h->c.timer);
    task_cancel(&h->c.task);
    buf_fini(&h->in);
    bufq_reset(&h->out);
    h2_fini(&h->h2);
    slab_put(&p->h2_conns, h);
}

/* ---- legs ---- */

struct h2_leg *h2_leg_new(struct h2_conn *h, struct arena *arena)
{
    struct h2_leg *l = slab_get(&h->c.pools->h2_legs);

    if (!l)
        return NULL;
    leg_init(&l->leg, &h2_leg_ops);
    l->leg.arena = arena;
    l->leg.in_limit = h->c.settings->buffer_limit;
    l->leg.transport = h->c.transport;
    l->conn = h;
    l->out_left = -1;
    list_init(&l->turn);
    list_push_back(&h->legs, &l->node);
    h->c.exchanges += h2_is_server(h);
    return l;
}

void h2_leg_pend(struct h2_leg *l)
{
    list_remove(&l->turn);
    list_push_back(&l->conn->pending, &l->turn);
    task_wake(&l->conn->c.task);
}

void h2_leg_fail(struct h2_leg *l, enum leg_fail fail, const char *details)
{
    if (l->leg.fail != LEG_OK)
        return;
    l->leg.fail = (uint8_t)fail;
    l->leg.fail_details = details;
    list_remove(&l->turn);
    bufq_reset(&l->leg.out);
    leg_notify(&l->leg);
}

void h2_leg_taken(struct h2_leg *l)
{
    struct h2_conn *h = l->conn;
    size_t taken = l->held - l->leg.in.n;

    l->held -= taken;
    h->held -= taken;
    if (h->state == H2C_DEAD || taken == 0)
        return;
    if (l->s.is_open)
        h2_stream_consumed(&h->h2, &l->s, taken);
    if (h->held <= h->h2.options.connection_window && h->owed) {
        h2_connection_consumed(&h->h2, h->owed);
        h->owed = 0;
    }
}

static void leg_woken(struct leg *leg)
{
    struct h2_leg *l = CONTAINER_OF(leg, struct h2_leg, leg);

    h2_leg_taken(l);
    if (l->leg.fail == LEG_OK)
        h2_leg_pend(l);
}

/* How a leg that did not end in order is reset (RFC 9113, 8.1: NO_ERROR behind a whole
 * answer that did not need the rest of the request). */
static uint32_t reset_code(const struct h2_leg *l)
{
    if (!h2_is_server(l->conn))
        return H2_CANCEL;
    return l->s.sent_end ? H2_NO_ERROR : H2_INTERNAL_ERROR;
}

static void leg_released(struct leg *leg)
{
    struct h2_leg *l = CONTAINER_OF(leg, struct h2_leg, leg);
    struct h2_conn *h = l->conn;

    bufq_reset(&leg->in);
    h2_leg_taken(l);
    if (h->state != H2C_DEAD)
        h2_stream_close(&h->h2, &l->s, reset_code(l));
    leg_fini(leg);
    list_remove(&l->turn);
    list_remove(&l->node);
    slab_put(&h->c.pools->h2_legs, l);
    task_wake(&h->c.task);
}

static const struct leg_ops h2_leg_ops = {
    .wake = leg_woken,
    .release = leg_released,
};

/* ---- the end ---- */

void h2_die(struct h2_conn *h, enum leg_fail fail, bool reset)
{
    struct str why = h->c.transport ? h->c.transport->info.failure_text : STR_NONE;

    if (h->state == H2C_DEAD)
        return;
    h->state = H2C_DEAD;
    h->c.dead = true;
    LIST_EACH (it, &h->legs, after) {
        struct h2_leg *l = LIST_ITEM(it, struct h2_leg, node);

        l->leg.fail_text = arena_dup(l->leg.arena, why);
        l->leg.transport = NULL;
        if (!(l->leg.in_end && l->leg.out_done))
            h2_leg_fail(l, fail, NULL);
    }
    transport_close(h->c.transport, reset);
    h->c.transport = NULL;
    timer_off(&h->c.timer);
    bufq_reset(&h->out);
    task_wake(&h->c.task);
}

/* ---- the turn ---- */

static bool conn_open(struct h2_conn *h)
{
    struct transport *t = h->c.transport;

    if (t->state == TRANSPORT_OPENING)
        t->state = t->ops->advance(t);
    if (t->state == TRANSPORT_OPENING)
        return false;
    if (t->state == TRANSPORT_FAILED) {
        h2_die(h, LEG_CONNECT, false);
        return false;
    }
    h->state = H2C_OPEN;
    return true;
}

static void conn_timed_out(struct h2_conn *h)
{
    h->timed_out = false;
    if (h->state == H2C_OPENING)
        h2_die(h, LEG_CONNECT_TIMEOUT, true);
    else if (list_is_empty(&h->legs))
        http_conn_retire(&h->c);
}

enum armed { ARMED_NOT, ARMED_OPENING, ARMED_IDLE };

static void conn_arm(struct h2_conn *h)
{
    const struct http_settings *s = h->c.settings;
    enum armed waits = h->state == H2C_OPENING   ? ARMED_OPENING
                       : list_is_empty(&h->legs) ? ARMED_IDLE
                                                 : ARMED_NOT;
    uint32_t ms = 0;

    if (h->state == H2C_DEAD || (h->armed == waits && waits != ARMED_IDLE))
        return;
    h->armed = (uint8_t)waits;
    if (waits == ARMED_OPENING)
        ms = h2_is_server(h) ? s->handshake_ms : s->connect_ms;
    else if (waits == ARMED_IDLE)
        ms = s->idle_ms;
    if (ms)
        timer_set(&h->c.timer, ms);
    else
        timer_off(&h->c.timer);
}

/* GOAWAY twice (6.8): first that no more is wanted, then what was the last. */
static void conn_leave(struct h2_conn *h)
{
    if (h->c.draining && h2_is_server(h) && !h->goaway_first) {
        h->goaway_first = true;
        h2_goaway(&h->h2, H2_MAX_WINDOW, H2_NO_ERROR);
    }
    if (!h->c.retiring || !list_is_empty(&h->legs) || h->goaway_last)
        return;
    h->goaway_last = true;
    h2_goaway(&h->h2, h->h2.last_theirs, H2_NO_ERROR);
}

static bool is_done(const struct h2_conn *h)
{
    return h->goaway_last && list_is_empty(&h->legs) && h->out.n == 0 && h->h2.control.n == 0;
}

static void tell_client(struct h2_conn *h)
{
    if (h->c.client && h->c.client->changed)
        h->c.client->changed(h->c.client, &h->c);
}

static bool conn_bury(struct h2_conn *h)
{
    tell_client(h);
    h->c.client = NULL; /* told once */
    if (!list_is_empty(&h->legs))
        return false;
    conn_free(h);
    return true;
}

static void conn_run(struct task *t)
{
    struct h2_conn *h = CONTAINER_OF(t, struct h2_conn, c.task);

    if (h->timed_out && h->state != H2C_DEAD)
        conn_timed_out(h);
    if (h->closing)
        h2_die(h, LEG_GONE, false);
    if (h->state == H2C_OPENING && !conn_open(h) && h->state != H2C_DEAD) {
        conn_arm(h);
        return;
    }
    for (int round = 0; h->state != H2C_DEAD; round++) {
        bool moved = h2_input(h);

        if (h->state == H2C_DEAD)
            break;
        conn_leave(h);
        moved |= h2_output(h);
        if (!moved || h->state == H2C_DEAD)
            break;
        if (round == ROUNDS_PER_TURN) {
            task_wake(t);
            break;
        }
    }
    if (h->state != H2C_DEAD && is_done(h))
        h2_die(h, LEG_GONE, false);
    if (h->state == H2C_DEAD && conn_bury(h))
        return;
    conn_arm(h);
}

/* ---- what owners call ---- */

static struct leg *conn_open_leg(struct http_conn *c, struct arena *arena, struct task *task)
{
    struct h2_conn *h = CONTAINER_OF(c, struct h2_conn, c);
    struct h2_leg *l = h2_leg_new(h, arena);

    if (!l)
        return NULL;
    l->leg.task = task;
    l->leg.reused = c->exchanges > 1;
    h2_stream_open(&h->h2, &l->s, 0);
    return &l->leg;
}

static bool conn_is_usable(const struct http_conn *c)
{
    const struct h2_conn *h = CONTAINER_OF(c, const struct h2_conn, c);

    return h->state != H2C_DEAD && !h->closing && !h->eof && h2_may_open(&h->h2);
}

static void conn_wake(struct http_conn *c)
{
    task_wake(&c->task);
}

static void conn_close(struct http_conn *c)
{
    CONTAINER_OF(c, struct h2_conn, c)->closing = true;
    task_wake(&c->task);
}

static const struct http_conn_ops h2_ops = {
    .open = conn_open_leg,
    .is_usable = conn_is_usable,
    .drain = conn_wake,
    .retire = conn_wake,
    .close = conn_close,
};
