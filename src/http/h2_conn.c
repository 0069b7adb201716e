#include "http/h2_conn.h"

#define ROUNDS_PER_TURN 8
#define LINGER_MS 1000
#define LINGER_OCTETS (256 * 1024)
#define PONG_MS 1000  /* what GOAWAY waits for the streams that are under way */
#define EOF_MS 30000  /* what a client that sent FIN may wait for its answers */
#define LAST_MS 30000 /* for the other side to take more of what is left behind the last stream */
#define SETTINGS_MS 60000
#define REST_MS 1000 /* idle for so long: memory is given back */

static void conn_run(struct task *t);
static const struct http_conn_ops h2_ops;

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
    h->c.version = HTTP_2;
    task_init(&h->c.task, p->loop, conn_run);
    timer_init(&h->c.timer, p->loop, conn_timeout);
    h2_init(&h->h2, role == HTTP_SERVER ? H2_SERVER : H2_CLIENT, &h2_options_default);
    buf_init(&h->in, 4 * H2_MAX_FRAME); /* a frame, or what HTTP/1's driver had read */
    bufq_init(&h->out);
    list_init(&h->legs);
    list_init(&h->pending);
    list_init(&h->blocked);
    list_init(&h->waiting);
    h->linger_left = LINGER_OCTETS;
    h->rested = UINT32_MAX;
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
    h2_fini(&h->h2);
    slab_put(&p->h2_conns, h);
}

/* ---- the end ---- */

static struct str failure_text(const struct h2_conn *h)
{
    if (h->h2.dead)
        return str_of(h->h2.dead->details);
    return h->c.transport ? h->c.transport->info.failure_text : STR_NONE;
}

static void fail_legs(struct h2_conn *h, enum leg_fail fail)
{
    const char *details = h->h2.dead ? h->h2.dead->details : NULL;
    struct str why = failure_text(h);

    LIST_EACH (it, &h->legs, after) {
        struct h2_leg *l = LIST_ITEM(it, struct h2_leg, node);

        l->leg.transport = NULL;
        if (l->gone || (l->leg.in_end && l->leg.out_done))
            continue;
        l->leg.fail_text = arena_dup(l->leg.arena, why);
        h2_leg_fail(l, fail, details);
    }
}

void h2_die(struct h2_conn *h, enum leg_fail fail, bool reset)
{
    if (h->state == H2C_DEAD)
        return;
    h->state = H2C_DEAD;
    h->c.dead = true;
    fail_legs(h, fail);
    transport_close(h->c.transport, reset);
    h->c.transport = NULL;
    timer_off(&h->c.timer);
    bufq_reset(&h->out);
    chunk_unref(h->fill);
    h->fill = NULL;
    task_wake(&h->c.task);
}

void h2_linger(struct h2_conn *h)
{
    if (h->state != H2C_OPEN)
        return;
    h->state = H2C_LINGER;
    fail_legs(h, h->h2.dead ? LEG_PROTOCOL : LEG_GONE);
    task_wake(&h->c.task);
}

static void conn_linger(struct h2_conn *h)
{
    if (!h2_flush(h))
        return;
    if (!h->finished && h->out.n == 0) {
        h->finished = true;
        h->c.transport->ops->finish(h->c.transport);
    }
    if (!http_conn_discard(&h->c, &h->linger_left) || (h->eof && h->finished && !h->unflushed))
        h2_die(h, LEG_GONE, false);
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
    if (h->c.client && h->c.client->opened)
        h->c.client->opened(h->c.client, &h->c);
    return true;
}

enum armed {
    ARMED_NOT,
    ARMED_OPENING,
    ARMED_LINGER,
    ARMED_EOF,
    ARMED_LAST, /* octets are left behind the last stream */
    ARMED_PONG,
    ARMED_HALFWAY,  /* a preface or a header block arrives */
    ARMED_SETTINGS, /* ours are not acknowledged */
    ARMED_REST,     /* idle, a moment ago busy */
    ARMED_IDLE,
};

static void conn_rest(struct h2_conn *h)
{
    h->rested = h->c.exchanges;
    h->c.pools->rests++;
    h2_rest(&h->h2);
    if (h->in.n == 0)
        buf_fini(&h->in);
}

static void conn_timed_out(struct h2_conn *h)
{
    h->timed_out = false;
    switch (h->armed) {
    case ARMED_OPENING:
        h2_die(h, LEG_CONNECT_TIMEOUT, true);
        break;
    case ARMED_LINGER:
        h2_die(h, LEG_GONE, h->out.n > 0);
        break;
    case ARMED_EOF:
    case ARMED_LAST:
        h2_die(h, LEG_GONE, true);
        break;
    case ARMED_PONG:
        h->ponged = true;
        break;
    case ARMED_HALFWAY:
        h2_end(&h->h2, &h2_error_headers_timeout);
        break;
    case ARMED_SETTINGS:
        h2_end(&h->h2, &h2_error_settings_timeout);
        break;
    case ARMED_REST:
        if (list_is_empty(&h->legs)) /* none was opened since the timer ran out */
            conn_rest(h);
        break;
    case ARMED_IDLE:
        http_conn_retire(&h->c);
        break;
    }
    h->armed = ARMED_NOT;
}

static enum armed conn_waits(const struct h2_conn *h)
{
    uint32_t halfway = h2_is_halfway(&h->h2);

    if (h->state == H2C_OPENING)
        return ARMED_OPENING;
    if (h->state == H2C_LINGER)
        return ARMED_LINGER;
    if (h->eof)
        return ARMED_EOF;
    if (h->goaway_last && list_is_empty(&h->legs))
        return ARMED_LAST;
    if (h->c.retiring && h->goaway_first && !h->ponged)
        return ARMED_PONG;
    if (h2_is_server(h) && halfway == UINT32_MAX)
        return ARMED_HALFWAY;
    if (!h->h2.settings_agreed)
        return ARMED_SETTINGS;
    if (h2_is_server(h) && halfway)
        return ARMED_HALFWAY;
    if (!list_is_empty(&h->legs))
        return ARMED_NOT;
    return h->rested == h->c.exchanges ? ARMED_IDLE : ARMED_REST;
}

static uint32_t idle_for_ms(const struct h2_conn *h)
{
    return (uint32_t)MIN(loop_now_ms(h->c.pools->loop) - h->idle_since_ms, UINT32_MAX);
}

static uint32_t armed_ms(const struct h2_conn *h, enum armed waits)
{
    const struct http_settings *s = h->c.settings;

    switch (waits) {
    case ARMED_OPENING:
        return h2_is_server(h) ? s->handshake_ms : s->connect_ms;
    case ARMED_LINGER:
        return LINGER_MS;
    case ARMED_EOF:
        return EOF_MS;
    case ARMED_LAST:
        return LAST_MS;
    case ARMED_PONG:
        return PONG_MS;
    case ARMED_HALFWAY:
        return s->request_head_ms;
    case ARMED_SETTINGS:
        return SETTINGS_MS;
    case ARMED_REST:
        return s->idle_ms ? MIN(s->idle_ms, REST_MS) : REST_MS;
    case ARMED_IDLE:
        return s->idle_ms ? s->idle_ms - MIN(idle_for_ms(h), s->idle_ms - 1) : 0;
    case ARMED_NOT:
        break;
    }
    return 0;
}

/* The one place that sets the deadline, from the state alone. PING and the like do not keep
 * an idle connection. */
static void conn_arm(struct h2_conn *h)
{
    enum armed waits = conn_waits(h);
    uint32_t what = waits == ARMED_HALFWAY                       ? h2_is_halfway(&h->h2)
                    : waits == ARMED_IDLE || waits == ARMED_REST ? h->c.exchanges
                    : waits == ARMED_LAST                        ? (uint32_t)h->out.n
                                                                 : 0;
    uint32_t ms;

    if (h->state == H2C_DEAD || (h->armed == waits && h->armed_for == what))
        return;
    h->armed = (uint8_t)waits;
    h->armed_for = what;
    if (waits == ARMED_REST)
        h->idle_since_ms = loop_now_ms(h->c.pools->loop);
    ms = armed_ms(h, waits);
    if (ms)
        timer_set(&h->c.timer, ms);
    else
        timer_off(&h->c.timer);
}

/* GOAWAY twice (6.8): that no more is wanted, and, once streams that were under way must have
 * arrived, which was the last. A client has nothing to announce. */
static void conn_leave(struct h2_conn *h)
{
    bool is_server = h2_is_server(h);

    if (is_server && h->c.draining && !h->goaway_first) {
        h->goaway_first = true;
        h2_goaway(&h->h2, H2_MAX_WINDOW, H2_NO_ERROR);
        h2_ping(&h->h2, 0);
    }
    if (h->goaway_last ||
        (is_server ? !h->c.retiring || !h->ponged : !h->c.draining || !list_is_empty(&h->legs)))
        return;
    h->goaway_last = true;
    h2_goaway(&h->h2, h->h2.last_theirs, H2_NO_ERROR);
}

static bool is_done(const struct h2_conn *h)
{
    if (h->state != H2C_OPEN || !(h->goaway_last || h->eof))
        return false;
    return list_is_empty(&h->legs) && h->out.n == 0 && h->h2.control.n == 0;
}

static void tell_client(struct h2_conn *h)
{
    if (h->c.client && h->c.client->changed)
        h->c.client->changed(h->c.client, &h->c);
}

static void tell_counts(struct h2_conn *h)
{
    uint32_t counts[H2_COUNTS];

    if (!h->h2.counted)
        return;
    h2_counts_take(&h->h2, counts);
    if (h->c.server && h->c.server->counted)
        h->c.server->counted(h->c.server, counts);
    if (h->c.client && h->c.client->counted)
        h->c.client->counted(h->c.client, counts);
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

/* The pool learns when a connection that was full takes streams again, and when it has none. */
static void note_usable(struct h2_conn *h)
{
    bool usable = !h2_is_server(h) && h->state != H2C_DEAD && http_conn_is_usable(&h->c);
    bool rests = list_is_empty(&h->legs);
    bool again = usable && (!h->was_usable || (rests && !h->was_at_rest));

    h->was_usable = usable;
    h->was_at_rest = rests;
    if (again)
        tell_client(h);
}

static void conn_rounds(struct h2_conn *h)
{
    for (int round = 0; h->state == H2C_OPEN; round++) {
        bool moved = h2_input(h);

        if (h->state != H2C_OPEN)
            break;
        conn_leave(h);
        moved |= h2_output(h);
        if (!moved)
            break;
        if (round == ROUNDS_PER_TURN) {
            task_wake(&h->c.task);
            break;
        }
    }
}

static void conn_close_now(struct h2_conn *h)
{
    if (h->state == H2C_OPEN) {
        h2_goaway(&h->h2, h->h2.last_theirs, H2_NO_ERROR);
        (void)h2_flush(h);
    }
    h2_die(h, LEG_GONE, false);
}

static void conn_run(struct task *t)
{
    struct h2_conn *h = CONTAINER_OF(t, struct h2_conn, c.task);

    h2_relax(&h->h2, loop_now_ms(h->c.pools->loop));
    if (h->timed_out && h->state != H2C_DEAD)
        conn_timed_out(h);
    if (h->closing)
        conn_close_now(h);
    if (h->state == H2C_OPENING && !conn_open(h) && h->state != H2C_DEAD) {
        conn_arm(h);
        return;
    }
    conn_rounds(h);
    if (is_done(h))
        h2_linger(h);
    if (h->state == H2C_LINGER)
        conn_linger(h);
    tell_counts(h);
    if (h->state == H2C_DEAD && conn_bury(h))
        return;
    note_usable(h);
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
    l->unopened = true;
    h->unopened++;
    h->was_usable = http_conn_is_usable(c);
    h->was_at_rest = false;
    return &l->leg;
}

static bool conn_is_usable(const struct http_conn *c)
{
    const struct h2_conn *h = CONTAINER_OF(c, const struct h2_conn, c);

    return h->state <= H2C_OPEN && !h->closing && h2_open_room(&h->h2) > h->unopened;
}

static bool conn_is_at_rest(const struct http_conn *c)
{
    return list_is_empty(&CONTAINER_OF(c, const struct h2_conn, c)->legs);
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
    .is_at_rest = conn_is_at_rest,
    .drain = conn_wake,
    .retire = conn_wake,
    .close = conn_close,
};
