#include "proxy/shadow.h"

#include "lb/lb.h"
#include "live/host.h"
#include "proxy/upstream.h"

#define SHADOWS_MAX 1024 /* of a worker, at once */
#define ANSWER_MS 15000  /* where the route has no timeout */
#define MILLION 1000000

struct shadow {
    struct request *of; /* NULL: it goes on alone */
    struct shadow *next;
    struct worker *worker;
    struct arena *arena; /* in which it lies */
    struct root_hold *hold;
    struct task task;
    struct timer timer;
    struct claim claim;
    const struct endpoint *endpoint;
    struct leg *up;
    uint32_t timeout_ms;
    bool is_late;
};

static void count_active(const struct shadow *s, int32_t by)
{
    atomic_fetch_add_explicit(&s->endpoint->live->active[worker_id(s->worker)], by,
                              memory_order_relaxed);
}

static void shadow_unlink(struct shadow *s)
{
    struct shadow **at = &s->of->shadows;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->of = NULL;
}

static void shadow_end(struct shadow *s)
{
    struct worker *w = s->worker;
    struct arena *arena = s->arena;

    if (s->of)
        shadow_unlink(s);
    upstream_let_go(w, &s->claim);
    if (s->up)
        count_active(s, -1);
    leg_release(s->up);
    timer_fini(&s->timer);
    task_cancel(&s->task);
    worker_unhold(w, s->hold);
    w->shadows--;
    arena_give(w->pools, arena); /* s lies in it */
}

static void shadow_late(struct timer *t)
{
    struct shadow *s = CONTAINER_OF(t, struct shadow, timer);

    s->is_late = true;
    task_wake(&s->task);
}

static void shadow_run(struct task *t)
{
    struct shadow *s = CONTAINER_OF(t, struct shadow, task);
    struct leg *up = s->up;

    if (s->is_late || up->fail || (up->in_end && up->out_done)) {
        shadow_end(s);
        return;
    }
    if (!bufq_is_empty(&up->in)) {
        bufq_reset(&up->in);
        leg_wake(up);
    }
}

/* ---- starting ---- */

static struct shadow *shadow_new(struct request *r)
{
    struct worker *w = r->worker;
    struct arena *a = arena_take(w->pools);
    struct shadow *s = ARENA_NEW(a, struct shadow);

    s->arena = a;
    s->worker = w;
    s->hold = worker_hold(w);
    s->timeout_ms = r->s.route->timeout_ms ? r->s.route->timeout_ms : ANSWER_MS;
    list_init(&s->claim.node);
    task_init(&s->task, w->loop, shadow_run);
    timer_init(&s->timer, w->loop, shadow_late);
    s->of = r;
    s->next = r->shadows;
    r->shadows = s;
    w->shadows++;
    return s;
}

static const struct head *head_copy(const struct head *from, struct arena *a)
{
    struct head *to = head_new(a);

    to->version = from->version;
    to->method = arena_dup(a, from->method);
    to->scheme = arena_dup(a, from->scheme);
    to->authority = arena_dup(a, from->authority);
    to->path = arena_dup(a, from->path);
    to->expect_continue = from->expect_continue;
    to->content_length = from->content_length;
    to->is_streamed = from->is_streamed;
    headers_copy(&to->headers, a, &from->headers);
    return to;
}

/* False: there is no room, or no connection at once. */
static bool shadow_open(struct shadow *s, const struct cluster *c, const struct head *head)
{
    const struct hosts *hosts = root_hosts(s->hold->root, c->hosts);
    enum err error;

    s->endpoint = hosts ? lb_endpoint(s->worker->lb, c, hosts, NULL, 0) : NULL;
    if (!s->endpoint)
        return false;
    claim_init(&s->claim, &s->task, s->worker->metrics);
    claim_of_cluster(&s->claim, c);
    s->claim.authority = head->authority;
    s->up = upstream_open(s->worker, c, s->endpoint, s->arena, &s->claim, &error);
    if (!s->up)
        return false;
    count_active(s, 1);
    s->up->is_head_request = str_eq(head->method, STR("HEAD"));
    s->up->out_head = head;
    metrics_cluster_stat(s->worker->metrics, c, STAT_UPSTREAM_RQ_TOTAL, 1);
    leg_wake(s->up);
    return true;
}

static void shadow_start(struct request *r, const struct mirror *m)
{
    const struct cluster *c = root_cluster(worker_root(r->worker), m->cluster);
    struct shadow *s;

    if (!c || r->worker->shadows >= SHADOWS_MAX ||
        (m->ppm < MILLION && rng_below(r->s.rng, MILLION) >= m->ppm))
        return;
    s = shadow_new(r);
    if (!shadow_open(s, c, head_copy(r->s.request, s->arena)))
        shadow_end(s);
}

void shadows_start(struct request *r)
{
    const struct route_extras *extras = r->s.route->extras;

    for (uint32_t i = 0; extras && i < extras->mirrors.n; i++)
        shadow_start(r, &extras->mirrors.v[i]);
}

/* ---- its body ---- */

void shadows_feed(struct request *r, const struct bufq *octets)
{
    size_t limit = MIN(r->s.chain->http.buffer_limit, 16 * http_pools_room(r->worker->pools));

    for (struct shadow *s = r->shadows, *next; s; s = next) {
        next = s->next;
        if (s->up->out.n + octets->n > limit || !bufq_share(&s->up->out, octets))
            shadow_end(s);
        else
            leg_wake(s->up);
    }
}

void shadows_finish(struct request *r)
{
    for (struct shadow *s = r->shadows; s; s = s->next) {
        struct leg *up = s->up;

        if (up->out_end)
            continue;
        if (r->down->in_trailers) {
            struct headers *copy = ARENA_NEW(s->arena, struct headers);

            headers_copy(copy, s->arena, r->down->in_trailers);
            up->out_trailers = copy;
        }
        up->out_end = true;
        timer_set(&s->timer, s->timeout_ms);
        leg_wake(up);
    }
}

void shadows_leave(struct request *r)
{
    while (r->shadows) {
        struct shadow *s = r->shadows;

        if (s->up->out_end)
            shadow_unlink(s);
        else
            shadow_end(s);
    }
}
