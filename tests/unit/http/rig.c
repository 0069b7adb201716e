#include "unit/http/rig.h"

#include "codec/h2/h2.h"
#include "http/h2_conn.h"
#include "unit/check.h"

#include <stdlib.h>

#define PATTERN 251 /* a body's octets go round in these */
#define WATERMARK 65536
#define MS 1000000u

/* ---- time ---- */

static uint64_t mono(void *arg)
{
    return ((struct rig *)arg)->now_ns;
}

static int64_t wall(void *arg)
{
    return (int64_t)(((struct rig *)arg)->now_ns / MS);
}

static void wait_none(struct loop *l, int timeout_ms, void *arg)
{
    (void)l;
    if (timeout_ms > 0)
        ((struct rig *)arg)->now_ns += (uint64_t)timeout_ms * MS;
}

void rig_turns(struct rig *r, int n)
{
    while (n-- > 0)
        loop_turn(r->loop, 0);
}

void rig_settle(struct rig *r)
{
    rig_turns(r, 3000);
}

/* ---- the server's exchanges ---- */

struct served {
    struct task task;
    struct rig *rig;
    struct leg *leg;
    struct head *head;
    size_t left;
    bool broken;
};

static void served_end(struct served *x)
{
    struct http_pools *p = x->rig->pools;
    struct arena *a = x->leg->arena;

    x->rig->exchanges--;
    task_cancel(&x->task);
    leg_release(x->leg);
    arena_give(p, a);
}

static void fill(struct leg *leg, struct http_pools *p, size_t *left, size_t *at)
{
    while (*left && leg->out.n < WATERMARK) {
        char octets[1000];
        size_t n = MIN(*left, sizeof(octets));

        for (size_t i = 0; i < n; i++)
            octets[i] = (char)((*at + i) % PATTERN);
        if (!bufq_copy(&leg->out, &p->chunks, str_make(octets, n)))
            return;
        *left -= n;
        *at += n;
    }
}

static void served_answer(struct served *x, uint16_t status, int64_t length)
{
    struct head *h = head_new(x->leg->arena);

    h->status = status;
    h->reason = STR("Fine");
    h->content_length = length;
    x->head = h;
    x->leg->out_head = h;
}

static void served_hints(struct served *x)
{
    struct head **last = &x->leg->out_info;

    for (int i = 0; i < 2; i++) {
        *last = head_new(x->leg->arena);
        (*last)->status = 103;
        (*last)->reason = STR("Early Hints");
        last = &(*last)->next;
    }
}

static void served_big(struct served *x, size_t n)
{
    char *text = arena_raw(x->leg->arena, n);

    memset(text, 'v', n);
    served_answer(x, 200, 0);
    headers_add(&x->head->headers, x->leg->arena, STR("x-big"), str_make(text, n));
    x->leg->out_end = true;
}

static void served_upgrade(struct served *x)
{
    const struct head *rq = x->leg->in_head;

    CHECK_STRZ(rq->method, "GET");
    CHECK_STRZ(rq->upgrade, "websocket");
    served_answer(x, 501, 0);
    x->leg->out_end = true;
}

/* True once all is queued. */
static void served_begin(struct served *x)
{
    struct leg *leg = x->leg;
    struct str path = leg->in_head->path;
    uint64_t n = 0;

    if (str_starts(path, STR("/size/")) && str_u64(str_from(path, 6), &n)) {
        x->left = n;
        served_answer(x, 200, (int64_t)n);
    } else if (str_eq(path, STR("/early"))) {
        served_answer(x, 403, 0);
        leg->out_end = true;
    } else if (str_eq(path, STR("/break"))) {
        served_answer(x, 200, 100);
        MUST(bufq_copy(&leg->out, &x->rig->pools->chunks, STR("half")));
        leg->out_break = true;
    } else if (str_eq(path, STR("/big"))) {
        served_big(x, 70000);
    } else if (str_eq(path, STR("/heavy"))) {
        served_big(x, 2000);
    } else if (str_eq(path, STR("/upgrade"))) {
        served_upgrade(x);
    } else if (!str_eq(path, STR("/never"))) {
        if (str_eq(path, STR("/hints")))
            served_hints(x);
        served_answer(x, 200, -1);
    }
}

static void served_echo(struct served *x)
{
    struct leg *leg = x->leg;

    if (leg->in.n && leg->out.n < WATERMARK) {
        x->rig->served += leg->in.n;
        bufq_move(&leg->out, &leg->in);
        leg_wake(leg);
    }
    if (!leg->in_end || leg->in.n)
        return;
    leg->out_trailers = leg->in_trailers;
    leg->out_end = true;
}

static void served_run(struct task *t)
{
    struct served *x = CONTAINER_OF(t, struct served, task);
    struct leg *leg = x->leg;
    bool bad = leg->fail == LEG_BAD || leg->fail == LEG_TIMEOUT;
    struct str path;

    if (leg->fail == LEG_TOO_LARGE) {
        leg->fail = LEG_OK;
        served_answer(x, 502, 0);
        leg->out_end = true;
        leg_wake(leg);
        return;
    }
    if ((leg->fail && !bad) || leg->out_done) {
        served_end(x);
        return;
    }
    if (bad) {
        if (!x->head)
            served_answer(x, leg->fail_status, 0);
        leg->out_end = leg->out_close = true;
        leg_wake(leg);
        return;
    }
    path = leg->in_head->path;
    if (str_eq(path, STR("/release"))) {
        served_end(x);
        return;
    }
    if (str_eq(path, STR("/hold")) && x->rig->hold)
        return;
    if (!x->head)
        served_begin(x);
    if (str_starts(path, STR("/size/"))) {
        size_t at = (size_t)x->head->content_length - x->left;

        fill(leg, x->rig->pools, &x->left, &at);
        leg->out_end = x->left == 0;
        bufq_reset(&leg->in);
    } else if (x->head && !leg->out_end && !leg->out_break) {
        served_echo(x);
    }
    leg_wake(leg);
}

static void on_request(struct http_server *s, struct http_conn *c, struct leg *leg)
{
    struct rig *r = CONTAINER_OF(s, struct rig, server);
    struct served *x = ARENA_NEW(leg->arena, struct served);

    (void)c;
    if (leg->fail) {
        r->bad_requests++;
        r->bad_status = leg->fail_status;
    } else {
        r->requests++;
    }
    r->exchanges++;
    x->rig = r;
    x->leg = leg;
    task_init(&x->task, r->loop, served_run);
    leg->task = &x->task;
    leg->want_body = true;
    task_wake(&x->task);
}

static void on_counted(struct http_server *s, const uint32_t counts[static H2_COUNTS])
{
    for (size_t i = 0; i < H2_COUNTS; i++)
        CONTAINER_OF(s, struct rig, server)->counts[i] += counts[i];
}

static void on_client_counted(struct http_client *c, const uint32_t counts[static H2_COUNTS])
{
    for (size_t i = 0; i < H2_COUNTS; i++)
        CONTAINER_OF(c, struct rig, client)->client_counts[i] += counts[i];
}

static void on_replaced(struct http_server *s, struct http_conn *old, struct http_conn *fresh)
{
    (void)old;
    CONTAINER_OF(s, struct rig, server)->down = fresh;
}

static void on_closed(struct http_server *s, struct http_conn *c)
{
    struct rig *r = CONTAINER_OF(s, struct rig, server);

    (void)c;
    r->closed++;
    r->down = NULL;
}

/* ---- the client's exchanges ---- */

static void call_send(struct call *c)
{
    struct leg *leg = c->leg;
    size_t left = c->to_send - c->sent;

    if (leg->out_end)
        return;
    fill(leg, c->rig->pools, &left, &c->sent);
    leg->out_end = left == 0;
    leg_wake(leg);
}

static void call_take(struct call *c)
{
    struct leg *leg = c->leg;

    while (leg->in.n) {
        struct str piece = bufq_front(&leg->in);

        for (size_t i = 0; i < piece.n; i++)
            c->sum += (unsigned char)piece.p[i] == (c->got + i) % PATTERN;
        c->got += piece.n;
        bufq_drop(&leg->in, piece.n);
    }
    leg_wake(leg);
}

void call_release(struct call *c)
{
    if (!c->leg)
        return;
    task_cancel(&c->task);
    leg_release(c->leg);
    c->leg = NULL;
    arena_give(c->rig->pools, c->arena);
    c->done = true;
}

static void call_run(struct task *t)
{
    struct call *c = CONTAINER_OF(t, struct call, task);
    struct leg *leg = c->leg;

    for (; leg->in_info; leg->in_info = leg->in_info->next)
        c->infos++;
    leg->in_info_last = &leg->in_info;
    if (leg->in_head)
        c->status = leg->in_head->status;
    if (!c->paused)
        call_take(c);
    c->trailers = leg->in_trailers != NULL;
    if (leg->in_end && leg->in.n == 0 && (leg->out_done || c->status == 403)) {
        call_release(c);
    } else if (leg->fail && !(leg->in_end && leg->in.n)) {
        c->fail = leg->fail;
        call_release(c);
    } else if (!leg->fail) {
        call_send(c);
    }
}

struct call *rig_call(struct rig *r, const char *method, const char *path, size_t body)
{
    struct call *c = &r->calls[r->n++];
    struct head *h;

    c->rig = r;
    c->arena = arena_take(r->pools);
    task_init(&c->task, r->loop, call_run);
    c->leg = http_open(r->up, c->arena, &c->task);
    CHECK(c->leg != NULL);
    c->leg->is_head_request = strcmp(method, "HEAD") == 0;
    h = head_new(c->arena);
    h->method = str_of(method);
    h->scheme = STR("http");
    h->authority = STR("x.test");
    h->path = str_of(path);
    h->content_length = body ? (int64_t)body : -1;
    headers_add_id(&h->headers, c->arena, HDR_HOST, h->authority);
    c->to_send = body;
    c->leg->out_head = h;
    c->head = h;
    c->started = true;
    task_wake(&c->task);
    return c;
}

static void on_changed(struct http_client *cl, struct http_conn *c)
{
    struct rig *r = CONTAINER_OF(cl, struct rig, client);

    r->changed++;
    if (http_conn_is_dead(c))
        r->up = NULL;
}

/* ---- the rig ---- */

static void init_loop(struct rig *r)
{
    struct loop_env env = { .mono_ns = mono, .wall_ms = wall, .wait = wait_none, .arg = r };
    struct http_limits limits = { 16, 64 << 20 };

    *r = (struct rig){ .now_ns = 1000000000u };
    r->loop = loop_new(&env);
    r->pools = http_pools_new(r->loop, &limits);
    r->settings = (struct http_settings){ .request_head_ms = 5000,
                                          .idle_ms = 60000,
                                          .handshake_ms = 5000,
                                          .connect_ms = 5000,
                                          .max_headers = 100,
                                          .max_head_octets = 60 * 1024,
                                          .buffer_limit = 256 * 1024 };
    r->server = (struct http_server){
        .request = on_request, .replaced = on_replaced, .closed = on_closed, .counted = on_counted
    };
    r->client.changed = on_changed;
    r->client.counted = on_client_counted;
    pipe_pair(NULL, NULL, &r->a, &r->b);
    r->down = http_serve(r->pools, r->b, &r->server, &r->settings);
    CHECK(r->down != NULL);
}

void rig_init_raw(struct rig *r)
{
    init_loop(r);
}

void rig_init_raw_server(struct rig *r)
{
    struct transport *up;

    init_loop(r);
    transport_close(r->a, false);
    rig_settle(r);
    pipe_pair(NULL, NULL, &up, &r->a);
    r->b = up;
    r->version = HTTP_2;
    r->up = http_connect(r->pools, up, &r->client, &r->settings, HTTP_2);
    CHECK(r->up != NULL);
}

void rig_init(struct rig *r, enum http_version version)
{
    init_loop(r);
    r->version = version;
    r->up = http_connect(r->pools, r->a, &r->client, &r->settings, version);
    r->a = NULL; /* the connection's */
    CHECK(r->up != NULL);
}

void rig_fini(struct rig *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        call_release(&r->calls[i]);
    if (r->up)
        http_conn_close(r->up);
    if (r->a)
        transport_close(r->a, false);
    r->hold = false;
    rig_settle(r);
    if (r->down)
        http_conn_close(r->down);
    rig_settle(r);
    CHECK(r->up == NULL);
    CHECK_EQ(r->closed, 1);
    CHECK_EQ(r->exchanges, 0);
    CHECK_EQ(r->pools->conns.live, 0);
    CHECK_EQ(r->pools->h2_conns.live, 0);
    CHECK_EQ(r->pools->h2_legs.live, 0);
    CHECK_EQ(r->pools->chunks.chunks.live, 0);
    CHECK_EQ(r->pools->chunks.slices.live, 0);
    http_pools_free(r->pools);
    loop_free(r->loop);
}
