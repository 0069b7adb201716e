/*
 * http/h2_leg - the legs of an HTTP/2 connection: what their owners call, and how they end.
 */
#include "http/h2_conn.h"

void h2_leg_pend(struct h2_leg *l)
{
    list_remove(&l->turn);
    list_push_back(&l->conn->pending, &l->turn);
    task_wake(&l->conn->c.task);
}

void h2_leg_fail(struct h2_leg *l, enum leg_fail fail, const char *details)
{
    if (l->gone)
        return;
    l->gone = true;
    h2_leg_opened_not(l);
    l->leg.fail = (uint8_t)fail;
    l->leg.fail_details = details;
    list_remove(&l->turn);
    bufq_reset(&l->leg.out);
    leg_notify(&l->leg);
}

void h2_leg_taken(struct h2_leg *l)
{
    struct h2_conn *h = l->conn;
    size_t taken = l->held - l->leg.in.n;

    l->held -= taken;
    h->held -= taken;
    if (h->state != H2C_OPEN || taken == 0)
        return;
    if (l->s.is_open)
        h2_stream_consumed(&h->h2, &l->s, taken);
    if (h->held <= h->h2.options.connection_window && h->owed) {
        h2_connection_consumed(&h->h2, h->owed);
        h->owed = 0;
    }
}

static void leg_woken(struct leg *leg)
{
    struct h2_leg *l = CONTAINER_OF(leg, struct h2_leg, leg);

    h2_leg_taken(l);
    if (!l->gone)
        h2_leg_pend(l);
}

/* How a leg that did not end in order is reset (RFC 9113, 8.1: NO_ERROR behind a whole
 * answer that did not need the rest of the request). */
static uint32_t reset_code(const struct h2_leg *l)
{
    if (!h2_is_server(l->conn))
        return H2_CANCEL;
    return l->s.sent_end ? H2_NO_ERROR : H2_INTERNAL_ERROR;
}

static void leg_released(struct leg *leg)
{
    struct h2_leg *l = CONTAINER_OF(leg, struct h2_leg, leg);
    struct h2_conn *h = l->conn;

    bufq_reset(&leg->in);
    h2_leg_taken(l);
    h2_leg_opened_not(l);
    h2_stream_close(&h->h2, &l->s, reset_code(l));
    leg_fini(leg);
    list_remove(&l->turn);
    list_remove(&l->node);
    h->n_legs--;
    slab_put(&h->c.pools->h2_legs, l);
    task_wake(&h->c.task);
}

static const struct leg_ops h2_leg_ops = {
    .wake = leg_woken,
    .release = leg_released,
};

/* The streams of a connection share its buffers: the first may hold all, the tenth a tenth, so
 * that a hundred hold some 9 MiB and not a hundred (CVE-2019-9517). */
#define HOLD_MIN 65536

static size_t share_of_buffers(const struct h2_conn *h)
{
    size_t all = h->c.settings->buffer_limit;

    return MAX(all / h->n_legs, MIN(HOLD_MIN, all));
}

struct h2_leg *h2_leg_new(struct h2_conn *h, struct arena *arena)
{
    struct h2_leg *l = slab_get(&h->c.pools->h2_legs);

    if (!l)
        return NULL;
    leg_init(&l->leg, &h2_leg_ops);
    l->leg.arena = arena;
    l->leg.in_limit = h->c.settings->buffer_limit;
    l->leg.transport = h->c.transport;
    l->conn = h;
    l->out_left = -1;
    list_init(&l->turn);
    list_push_back(&h->legs, &l->node);
    h->n_legs++;
    l->leg.hold_limit = share_of_buffers(h);
    h->c.exchanges += h2_is_server(h);
    return l;
}

/* ---- the stream of a client's leg ---- */

void h2_leg_opened_not(struct h2_leg *l)
{
    l->conn->unopened -= l->unopened;
    l->unopened = false;
}

bool h2_leg_open(struct h2_leg *l)
{
    struct h2_conn *h = l->conn;

    if (h2_is_shut(&h->h2)) {
        h2_leg_fail(l, LEG_REFUSED, NULL);
        return false;
    }
    if (h2_open_room(&h->h2) == 0) {
        list_push_back(&h->waiting, &l->turn);
        return false;
    }
    h2_leg_opened_not(l);
    h2_stream_open(&h->h2, &l->s, 0);
    return true;
}
