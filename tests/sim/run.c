#include "sim/run.h"

#include "sim/backend.h"
#include "sim/blocks.h"
#include "sim/check.h"
#include "sim/fiber.h"
#include "sim/kernel.h"
#include "sim/plan.h"

#include "live/budget.h"
#include "live/crowd.h"
#include "live/host.h"
#include "net/net_int.h"
#include "proxy/worker_int.h"

#include <string.h>

static struct run run;

/* ---- reloads ---- */

static void publish(bool first)
{
    static const uint16_t ports[] = { PORT_CLEAR, PORT_TLS };
    struct root *next = conf_root(&run.plan.conf, run.slots, run.root);

    root_unref(run.root);
    run.root = next;
    for (uint32_t i = 0; i < run.workers_n; i++) {
        struct listen_grant grants[LEN(ports)];
        size_t n = 0;

        for (size_t k = 0; first && k < LEN(ports); k++) {
            if (ports[k] == PORT_TLS && !run.plan.conf.tls)
                continue;
            grants[n].listener = conf_listener(run.slots, ports[k]);
            grants[n++].take_fd = kernel_listen(ports[k]);
        }
        worker_publish(run.workers[i], root_ref(next), grants, n);
    }
}

static void reload_due(struct event *e)
{
    struct conf next;

    plan_change(&run.plan, &next);
    run.plan.conf = next;
    check_limits_may_be(&run, &next);
    SAY("another root: hosts %u %u, http2 %d %d", next.hosts[0], next.hosts[1], next.http2[0],
        next.http2[1]);
    publish(false);
    if (--run.plan.reloads)
        event_in(e, between(1, 2000) * MS);
}

/* ---- the end ---- */

static void drained(struct worker *w, void *arg)
{
    (void)w;
    (void)arg;
    run.drained++;
    SAY("a worker is drained");
}

static void drain_due(struct event *e)
{
    (void)e;
    SAY("drain: %u to %u ms", run.plan.drain_min_ms, run.plan.drain_max_ms);
    for (uint32_t i = 0; i < run.workers_n; i++)
        worker_drain(run.workers[i], run.plan.drain_min_ms, run.plan.drain_max_ms);
}

static void stop_due(struct event *e)
{
    (void)e;
    SAY("stop");
    run.stops = true;
}

static void workers_stop(void)
{
    for (uint32_t i = 0; i < run.workers_n; i++)
        worker_stop(run.workers[i]);
    run.workers_n = 0;
}

/* ---- doors that say no ---- */

/* Each in turn lets a few more in, and for a while no more. */
static void refuse_due(struct event *e)
{
    struct worker *w = run.workers[below(run.workers_n)];
    struct slab *slabs[] = { &w->pools->chunks.chunks, &w->pools->chunks.slices, &w->pools->conns,
                             &w->pools->h2_conns,      &w->pools->h2_legs,       &w->pools->naps,
                             &w->downstream_slab,      &w->upstream_slab };

    if (run.narrow) {
        *run.narrow = run.narrow_max;
        run.narrow = NULL;
    } else {
        /* TLS sizes its own by what the net lets in, once */
        size_t i = below(LEN(slabs) + !run.plan.conf.tls);
        bool is_socket = i == LEN(slabs);
        size_t live = is_socket ? w->net->open : slabs[i]->live;

        run.narrow = is_socket ? &w->net->max : &slabs[i]->max;
        run.narrow_max = *run.narrow;
        *run.narrow = live + between_most(0, 3, run.narrow_max - live);
        SAY("door %zu: %zu are out, %zu may be", i, live, *run.narrow);
        run.plan.refusals--;
    }
    if (run.narrow || run.plan.refusals)
        event_in(e, between(1, 800) * MS);
}

/* ---- a schedule ---- */

static void ended(int i)
{
    check_worker(&run, run.workers[i]);
    if (run.narrow)
        event_off(&run.refuse);
    run.narrow = NULL;
}

static void workers_start(void)
{
    struct worker_options o = { .max_connections = run.plan.max_connections,
                                .max_body_octets = run.plan.max_body_octets,
                                .drained = drained };

    live_workers_set(run.plan.workers);
    for (o.id = 0; o.id < run.plan.workers; o.id++)
        run.workers[o.id] = worker_start(&o);
    run.workers_n = run.plan.workers;
}

static void timetable(void)
{
    struct plan *p = &run.plan;

    run.reload.fire = reload_due;
    run.drain.fire = drain_due;
    run.stop.fire = stop_due;
    run.refuse.fire = refuse_due;
    for (uint32_t i = 0; i < p->client_count; i++)
        client_begin(p->clients[i], between(1, chance(500) ? 1000 : 10) * MS);
    if (p->reloads)
        event_in(&run.reload, between(1, 2000) * MS);
    if (p->refusals)
        event_in(&run.refuse, between(1, 500) * MS);
    if (p->drain_ns)
        event_in(&run.drain, p->drain_ns);
    if (p->stop_ns)
        event_in(&run.stop, p->stop_ns);
}

static void run_out(void)
{
    bool moves = true;

    while (moves && !run.stops && run.drained < run.workers_n) {
        moves = world_step();
        check_step(&run);
    }
    if (!moves)
        check_quiet(&run);
    event_off(&run.reload);
    event_off(&run.drain);
    event_off(&run.stop);
    event_off(&run.refuse);
    workers_stop();
    while (world_step())
        ;
    check_requests(&run);
}

/* In half of the schedules, since who holds one hides that it was freed too early. */
static void budgets_hold(void)
{
    bool holds = chance(500);

    for (uint32_t i = 0; holds && i < CLUSTERS; i++)
        run.budgets[i] = live_budget_get(str_of(conf_cluster_name(i)));
}

static void run_once(uint64_t seed)
{
    sim_begin(seed);
    kernel_begin();
    fibers_begin();
    backends_begin();
    run = (struct run){ .slots = slots_new() };
    plan_make(&run.plan);
    check_limits_may_be(&run, &run.plan.conf);
    crowd_limit_addresses(run.plan.from_address);
    memset(rq_served, 0, sizeof(rq_served));
    budgets_hold();
    SAY("seed %llu: %s, %u clients, %u requests, %u workers", (unsigned long long)seed,
        run.plan.calm ? "calm" : "rough", run.plan.client_count, request_count, run.plan.workers);
    workers_start();
    publish(true);
    timetable();
    run_out();
    tls_free_all();
    root_unref(run.root);
    for (int i = 0; i < CLUSTERS; i++)
        live_budget_unref(run.budgets[i]);
    slots_free(run.slots);
    check_end();
    sim_end();
}

void runs_begin(void)
{
    fiber_ended = ended;
    tls_begin();
}

/* A first schedule of its kind fills what lives as long as the process: so a second try tells
 * whether octets are lost. */
void run_schedule(uint64_t seed)
{
    for (int tries = 0;; tries++) {
        int64_t before = blocks_live();

        run_once(seed);
        if (blocks_live() == before)
            return;
        if (tries == 2)
            sim_fail("%lld pieces of memory are not given back",
                     (long long)(blocks_live() - before));
    }
}
