#include "sim/check.h"

#include "sim/kernel.h"
#include "sim/traffic.h"

#include "live/budget.h"
#include "net/net_int.h"
#include "proxy/worker_int.h"

#define PATIENCE_NS (900 * SECOND) /* the longest that anything may take a request */

void check_limits_may_be(struct run *r, const struct conf *c)
{
    for (int i = 0; i < CLUSTERS; i++) {
        uint32_t max = c->limits[i].max_connections;

        if (r->confs == 0)
            r->connections_max[i] = max;
        else if (max == 0 || r->connections_max[i] == 0)
            r->connections_max[i] = 0;
        else
            r->connections_max[i] = MAX(max, r->connections_max[i]);
    }
    r->confs++;
}

void check_step(struct run *r)
{
    for (uint16_t i = 0; i < CLUSTERS; i++) {
        size_t n = 0;

        for (uint16_t k = 0; k < HOSTS_MAX; k++)
            n += kernel_dialled((uint16_t)(i * HOST_STRIDE + k));
        HOLDS(r->connections_max[i] == 0 || n <= r->connections_max[i],
              "%zu connections to cluster %u, whose limit is %u", n, i, r->connections_max[i]);
    }
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
        r->narrow->max = r->narrow_max;
    worker_is_empty(w);
}

static bool is_plausible(uint16_t code)
{
    static const uint16_t codes[] = { 400, 404, 408, 413, 431, 500, 502, 503, 504 };

    for (size_t i = 0; i < LEN(codes); i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

void check_requests(struct run *r)
{
    check_waits(r);
    for (uint32_t i = 0; i < request_count; i++) {
        const struct rq *q = &requests[i];

        if (!q->has_head)
            HOLDS(!r->plan.calm || !q->begun, "request %u is broken though nothing was wrong", i);
        else if (q->is_local)
            HOLDS(!r->plan.calm && (q->poisoned || is_plausible(q->code)),
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
    HOLDS(kernel_open_count() == 0, "%zu descriptors are not closed", kernel_open_count());
}
