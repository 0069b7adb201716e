/*
 * echo/exchange - one request and its answer: takes the body in, waits as asked, answers.
 */
#include "echo/serve_int.h"

#define OUT_WATERMARK (256 * 1024)
/* Breaking off behind the head waits until the head has left. */
#define RESET_POLL_MS 2
#define RESET_POLLS 500

enum exchange_state { TAKING, WAITING, SENDING, BREAKING };

struct exchange {
    struct task task;
    struct timer timer;
    struct echo_server *server;
    const struct echo_identity *who;
    struct leg *leg;
    struct echo_answer answer;
    uint64_t fill_left;
    uint8_t state; /* enum exchange_state */
    bool body_queued;
    uint32_t polls;
};

static void exchange_end(struct exchange *x)
{
    struct http_pools *pools = x->server->pools;
    struct arena *arena = x->leg->arena;

    task_cancel(&x->task);
    timer_fini(&x->timer);
    leg_release(x->leg);
    arena_give(pools, arena); /* and x with it */
}

/* An unreadable request is answered with what the codec says of it. */
static void answer_bad(struct exchange *x)
{
    struct head *head = head_new(x->leg->arena);

    head->status = x->leg->fail_status ? x->leg->fail_status : 400;
    head->reason = status_reason(head->status);
    head->content_length = 0;
    x->answer.head = head;
    x->leg->out_close = true;
}

static void answer_request(struct exchange *x)
{
    struct echo_request rq = { .head = x->leg->in_head, .body_octets = x->leg->in_octets };

    if (x->leg->transport)
        rq.remote = x->leg->transport->info.remote;
    echo_answer_build(x->who, &rq, x->leg->arena, &x->answer);
    x->fill_left = x->answer.fill;
}

static void start_sending(struct exchange *x)
{
    struct leg *leg = x->leg;

    leg->out_close |= x->answer.close;
    leg->out_head = x->answer.head;
    x->state = x->answer.reset_at_head ? BREAKING : SENDING;
}

/* Returns true once the answer may go out. */
static bool exchange_take(struct exchange *x)
{
    struct leg *leg = x->leg;

    if (leg->in.n) {
        bufq_reset(&leg->in);
        leg_wake(leg);
    }
    if (leg->fail == LEG_BAD || leg->fail == LEG_TIMEOUT)
        answer_bad(x);
    else if (!leg->in_end)
        return false;
    else
        answer_request(x);
    if (!x->answer.delay_ms)
        return true;
    x->state = WAITING;
    timer_set(&x->timer, x->answer.delay_ms);
    return false;
}

static bool queue_body(struct exchange *x)
{
    struct leg *leg = x->leg;
    struct chunk *filling = x->server->filling;

    if (!x->body_queued && x->answer.body.n &&
        !bufq_copy(&leg->out, &x->server->pools->chunks, x->answer.body))
        return false;
    x->body_queued = true;
    while (x->fill_left && leg->out.n < OUT_WATERMARK) {
        size_t n = MIN(x->fill_left, filling->n);

        if (!bufq_add(&leg->out, filling, 0, n))
            return false;
        x->fill_left -= n;
    }
    return true;
}

static void exchange_send(struct exchange *x)
{
    struct leg *leg = x->leg;

    if (leg->out_end)
        return;
    if (!queue_body(x)) { /* bodies have no room: broken off rather than cut short in silence */
        exchange_end(x);
        return;
    }
    if (!x->fill_left) {
        leg->out_trailers = x->answer.trailers;
        leg->out_end = true;
    }
    leg_wake(leg);
}

static void exchange_break(struct exchange *x)
{
    if (x->leg->out_started || x->polls++ == RESET_POLLS) {
        exchange_end(x);
        return;
    }
    leg_wake(x->leg);
    timer_set(&x->timer, RESET_POLL_MS);
}

static void exchange_run(struct task *t)
{
    struct exchange *x = CONTAINER_OF(t, struct exchange, task);
    struct leg *leg = x->leg;
    bool answerable = leg->fail == LEG_OK || leg->fail == LEG_BAD || leg->fail == LEG_TIMEOUT;

    if (!answerable || leg->out_done) {
        exchange_end(x);
        return;
    }
    if (x->state == TAKING && exchange_take(x))
        start_sending(x);
    if (x->state == SENDING)
        exchange_send(x);
    else if (x->state == BREAKING)
        exchange_break(x);
}

static void exchange_timer(struct timer *t)
{
    struct exchange *x = CONTAINER_OF(t, struct exchange, timer);

    if (x->state == WAITING)
        start_sending(x);
    task_wake(&x->task);
}

void echo_exchange_start(struct echo_server *s, const struct echo_identity *who, struct leg *leg)
{
    struct exchange *x = ARENA_NEW(leg->arena, struct exchange);

    x->server = s;
    x->who = who;
    x->leg = leg;
    task_init(&x->task, s->loop, exchange_run);
    timer_init(&x->timer, s->loop, exchange_timer);
    leg->task = &x->task;
    leg->want_body = true;
    task_wake(&x->task);
}
