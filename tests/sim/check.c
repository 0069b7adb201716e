#include "sim/check.h"

#include "sim/kernel.h"
#include "sim/traffic.h"

#include "live/budget.h"
#include "live/crowd.h"
#include "net/net_int.h"
#include "proxy/worker_int.h"

#define PATIENCE_NS (900 * SECOND) /* the longest that anything may take a request */

static uint32_t higher(bool first, uint32_t so_far, uint32_t now)
{
    if (first)
        return now;
    return so_far == 0 || now == 0 ? 0 : MAX(so_far, now);
}

void check_limits_may_be(struct run *r, const struct conf *c)
{
    bool first = r->confs++ == 0;

    r->listener_most = higher(first, r->listener_most, c->listener_max);
    for (int i = 0; i < CLUSTERS; i++) {
        struct cluster_limits *most = &r->most[i];
        const struct cluster_limits *now = &c->limits[i];

        most->max_connections = higher(first, most->max_connections, now->max_connections);
        most->max_pending = higher(first, most->max_pending, now->max_pending);
        most->max_requests = higher(first, most->max_requests, now->max_requests);
        most->max_retries = higher(first, most->max_retries, now->max_retries);
    }
}

static void at_most(size_t n, uint32_t limit, const char *what, unsigned of)
{
    HOLDS(limit == 0 || n <= limit, "%zu %s of %u, whose limit is %u", n, what, of, limit);
}

/* As the world sees them; in a calm schedule the worker knows all that a backend knows. */
static void check_cluster(const struct run *r, uint16_t i)
{
    const struct cluster_limits *most = &r->most[i];
    const struct live_budget *b = r->budgets[i];
    size_t n = 0;

    for (uint16_t k = 0; k < HOSTS_MAX; k++)
        n += kernel_dialled((uint16_t)(i * HOST_STRIDE + k));
    at_most(n, most->max_connections, "connections to cluster", i);
    if (r->plan.calm)
        at_most(rq_served[i], most->max_requests, "requests at backends of cluster", i);
    if (!b)
        return;
    at_most(budget_used(b, BUDGET_PENDING), most->max_pending, "requests that wait for cluster", i);
    at_most(budget_used(b, BUDGET_REQUESTS), most->max_requests, "requests of cluster", i);
    at_most(budget_used(b, BUDGET_RETRIES), most->max_retries, "retries of cluster", i);
}

void check_step(struct run *r)
{
    for (uint16_t i = 0; i < CLUSTERS; i++)
        check_cluster(r, i);
    at_most(kernel_served_at(PORT_CLEAR), r->listener_most, "connections at port", PORT_CLEAR);
    at_most(kernel_served_at(PORT_TLS), r->listener_most, "connections at port", PORT_TLS);
    for (uint8_t a = ADDRESS_FIRST; a <= ADDRESS_LAST; a++)
        at_most(kernel_served_from(a), r->plan.from_address, "connections from address", a);
    for (uint32_t i = 0; i < r->workers_n; i++)
        HOLDS(r->workers[i]->net->open <= r->workers[i]->net->max, "worker %u: too many", i);
}

static void budgets_empty(void)
{
    for (uint32_t i = 0; i < CLUSTERS; i++) {
        struct live_budget *b = live_budget_get(str_of(conf_cluster_name(i)));

        for (enum budget_kind k = 0; k < BUDGET_KINDS; k++)
            HOLDS(budget_used(b, k) == 0, "budget %d of cluster %u: %u are not given back", k, i,
                  budget_used(b, k));
        HOLDS(b->waiting == 0, "somebody waits for cluster %u", i);
        live_budget_unref(b);
    }
}

static void slab_is_empty(const struct slab *s, const char *name)
{
    HOLDS(s->live == 0, "%zu %s are not given back", s->live, name);
}

static void worker_is_empty(const struct worker *w)
{
    slab_is_empty(&w->pools->chunks.chunks, "chunks");
    slab_is_empty(&w->pools->chunks.slices, "slices");
    slab_is_empty(&w->pools->conns, "HTTP/1 connections");
    slab_is_empty(&w->pools->naps, "HTTP/1 connections that nap");
    slab_is_empty(&w->pools->h2_conns, "HTTP/2 connections");
    slab_is_empty(&w->pools->h2_legs, "HTTP/2 legs");
    slab_is_empty(&w->net->sockets, "sockets");
    slab_is_empty(&w->downstream_slab, "downstreams");
    slab_is_empty(&w->upstream_slab, "upstreams");
    HOLDS(w->net->open == 0, "%zu transports are open", w->net->open);
    HOLDS(streams_count(w->streams) == 0, "%zu streams live", streams_count(w->streams));
    HOLDS(list_is_empty(&w->downstreams), "a downstream is listed");
    HOLDS(w->old_holds == 0, "%u old roots are held", w->old_holds);
}

static void check_waits(const struct run *r)
{
    for (uint32_t i = 0; i < request_count; i++) {
        const struct rq *q = &requests[i];

        HOLDS(!q->begun || q->whole || q->broken, "request %u is never answered", i);
    }
    (void)r;
}

void check_quiet(struct run *r)
{
    check_waits(r);
    for (uint32_t i = 0; i < r->workers_n; i++)
        worker_is_empty(r->workers[i]);
    budgets_empty();
    HOLDS(kernel_connections() == 0, "%zu connections are open though nothing moves",
          kernel_connections());
}

void check_worker(struct run *r, struct worker *w)
{
    if (r->narrow)
        *r->narrow = r->narrow_max;
    worker_is_empty(w);
}

static bool is_plausible(const struct rq *q)
{
    static const uint16_t codes[] = { 400, 404, 408, 413, 431, 500, 502, 503, 504 };

    for (size_t i = 0; i < LEN(codes); i++) {
        if (codes[i] == q->code)
            return true;
    }
    return q->grpc && q->code == 200;
}

void check_requests(struct run *r)
{
    check_waits(r);
    for (uint32_t i = 0; i < request_count; i++) {
        const struct rq *q = &requests[i];

        if (!q->has_head)
            HOLDS(!r->plan.calm || r->plan.limited || !q->begun,
                  "request %u is broken though nothing was wrong", i);
        else if (q->is_local)
            HOLDS(r->plan.limited ? q->code == (q->grpc ? 200 : 503)
                                  : !r->plan.calm && (q->poisoned || is_plausible(q)),
                  "request %u is answered %u here", i, q->code);
        else
            HOLDS(!r->plan.calm || q->whole, "request %u is cut though nothing was wrong", i);
        HOLDS(!q->poisoned || !r->plan.calm, "request %u on a dirty connection", i);
        HOLDS(q->over_ns <= q->sent_ns + PATIENCE_NS, "request %u took %llu s", i,
              (unsigned long long)((q->over_ns - q->sent_ns) / SECOND));
    }
}

void check_end(void)
{
    budgets_empty();
    HOLDS(crowd_open_in_all() == 0, "%u clients are still counted", crowd_open_in_all());
    HOLDS(kernel_open_count() == 0, "%zu descriptors are not closed", kernel_open_count());
}
