/*
 * proxy/squeeze - what a worker does at each step of memory pressure (live/pressure.h). New
 * requests and connections look at the step themselves.
 */
#include "live/pressure.h"
#include "proxy/downstream.h"
#include "proxy/upstream.h"

#include <stdlib.h>

static void each_client(struct worker *w, void (*what)(struct http_conn *c))
{
    LIST_EACH (it, &w->downstreams, after) {
        what(LIST_ITEM(it, struct downstream, node)->conn);
    }
}

static void squeeze(struct worker *w, enum pressure from, enum pressure to)
{
    if (from < PRESSURE_SAVE && to >= PRESSURE_SAVE) {
        each_client(w, http_conn_drain);
        upstream_retire_idle(w);
    }
    if (from < PRESSURE_REFUSE && to >= PRESSURE_REFUSE)
        each_client(w, http_conn_retire);
    if ((from >= PRESSURE_SHED) != (to >= PRESSURE_SHED))
        http_pools_hold(w->pools, to >= PRESSURE_SHED);
    if (to > from)
        net_trim(w->net);
}

struct squeeze_mail {
    struct mail mail;
    struct worker *worker;
};

static void squeeze_deliver(struct mail *m, struct loop *loop)
{
    struct squeeze_mail *s = CONTAINER_OF(m, struct squeeze_mail, mail);
    struct worker *w = s->worker;
    enum pressure now = live_pressure();

    (void)loop;
    squeeze(w, w->pressure, now);
    w->pressure = (uint8_t)now;
    free(s);
}

void worker_squeeze(struct worker *w)
{
    struct squeeze_mail *s = must_alloc(sizeof(*s));

    s->mail.deliver = squeeze_deliver;
    s->worker = w;
    mail_post(w->loop, &s->mail);
}
