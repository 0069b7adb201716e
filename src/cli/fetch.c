#include "cli/fetch.h"

#include "event/loop.h"
#include "http/conn.h"
#include "net/net.h"

#define PATIENCE_MS 10000
#define BODY_MAX (256u << 20)

static const struct http_settings settings = {
    .connect_ms = 3000,
    .max_headers = 100,
    .max_head_octets = 60 * 1024,
    .buffer_limit = 1 << 20,
};

struct fetch {
    struct task task;
    struct timer timer;
    struct loop *loop;
    struct http_client client; /* outlives the connection, which its own task frees */
    struct leg *leg;
    struct buf body;
    bool is_late, is_done;
};

static void fetch_run(struct task *t)
{
    struct fetch *f = CONTAINER_OF(t, struct fetch, task);
    struct leg *leg = f->leg;

    while (!bufq_is_empty(&leg->in)) {
        struct str piece = bufq_front(&leg->in);

        buf_add(&f->body, piece);
        bufq_drop(&leg->in, piece.n);
    }
    if (leg->fail != LEG_OK || (leg->in_head && leg->in_end))
        f->is_done = true;
    else
        leg_wake(leg);
}

static void fetch_late(struct timer *t)
{
    CONTAINER_OF(t, struct fetch, timer)->is_late = true;
}

static void send_head(struct fetch *f, const struct addr *at, struct str target)
{
    struct arena *a = f->leg->arena;
    struct head *head = head_new(a);
    char room[ADDR_TEXT_MAX];

    head->method = STR("GET");
    head->scheme = STR("http");
    head->authority = arena_dup(a, addr_format(at, room));
    head->path = target;
    headers_add_id(&head->headers, a, HDR_HOST, head->authority);
    f->leg->out_head = head;
    f->leg->out_end = true;
    leg_wake(f->leg);
}

/* What came, copied into `a`. */
static bool take(struct fetch *f, struct arena *a, struct fetched *ret, struct str *ret_why)
{
    const struct leg *leg = f->leg;

    if (leg->fail != LEG_OK || !leg->in_head || f->is_late || f->body.full) {
        *ret_why = f->is_late         ? STR("no answer in time")
                   : leg->fail_text.n ? arena_dup(a, leg->fail_text)
                                      : STR("the connection broke off");
        return false;
    }
    ret->status = leg->in_head->status;
    headers_copy(&ret->headers, a, &leg->in_head->headers);
    ret->body = arena_dup(a, buf_str(&f->body));
    return true;
}

static bool fetch_with(struct fetch *f, struct http_pools *pools, struct net *net,
                       const struct addr *at, struct str target, struct arena *a,
                       struct fetched *ret, struct str *ret_why)
{
    enum err e = ERR_OK;
    struct transport *t = net_dial(net, at, NULL, &e);
    struct http_conn *conn = t ? http_connect(pools, t, &f->client, &settings, HTTP_11) : NULL;
    struct arena *stream;
    bool fine;

    if (!conn) {
        *ret_why = str_of(err_text(e));
        return false;
    }
    stream = arena_take(pools);
    f->leg = http_open(conn, stream, &f->task);
    if (!f->leg) {
        arena_give(pools, stream);
        http_conn_close(conn);
        *ret_why = STR("no memory");
        return false;
    }
    send_head(f, at, target);
    timer_set(&f->timer, PATIENCE_MS);
    while (!f->is_done && !f->is_late)
        loop_turn(f->loop, -1);
    fine = take(f, a, ret, ret_why);
    timer_off(&f->timer);
    leg_release(f->leg);
    arena_give(pools, stream);
    http_conn_close(conn);
    return fine;
}

bool fetch_page(const struct addr *at, struct str target, struct arena *a, struct fetched *ret,
                struct str *ret_why)
{
    struct http_limits limits = { 1, BODY_MAX };
    struct fetch f = { .loop = loop_new(NULL) };
    struct http_pools *pools = http_pools_new(f.loop, &limits);
    struct net *net = net_new(f.loop, 1);
    bool fine;

    *ret = (struct fetched){ 0 };
    buf_init(&f.body, BODY_MAX);
    task_init(&f.task, f.loop, fetch_run);
    timer_init(&f.timer, f.loop, fetch_late);
    fine = fetch_with(&f, pools, net, at, target, a, ret, ret_why);
    task_cancel(&f.task);
    timer_fini(&f.timer);
    buf_fini(&f.body);
    for (int i = 0; i < 3; i++) /* what was closed is freed by its own task */
        loop_turn(f.loop, 0);
    net_free(net);
    http_pools_free(pools);
    loop_free(f.loop);
    return fine;
}

void fetch_add_escaped(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '/';

        if (plain)
            buf_addc(b, c);
        else
            buf_printf(b, "%%%02X", (unsigned char)c);
    }
}
