#include "proxy/worker_int.h"

#include "live/host.h"
#include "live/seats.h"
#include "proxy/downstream.h"
#include "proxy/request.h"
#include "proxy/share.h"
#include "proxy/upstream.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define DRAIN_POLL_MS 50
/* A stream older than this trades its root for holds on the parts it uses. */
#define TRADE_AFTER_MS 10000
#define TRADE_AGAIN_MS 1000
/* Connections that make a burst, and how long after it memory goes back. */
#define TRIM_WORTH 32
#define TRIM_AFTER_MS ((uint64_t)1000)
#define TRIM_EVERY_MS 5000

/* ---- roots ---- */

struct root_hold *worker_hold(struct worker *w)
{
    w->hold->streams++;
    return w->hold;
}

static void hold_free(struct root_hold *hold)
{
    root_unref(hold->root);
    free(hold);
}

void worker_unhold(struct worker *w, struct root_hold *hold)
{
    if (--hold->streams > 0 || hold == w->hold)
        return;
    w->old_holds--;
    hold_free(hold);
}

static void trade_old(struct stream *s, void *arg)
{
    struct worker *w = arg;

    request_trade_root(s, loop_now_ns(w->loop) - TRADE_AFTER_MS * 1000000ull);
}

/* A long stream must not keep a whole snapshot in memory (design 5.1). */
static void trade_due(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, trade_timer);
    uint64_t from_ns = loop_clock_ns(w->loop);

    streams_each(w->streams, trade_old, w);
    if (w->old_holds)
        timer_set(t, TRADE_AGAIN_MS);
    loop_note(w->loop, "old snapshots", from_ns);
}

static void worker_swap(struct worker *w, struct root *take_root)
{
    struct root_hold *old = w->hold;
    struct root_hold *fresh = must_alloc(sizeof(*fresh));
    struct root *before = old ? root_ref(old->root) : NULL;

    fresh->root = take_root;
    w->hold = fresh;
    if (old && old->streams == 0) {
        hold_free(old);
    } else if (old) {
        w->old_holds++;
        if (w->trade_timer.deadline_ms == 0)
            timer_set(&w->trade_timer, TRADE_AFTER_MS);
    }
    atomic_store_explicit(&w->generation, root_generation(take_root), memory_order_release);
    seats_serve(w->options.id, root_generation(take_root));
    lb_sweep(w->lb, take_root);
    upstream_sweep(w, before);
    root_unref(before);
}

/* ---- mail ---- */

struct publish_mail {
    struct mail mail;
    struct worker *worker;
    struct root *root;
    size_t n;
    struct listen_grant grants[];
};

static void close_removed_ports(struct worker *w)
{
    LIST_EACH (it, &w->ports, after) {
        struct port *p = LIST_ITEM(it, struct port, node);

        if (!root_listener(worker_root(w), p->listener))
            port_close(p);
    }
}

/* Only a removed listener ends connections (design 5.1), or one that changed between clear and
 * TLS: they finish what they are at. */
static void retire_orphans(struct worker *w)
{
    LIST_EACH (it, &w->downstreams, after) {
        struct downstream *d = LIST_ITEM(it, struct downstream, node);

        const struct listener *l = root_listener(worker_root(w), d->listener);

        if (!l || l->is_tls != d->is_tls)
            http_conn_retire(d->conn);
    }
}

static void publish_deliver(struct mail *m, struct loop *loop)
{
    struct publish_mail *p = CONTAINER_OF(m, struct publish_mail, mail);
    struct worker *w = p->worker;
    uint64_t from_ns = loop_clock_ns(loop);

    worker_swap(w, p->root);
    for (size_t i = 0; i < p->n; i++) {
        struct port *old = port_of_listener(w, p->grants[i].listener);

        if (w->draining) {
            close(p->grants[i].take_fd);
            continue;
        }
        port_open(w, p->grants[i].listener, p->grants[i].take_fd);
        if (old)
            port_close(old);
    }
    close_removed_ports(w);
    retire_orphans(w);
    if (w->options.serves)
        w->options.serves(w, w->options.arg);
    free(p);
    loop_note(loop, "snapshot", from_ns);
}

void worker_publish(struct worker *w, struct root *take_root, const struct listen_grant *grants,
                    size_t n)
{
    struct publish_mail *p = must_alloc(sizeof(*p) + n * sizeof(*grants));

    p->mail.deliver = publish_deliver;
    p->worker = w;
    p->root = take_root;
    p->n = n;
    if (n)
        memcpy(p->grants, grants, n * sizeof(*grants));
    mail_post(w->loop, &p->mail);
}

/* ---- drain ---- */

static void drain_over(struct worker *w)
{
    timer_off(&w->drain_poll);
    if (w->options.drained)
        w->options.drained(w, w->options.arg);
}

static void drain_look(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, drain_poll);

    if (list_is_empty(&w->downstreams) || loop_now_ms(w->loop) >= w->drain_ends_ms)
        drain_over(w);
    else
        timer_set(&w->drain_poll, DRAIN_POLL_MS);
}

static void drain_min_passed(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, drain_timer);

    LIST_EACH (it, &w->ports, after) {
        port_close(LIST_ITEM(it, struct port, node));
    }
    LIST_EACH (it, &w->downstreams, after) {
        http_conn_retire(LIST_ITEM(it, struct downstream, node)->conn);
    }
    timer_set(&w->drain_poll, DRAIN_POLL_MS);
}

static void tell_to_go(struct worker *w)
{
    w->telling = true;
    LIST_EACH (it, &w->downstreams, after) {
        http_conn_drain(LIST_ITEM(it, struct downstream, node)->conn);
    }
}

struct drain_mail {
    struct mail mail;
    struct worker *worker;
    uint32_t min_ms, max_ms;
};

static void tell_deliver(struct mail *m, struct loop *loop)
{
    struct drain_mail *d = CONTAINER_OF(m, struct drain_mail, mail);

    (void)loop;
    tell_to_go(d->worker);
    free(d);
}

static void drain_post(struct drain_mail drain)
{
    struct drain_mail *d = must_alloc(sizeof(*d));

    *d = drain;
    mail_post(d->worker->loop, &d->mail);
}

void worker_tell_to_go(struct worker *w)
{
    drain_post((struct drain_mail){ .mail.deliver = tell_deliver, .worker = w });
}

static void drain_deliver(struct mail *m, struct loop *loop)
{
    struct drain_mail *d = CONTAINER_OF(m, struct drain_mail, mail);
    struct worker *w = d->worker;

    w->draining = true;
    seats_close(w->options.id);
    w->drain_ends_ms = loop_now_ms(loop) + d->max_ms;
    tell_to_go(w);
    timer_set(&w->drain_timer, d->min_ms);
    free(d);
}

void worker_drain(struct worker *w, uint32_t min_ms, uint32_t max_ms)
{
    drain_post((struct drain_mail){ { .deliver = drain_deliver }, w, min_ms, max_ms });
}

/* ---- the thread ---- */

static void log_due(struct timer *t)
{
    (void)t; /* it only ends the wait: before_wait looks at the log */
}

/* Behind a burst of connections, or of connections that came to rest. */
static bool trim_is_worth_it(const struct worker *w)
{
    return (w->open_peak >= TRIM_WORTH && net_open_count(w->net) * 4 < w->open_peak) ||
           w->pools->rests - w->rests_trimmed >= TRIM_WORTH;
}

/* Most of what they took goes back to the system. */
static void trim_due(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, trim_timer);
    uint64_t from_ns = loop_clock_ns(w->loop);

    if (!trim_is_worth_it(w))
        return;
    slab_trim(&w->downstream_slab);
    slab_trim(&w->upstream_slab);
    http_pools_trim(w->pools);
    net_trim(w->net);
    w->open_peak = net_open_count(w->net);
    w->rests_trimmed = w->pools->rests;
    w->trimmed_ms = loop_now_ms(w->loop);
    loop_note(w->loop, "trim", from_ns);
}

static void trim_arm(struct worker *w)
{
    uint64_t now = loop_now_ms(w->loop), next = w->trimmed_ms + TRIM_EVERY_MS;

    w->open_peak = MAX(w->open_peak, net_open_count(w->net));
    if (w->trim_timer.deadline_ms == 0 && trim_is_worth_it(w))
        timer_set(&w->trim_timer, MAX(TRIM_AFTER_MS, next > now ? next - now : 0));
}

static void before_wait(void *arg)
{
    struct worker *w = arg;

    trim_arm(w);
    lag_turn(w);
    uint32_t again_ms = log_end_turn(w->log, loop_now_ms(w->loop));

    if (again_ms && w->log_timer.deadline_ms == 0)
        timer_set(&w->log_timer, again_ms);
}

static void worker_run(struct worker *w)
{
    while (!w->stopping)
        loop_turn(w->loop, -1);
}

/* Dead ones count until whoever uses their legs has let go of them. */
static bool has_connections(const struct worker *w)
{
    return !list_is_empty(&w->downstreams) || w->upstream_slab.live || w->pools->conns.live ||
           w->pools->h2_conns.live;
}

/* Closes what is open and runs until it is gone. */
static void worker_close_all(struct worker *w)
{
    LIST_EACH (it, &w->ports, after) {
        port_close(LIST_ITEM(it, struct port, node));
    }
    LIST_EACH (it, &w->downstreams, after) {
        http_conn_close(LIST_ITEM(it, struct downstream, node)->conn);
    }
    upstream_close_all(w);
    for (int i = 0; i < 100 && (has_connections(w) || streams_count(w->streams)); i++)
        loop_turn(w->loop, 10);
}

static void called(struct mail *m, struct loop *loop)
{
    struct worker *w = CONTAINER_OF(m, struct worker, ear.mail);

    (void)loop;
    live_ear_heard(&w->ear);
    share_look_at_all(w);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    sigset_t all;

    sigfillset(&all); /* signals are main's */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    live_ear_open(w->options.id, &w->ear, w->loop, called);
    seats_open(w->options.id, w->loop, w);
    worker_run(w);
    live_ear_close(w->options.id);
    seats_close(w->options.id);
    loop_turn(w->loop, 0); /* what was sent before */
    worker_close_all(w);
    log_end_flush(w->log);
    return NULL;
}

static void worker_init(struct worker *w, const struct worker_options *options)
{
    struct http_limits limits = { 2 * options->max_connections, options->max_body_octets };
    uint64_t seed = options->id;
    ssize_t n = getrandom(&seed, sizeof(seed), 0);

    (void)n;
    w->options = *options;
    w->loop = loop_new(NULL);
    w->pools = http_pools_new(w->loop, &limits);
    w->net = net_new(w->loop, 2 * options->max_connections);
    rng_init(&w->rng, seed);
    w->lb = lb_new(&w->rng);
    w->streams = streams_new(options->max_connections);
    w->metrics = metrics_new();
    w->log = log_end_new(options->access_log);
    timer_init(&w->log_timer, w->loop, log_due);
    loop_on_idle(w->loop, before_wait, w);
    turns_watch(&w->turns, w->loop, "worker");
    timer_init(&w->trim_timer, w->loop, trim_due);
    timer_init(&w->trade_timer, w->loop, trade_due);
    lag_init(w);
    timer_init(&w->drain_timer, w->loop, drain_min_passed);
    timer_init(&w->drain_poll, w->loop, drain_look);
    list_init(&w->ports);
    list_init(&w->downstreams);
    list_init(&w->shares);
    slab_init(&w->downstream_slab, sizeof(struct downstream), options->max_connections);
    slab_init(&w->upstream_slab, upstream_size(), options->max_connections);
}

struct worker *worker_start(const struct worker_options *options)
{
    struct worker *w = must_alloc(sizeof(*w));

    MUST(options->id < LIVE_WORKERS_MAX);
    worker_init(w, options);
    MUST(pthread_create(&w->thread, NULL, worker_main, w) == 0);
    return w;
}

struct stop_mail {
    struct mail mail;
    struct worker *worker;
};

static void stop_deliver(struct mail *m, struct loop *loop)
{
    (void)loop;
    CONTAINER_OF(m, struct stop_mail, mail)->worker->stopping = true;
}

static void worker_free(struct worker *w)
{
    turns_unwatch(&w->turns);
    timer_fini(&w->log_timer);
    timer_fini(&w->trim_timer);
    timer_fini(&w->trade_timer);
    lag_fini(w);
    timer_fini(&w->drain_timer);
    timer_fini(&w->drain_poll);
    upstream_free_all(w);
    if (w->hold)
        hold_free(w->hold);
    log_end_free(w->log);
    lb_free(w->lb);
    streams_free(w->streams);
    metrics_free(w->metrics);
    slab_fini(&w->downstream_slab);
    slab_fini(&w->upstream_slab);
    http_pools_free(w->pools);
    net_free(w->net);
    loop_free(w->loop);
    free(w);
}

void worker_stop(struct worker *w)
{
    struct stop_mail stop = { { .deliver = stop_deliver }, w };

    mail_post(w->loop, &stop.mail);
    pthread_join(w->thread, NULL);
    worker_free(w);
}

uint32_t worker_id(const struct worker *w)
{
    return w->options.id;
}

uint64_t worker_generation(const struct worker *w)
{
    return atomic_load_explicit(&w->generation, memory_order_acquire);
}
