#include "proxy/lag.h"

#include "base/log.h"
#include "live/pressure.h"
#include "proxy/downstream.h"

#include <limits.h>

/* Turns that are longer have left something to the next one, and so many are accepted then. */
#define BUSY_NS 2000000u
#define ACCEPTS_WHEN_BUSY 8
/* How often a worker that is behind looks at its ports. */
#define LOOK_MS 50
/* Connections that may wait meanwhile: as many as a worker with a tenth of a processor accepts
 * in LAG_TARGET_MS. */
#define BACKLOG_BEHIND 32

static void each_backlog(struct worker *w, int backlog)
{
    LIST_EACH (it, &w->ports, after) {
        acceptor_set_backlog(&LIST_ITEM(it, struct port, node)->acceptor, backlog);
    }
}

static bool is_crowded(const struct worker *w)
{
    LIST_EACH (it, &w->ports, after) {
        if (acceptor_is_crowded(&LIST_ITEM(it, struct port, node)->acceptor))
            return true;
    }
    return false;
}

static void say(const struct worker *w, const char *what)
{
    log_warn("overload", what, KVN("worker", w->options.id),
             KVN("lag_ms", loop_lag_ns(w->loop) / 1000000));
}

static void fall_behind(struct worker *w)
{
    w->lag.is_behind = true;
    w->lag.rough_ms = loop_now_ms(w->loop);
    each_backlog(w, BACKLOG_BEHIND);
    timer_set(&w->lag.look, LOOK_MS);
    live_workers_behind(1);
    say(w, "a worker cannot keep up: it accepts less, and refuses what waited too long");
}

static void catch_up(struct worker *w)
{
    w->lag.is_behind = false;
    w->lag.since_ms = 0;
    timer_off(&w->lag.look);
    each_backlog(w, LISTEN_BACKLOG);
    live_workers_behind(-1);
    say(w, "a worker keeps up again");
}

static void look_due(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, lag.look);
    uint64_t now = loop_now_ms(w->loop);

    if (lag_is_late(w) || is_crowded(w))
        w->lag.rough_ms = now;
    if (now - w->lag.rough_ms >= LAG_CALM_MS)
        catch_up(w);
    else
        timer_set(t, LOOK_MS);
}

void lag_init(struct worker *w)
{
    timer_init(&w->lag.look, w->loop, look_due);
}

void lag_fini(struct worker *w)
{
    if (w->lag.is_behind)
        live_workers_behind(-1);
    timer_fini(&w->lag.look);
}

int lag_may_accept(const struct worker *w)
{
    if (lag_is_late(w))
        return 1;
    return loop_lag_ns(w->loop) >= BUSY_NS ? ACCEPTS_WHEN_BUSY : INT_MAX;
}

static bool knock_waited(const struct worker *w)
{
    LIST_EACH (it, &w->ports, after) {
        if (LIST_ITEM(it, struct port, node)->acceptor.waited_ms >= LAG_TARGET_MS)
            return true;
    }
    return false;
}

static bool was_late(const struct worker *w)
{
    return lag_is_late(w) || knock_waited(w);
}

void lag_turn(struct worker *w)
{
    uint64_t now = loop_now_ms(w->loop);

    if (!was_late(w))
        w->lag.since_ms = 0;
    else if (w->lag.since_ms == 0)
        w->lag.since_ms = now;
    else if (!w->lag.is_behind && now - w->lag.since_ms >= LAG_STANDS_MS)
        fall_behind(w);
}
