#include "proxy/admin_int.h"

#include <stdlib.h>
#include <unistd.h>

#define CONNECTIONS_MAX 128
#define BODIES_MAX (64u << 20) /* all connections at their watermarks */
#define OUT_WATERMARK (256 * 1024)
#define STALL_MS 60000  /* a reader that takes nothing for so long is left */
#define IN_MAX 65536    /* octets of a request's body: none is needed */
#define TURN_NS 2000000 /* a turn that lasts so long already makes no further pieces */

static const struct http_settings default_settings = {
    .request_head_ms = 10000,
    .idle_ms = 120000,
    .max_headers = 100,
    .max_head_octets = 60 * 1024,
    .buffer_limit = 64 * 1024,
};

/* ---- one request ---- */

struct exchange {
    struct task task;
    struct timer stall, again;
    struct admin_service *service;
    struct leg *leg;
    struct admin_call call;
    size_t sent; /* octets of call.body handed to the leg */
    bool answered, stalled;
};

static void exchange_end(struct exchange *x)
{
    struct admin *a = x->service->admin;
    struct arena *arena = x->leg->arena;
    void (*after)(struct admin * a) = x->leg->out_done ? x->call.after : NULL;

    if (x->call.end)
        x->call.end(&x->call);
    buf_fini(&x->call.body);
    task_cancel(&x->task);
    timer_fini(&x->stall);
    timer_fini(&x->again);
    leg_release(x->leg);
    arena_give(a->pools, arena); /* and x with it */
    if (after)
        after(a);
}

static void head_build(struct exchange *x)
{
    const struct admin_call *call = &x->call;
    struct arena *arena = x->leg->arena;
    struct head *head = head_new(arena);

    head->status = call->status;
    head->reason = status_reason(call->status);
    head->content_length = call->more ? -1 : (int64_t)call->body.n;
    headers_add_id(&head->headers, arena, HDR_CONTENT_TYPE, str_of(call->type));
    headers_add_id(&head->headers, arena, HDR_CACHE_CONTROL, STR("no-cache, max-age=0"));
    headers_add(&head->headers, arena, STR("x-content-type-options"), STR("nosniff"));
    headers_add(&head->headers, arena, STR("content-security-policy"),
                STR("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                    "frame-ancestors 'none'"));
    if (str_is_set(call->allow))
        headers_add(&head->headers, arena, STR("allow"), call->allow);
    if (str_is_set(call->answered))
        headers_add(&head->headers, arena, STR("x-lateen-answered"), call->answered);
    x->leg->out_head = head;
}

static void exchange_answer(struct exchange *x)
{
    struct leg *leg = x->leg;
    uint64_t from_ns = loop_clock_ns(x->task.loop);

    x->answered = true;
    if (leg->fail == LEG_BAD || leg->fail == LEG_TIMEOUT) {
        admin_say(&x->call, leg->fail_status ? leg->fail_status : 400, "%s",
                  leg->fail_details ? leg->fail_details : "bad request");
        leg->out_close = true;
    } else if (leg->in_octets > IN_MAX) {
        admin_say(&x->call, 413, "no page takes a body");
        leg->out_close = true;
    } else {
        admin_answer(&x->call, (enum admin_port)x->service->which);
    }
    head_build(x);
    if (leg->in_head && str_eq(leg->in_head->method, STR("HEAD"))) {
        x->sent = x->call.body.n;
        x->call.more = NULL;
    }
    loop_note(x->task.loop, x->call.page ? x->call.page->path.p : "an unknown page", from_ns);
}

/* Hands over as much of the body as the watermark allows; false where no more will go now. */
static bool body_send(struct exchange *x)
{
    struct leg *leg = x->leg;
    struct str rest = str_from(buf_str(&x->call.body), x->sent);
    size_t room = leg->out.n < OUT_WATERMARK ? OUT_WATERMARK - leg->out.n : 0;
    struct str piece = str_sub(rest, 0, room);

    if (piece.n && bufq_copy(&leg->out, &x->service->admin->pools->chunks, piece)) {
        x->sent += piece.n;
        timer_set(&x->stall, STALL_MS);
    }
    return x->sent == x->call.body.n;
}

static bool turn_has_time(const struct loop *loop)
{
    return loop_clock_ns(loop) - loop_now_ns(loop) < TURN_NS;
}

/* Goes on with the page: what is made waits for room in the leg, what is not made for a turn
 * with time for it. */
static void exchange_send(struct exchange *x)
{
    struct admin_call *call = &x->call;
    struct loop *loop = x->service->admin->loop;
    bool sent;

    if (x->leg->out_end)
        return;
    call->waits = false;
    while ((sent = body_send(x)) && call->more && !call->waits && turn_has_time(loop)) {
        uint64_t from_ns = loop_clock_ns(loop);

        buf_reset(&call->body);
        x->sent = 0;
        if (!call->more(call))
            call->more = NULL;
        loop_note(loop, call->page->path.p, from_ns);
    }
    if (sent && call->more)
        timer_set(&x->again, call->waits ? 1 : 0);
    x->leg->out_end = sent && !call->more;
    leg_wake(x->leg);
}

static void exchange_run(struct task *t)
{
    struct exchange *x = CONTAINER_OF(t, struct exchange, task);
    struct leg *leg = x->leg;
    bool bad = leg->fail == LEG_BAD || leg->fail == LEG_TIMEOUT;

    if ((leg->fail != LEG_OK && !bad) || leg->out_done || x->stalled) {
        exchange_end(x);
        return;
    }
    if (leg->in.n) {
        bufq_reset(&leg->in);
        leg_wake(leg);
    }
    if (!x->answered && (bad || leg->in_end || leg->in_octets > IN_MAX))
        exchange_answer(x);
    if (x->answered)
        exchange_send(x);
}

static void exchange_stalled(struct timer *t)
{
    struct exchange *x = CONTAINER_OF(t, struct exchange, stall);

    x->stalled = true;
    task_wake(&x->task);
}

static void exchange_goes_on(struct timer *t)
{
    task_wake(&CONTAINER_OF(t, struct exchange, again)->task);
}

static void request_arrived(struct http_server *http, struct http_conn *c, struct leg *leg)
{
    struct admin_service *s = CONTAINER_OF(http, struct admin_service, http);
    struct exchange *x = ARENA_NEW(leg->arena, struct exchange);

    (void)c;
    x->service = s;
    x->leg = leg;
    x->call.admin = s->admin;
    x->call.request = leg->in_head;
    x->call.arena = leg->arena;
    buf_init(&x->call.body, ADMIN_BODY_MAX);
    task_init(&x->task, s->admin->loop, exchange_run);
    timer_init(&x->stall, s->admin->loop, exchange_stalled);
    timer_init(&x->again, s->admin->loop, exchange_goes_on);
    timer_set(&x->stall, STALL_MS);
    leg->task = &x->task;
    leg->want_body = true;
    task_wake(&x->task);
}

/* ---- connections ---- */

struct admin_conn {
    struct list node;
    struct http_conn *http;
};

static void conn_closed(struct http_server *http, struct http_conn *c)
{
    struct admin_conn *conn = http_conn_owner(c);

    (void)http;
    if (!conn)
        return;
    list_remove(&conn->node);
    free(conn);
}

static void conn_replaced(struct http_server *http, struct http_conn *old, struct http_conn *fresh)
{
    struct admin_conn *conn = http_conn_owner(old);

    (void)http;
    if (conn)
        conn->http = fresh;
}

static bool accepted(struct acceptor *acceptor, int take_fd, const struct addr *peer)
{
    struct admin_service *s = CONTAINER_OF(acceptor, struct admin_service, acceptor);
    struct admin *a = s->admin;
    struct transport *t = net_accept(a->net, take_fd, peer, NULL);
    struct http_conn *http = t ? http_serve(a->pools, t, &s->http, &a->settings) : NULL;
    struct admin_conn *conn;

    if (!http)
        return false;
    conn = must_alloc(sizeof(*conn));
    conn->http = http;
    list_push_back(&a->conns, &conn->node);
    http_conn_set_owner(http, conn);
    return true;
}

enum err admin_serve(struct admin *a, enum admin_port which, int take_fd)
{
    struct admin_service *s = &a->services[which];
    enum err e;

    MUST(!s->is_open);
    s->acceptor.accepted = accepted;
    e = acceptor_start(&s->acceptor, a->loop, take_fd, false);
    s->is_open = e == ERR_OK;
    return e;
}

/* ---- all of it ---- */

struct admin *admin_new(struct loop *loop, const struct admin_host *host)
{
    struct http_limits limits = { CONNECTIONS_MAX, BODIES_MAX };
    struct admin *a = must_alloc(sizeof(*a));

    a->loop = loop;
    a->host = *host;
    a->pools = http_pools_new(loop, &limits);
    a->net = net_new(loop, CONNECTIONS_MAX);
    a->settings = default_settings;
    a->started_ms = loop_now_ms(loop);
    list_init(&a->conns);
    for (size_t i = 0; i < ADMIN_PORTS; i++) {
        struct admin_service *s = &a->services[i];

        s->admin = a;
        s->which = (uint8_t)i;
        s->http = (struct http_server){ .request = request_arrived,
                                        .replaced = conn_replaced,
                                        .closed = conn_closed };
    }
    return a;
}

void admin_free(struct admin *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < ADMIN_PORTS; i++) {
        if (a->services[i].is_open)
            acceptor_stop(&a->services[i].acceptor);
    }
    LIST_EACH (it, &a->conns, after) {
        http_conn_close(LIST_ITEM(it, struct admin_conn, node)->http);
    }
    while (!list_is_empty(&a->conns))
        loop_turn(a->loop, 1);
    net_free(a->net);
    http_pools_free(a->pools);
    free(a);
}
