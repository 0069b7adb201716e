/*
 * echo/call - one gRPC call: requests in as they come, answers of echo/grpc out.
 *
 * What is asked for comes one request at a time: the next is read once the answers to the last
 * are out, so that a client that does not read is not read from either. Metadata by the names of
 * gRPC's own interoperability tests (custom_metadata) comes back at either end of the answer.
 */
#include "echo/grpc.h"
#include "echo/serve_int.h"

#define OUT_WATERMARK (256 * 1024)

static const struct {
    struct str name;
    bool is_trailer;
} returned[] = { { STR_INIT("x-grpc-test-echo-initial"), false },
                 { STR_INIT("x-grpc-test-echo-trailing-bin"), true } };

struct call {
    struct task task;
    struct timer timer;
    struct echo_server *server;
    struct leg *leg;
    const struct grpc_method *method;
    struct head *head; /* the answer's; NULL before */
    struct buf in;     /* a request being gathered, with its head */
    struct grpc_ask ask;
    struct grpc_tell tell;
    bool is_asked; /* `ask` has answers left, or a status */
    bool waits, waited, over;
};

static void call_end(struct call *c)
{
    struct http_pools *pools = c->server->pools;
    struct arena *arena = c->leg->arena;

    task_cancel(&c->task);
    timer_fini(&c->timer);
    buf_fini(&c->in);
    leg_release(c->leg);
    arena_give(pools, arena); /* and c with it */
}

/* ---- answering ---- */

static void return_metadata(struct call *c, struct headers *to, bool is_trailer)
{
    for (size_t i = 0; i < LEN(returned); i++) {
        const struct header *h = headers_find_name(&c->leg->in_head->headers, returned[i].name);

        if (h && returned[i].is_trailer == is_trailer)
            headers_add(to, c->leg->arena, h->name, h->value);
    }
}

static void call_begin(struct call *c)
{
    struct arena *a = c->leg->arena;

    if (c->head)
        return;
    c->head = head_new(a);
    c->head->status = 200;
    c->head->reason = status_reason(200);
    headers_add_id(&c->head->headers, a, HDR_CONTENT_TYPE, STR("application/grpc"));
    return_metadata(c, &c->head->headers, false);
}

static void status_add(struct call *c, struct headers *to, uint32_t status, const char *why)
{
    struct arena *a = c->leg->arena;

    return_metadata(c, to, true);
    headers_add_id(to, a, HDR_GRPC_STATUS, arena_printf(a, "%u", status));
    if (why)
        headers_add_id(to, a, HDR_GRPC_MESSAGE, str_of(why));
}

/* Without an answer before it the status stands in the head. */
static void call_finish(struct call *c, uint32_t status, const char *why)
{
    struct leg *leg = c->leg;

    c->over = true;
    if (c->head) {
        struct headers *trailers = ARENA_NEW(leg->arena, struct headers);

        status_add(c, trailers, status, why);
        leg->out_trailers = trailers;
    } else {
        call_begin(c);
        status_add(c, &c->head->headers, status, why);
        c->head->content_length = 0;
    }
    leg->out_head = c->head;
    leg->out_end = true;
    bufq_reset(&leg->in);
    leg_wake(leg);
}

static bool send_answer(struct call *c)
{
    struct buf text;
    bool fits;

    buf_init(&text, GRPC_MESSAGE_MAX + 4096);
    fits = grpc_message_write(c->method, &c->tell, &text) &&
           bufq_copy(&c->leg->out, &c->server->pools->chunks, buf_str(&text));
    buf_fini(&text);
    c->tell.index++;
    call_begin(c);
    c->leg->out_head = c->head;
    leg_wake(c->leg);
    return fits;
}

/* One answer, or the end of them. False: it has to wait. */
static bool answer_next(struct call *c)
{
    if (c->ask.answers == 0) {
        c->is_asked = false;
        buf_reset(&c->in);
        if (c->ask.status)
            call_finish(c, c->ask.status, "as was asked");
        return true;
    }
    if (c->waits || c->leg->out.n >= OUT_WATERMARK)
        return false;
    if (c->ask.delay_ms && !c->waited) {
        c->waits = true;
        timer_set(&c->timer, c->ask.delay_ms);
        return false;
    }
    c->waited = false;
    c->ask.answers--;
    if (!send_answer(c))
        call_finish(c, GRPC_RESOURCE_EXHAUSTED, "no room for the answer");
    return true;
}

/* ---- requests ---- */

/* True once `in` has that many octets. */
static bool gather(struct call *c, size_t n)
{
    while (c->in.n < n && c->leg->in.n) {
        struct str piece = bufq_front(&c->leg->in);

        piece.n = MIN(piece.n, n - c->in.n);
        MUST(buf_add(&c->in, piece));
        bufq_drop(&c->leg->in, piece.n);
    }
    return c->in.n >= n;
}

/* A whole request in `in`, or its end. False: there is none yet, or the call is over. */
static bool gather_request(struct call *c)
{
    enum grpc_status status;
    const char *why;
    uint32_t n = 0;

    if (!gather(c, GRPC_HEAD_LEN))
        return false;
    if (!grpc_head_read(c->in.p, &n, &status, &why)) {
        call_finish(c, status, why);
        return false;
    }
    return gather(c, GRPC_HEAD_LEN + (size_t)n);
}

static void take_request(struct call *c)
{
    if (c->method->asks_once && c->tell.requests) {
        call_finish(c, GRPC_INTERNAL, "more than one request");
        return;
    }
    if (!c->method->read(str_from(buf_str(&c->in), GRPC_HEAD_LEN), &c->ask)) {
        call_finish(c, GRPC_INVALID_ARGUMENT, "the message cannot be read");
        return;
    }
    if (c->method->answers_late) /* one answer, or a status */
        c->ask.answers = c->ask.status == GRPC_OK;
    c->tell.requests++;
    c->tell.octets += c->ask.message.n;
    c->tell.message = c->ask.message;
    c->tell.health = c->ask.health;
    c->is_asked = true;
}

static void requests_ended(struct call *c)
{
    bool is_unanswered = c->method->answers_late && c->tell.requests == 0;

    if (c->in.n)
        call_finish(c, GRPC_INTERNAL, "the last message is cut short");
    else if (c->method->asks_once && !c->tell.requests)
        call_finish(c, GRPC_INTERNAL, "no request");
    else if (is_unanswered && !send_answer(c))
        call_finish(c, GRPC_RESOURCE_EXHAUSTED, "no room for the answer");
    else if (!c->method->stays)
        call_finish(c, GRPC_OK, NULL);
}

/* ---- the turn ---- */

/* An answer that comes late is to the last request, so it waits for the end of all. */
static bool is_early(struct call *c)
{
    if (!c->method->answers_late || (c->leg->in_end && c->leg->in.n == 0))
        return false;
    if (c->leg->in.n == 0)
        return true;
    c->is_asked = false; /* another one follows */
    buf_reset(&c->in);
    return false;
}

/* True: there may be more to do. */
static bool call_step(struct call *c)
{
    if (c->over)
        return false;
    if (c->is_asked && is_early(c))
        return false;
    if (c->is_asked)
        return answer_next(c);
    if (gather_request(c)) {
        take_request(c);
        return true;
    }
    if (!c->over && c->leg->in_end && c->leg->in.n == 0)
        requests_ended(c);
    return false;
}

static void call_run(struct task *t)
{
    struct call *c = CONTAINER_OF(t, struct call, task);
    struct leg *leg = c->leg;

    if (leg->fail != LEG_OK || leg->out_done) {
        call_end(c);
        return;
    }
    while (call_step(c))
        ;
    if (c->over)
        bufq_reset(&leg->in);
    leg_wake(leg);
}

static void call_timer(struct timer *t)
{
    struct call *c = CONTAINER_OF(t, struct call, timer);

    c->waits = false;
    c->waited = true;
    task_wake(&c->task);
}

void echo_call_start(struct echo_server *s, const struct echo_identity *who, struct leg *leg)
{
    struct call *c = ARENA_NEW(leg->arena, struct call);

    c->server = s;
    c->leg = leg;
    c->tell.who = who;
    buf_init(&c->in, GRPC_HEAD_LEN + GRPC_MESSAGE_MAX);
    task_init(&c->task, s->loop, call_run);
    timer_init(&c->timer, s->loop, call_timer);
    c->method = grpc_method_of(leg->in_head->path);
    if (!c->method)
        call_finish(c, GRPC_UNIMPLEMENTED, "no such method: see proto/echo.proto");
    leg->task = &c->task;
    leg->want_body = true;
    task_wake(&c->task);
}
