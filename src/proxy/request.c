#include "proxy/request.h"

#include "live/host.h"
#include "live/pressure.h"
#include "proxy/shadow.h"
#include "tls/peer.h"

static const struct stream_ops request_ops;

static void request_run(struct task *t);

static void request_timeout(struct timer *t)
{
    struct request *r = CONTAINER_OF(t, struct request, timer);

    r->timed_out = true;
    task_wake(&r->task);
}

static void record_begin(struct request *r)
{
    struct record *rec = &r->record;
    const struct transport_info *info = http_conn_info(r->conn->conn);
    const struct head *head = r->down->in_head;

    rec->start_wall_us = loop_wall_ms(r->s.loop) * 1000;
    rec->start_ns = loop_now_ns(r->s.loop);
    rec->listener = r->s.listener;
    rec->listener_stats = r->conn->stats;
    rec->chain = r->s.chain;
    rec->connection_id = http_conn_id(r->conn->conn);
    rec->protocol = http_conn_version(r->conn->conn) == HTTP_2 ? PROTOCOL_HTTP2 : PROTOCOL_HTTP11;
    rec->downstream_local = info ? info->local : (struct addr){ 0 };
    rec->downstream_peer = info ? info->remote : (struct addr){ 0 };
    rec->downstream_remote = rec->downstream_peer;
    rec->upstream_local = rec->upstream_remote = (struct addr){ 0 };
    if (info && r->conn->is_tls) { /* copies: the transport may be gone before the record is read */
        rec->sni = arena_dup(r->s.arena, info->sni);
        rec->tls_version = arena_dup(r->s.arena, info->tls_version);
        rec->tls_cipher = arena_dup(r->s.arena, info->tls_cipher);
        rec->peer = tls_peer_ref(info->peer);
    }
    if (!head)
        return;
    if (head->version == HTTP_10)
        rec->protocol = PROTOCOL_HTTP10;
    rec->method = head->method;
    rec->path = head->path;
    rec->authority = head->authority;
    rec->request = &head->headers;
}

void request_begin(struct worker *w, struct downstream *d, struct http_conn *conn, struct leg *leg)
{
    struct request *r = arena_raw(leg->arena, sizeof(*r));

    (void)conn;
    memset(r, 0, REQUEST_ZEROED);
    r->s.ops = &request_ops;
    r->s.arena = leg->arena;
    r->s.loop = w->loop;
    r->s.rng = &w->rng;
    r->worker = w;
    r->conn = d;
    r->down = leg;
    r->hold = worker_hold(w);
    r->s.root = r->hold->root;
    r->s.listener = root_listener(r->s.root, d->listener);
    r->s.chain = downstream_chain(d, r->s.root);
    leg->out_close |= r->s.chain == NULL; /* a new connection may find one */
    r->s.request = leg->in_head;
    r->s.record = &r->record;
    bufq_init(&r->replay);
    claim_init(&r->claim, &r->task, w->metrics);
    task_init(&r->task, w->loop, request_run);
    timer_init(&r->timer, w->loop, request_timeout);
    record_begin(r);
    metrics_row_stat(d->stats, STAT_DOWNSTREAM_RQ_TOTAL, 1);
    metrics_row_stat(d->stats, STAT_DOWNSTREAM_RQ_ACTIVE, 1);
    leg->task = &r->task;
    task_wake(&r->task);
}

/* ---- the root ---- */

const struct root *request_root(struct request *r)
{
    if (!r->hold) {
        r->hold = worker_hold(r->worker);
        r->s.root = r->hold->root;
    }
    return r->s.root;
}

static void hold_part(struct request *r, const struct part *p)
{
    if (p)
        r->held[r->held_n++] = part_ref((struct part *)(uintptr_t)p);
}

void request_trade_root(struct stream *s, uint64_t ns)
{
    struct request *r = request_of(s);

    if (r->traded || r->hold == r->worker->hold || r->record.start_ns > ns)
        return;
    r->traded = true;
    hold_part(r, s->listener ? &s->listener->part : NULL);
    hold_part(r, s->chain ? &s->chain->part : NULL);
    hold_part(r, s->vhost ? &s->vhost->part : NULL);
    hold_part(r, r->cluster ? &r->cluster->part : NULL);
    hold_part(r, r->cluster ? root_part(s->root, PART_HOSTS, r->cluster->hosts) : NULL);
    s->root = NULL;
    worker_unhold(r->worker, r->hold);
    r->hold = NULL;
}

static void request_let_go(struct request *r)
{
    for (uint32_t i = 0; i < r->held_n; i++)
        part_unref(r->held[i]);
    if (r->hold)
        worker_unhold(r->worker, r->hold);
}

/* ---- the end ---- */

static void record_end(struct request *r)
{
    struct record *rec = &r->record;

    rec->end_ns = loop_now_ns(r->s.loop);
    rec->vhost = r->s.vhost;
    rec->route = r->s.route;
    rec->destination = r->s.destination;
    rec->cluster = r->cluster;
    rec->endpoint = r->endpoint;
    rec->request_messages = r->request_messages.messages;
    rec->response_messages = r->response_messages.messages;
    if (r->s.request) {
        rec->path = r->s.request->path;
        rec->method = r->s.request->method;
        rec->authority = r->s.request->authority;
        rec->request = &r->s.request->headers;
    }
    if (r->s.response)
        rec->response = &r->s.response->headers;
    log_end_add(r->worker->log, rec);
    metrics_request(r->worker->metrics, rec);
}

static void request_end(struct request *r)
{
    struct worker *w = r->worker;
    struct arena *arena = r->s.arena;

    chain_done(r);
    if (r->shadows)
        shadows_leave(r);
    attempt_end(r);
    claim_retry_give(&r->claim);
    record_end(r);
    tls_peer_unref(r->record.peer);
    metrics_row_stat(r->conn->stats, STAT_DOWNSTREAM_RQ_ACTIVE, -1);
    bufq_reset(&r->replay);
    leg_release(r->down);
    r->down = NULL;
    timer_fini(&r->timer);
    if (r->has_try_timer)
        timer_fini(&r->try_timer);
    task_cancel(&r->task);
    stream_leave(&r->s);
    request_let_go(r);
    arena_give(w->pools, arena); /* r lies in it */
}

/* ---- the turn ---- */

static void answer_unreadable(struct request *r)
{
    const struct leg *down = r->down;
    bool late = down->fail == LEG_TIMEOUT;
    uint16_t status = down->fail_status;

    r->down->out_close = true;
    metrics_row_stat(r->conn->stats,
                     late ? STAT_DOWNSTREAM_RQ_TIMEOUT : STAT_DOWNSTREAM_PROTOCOL_ERROR, 1);
    reply_send(&r->s, status, status_reason(status), down->fail_details, late ? 0 : FLAG_DPE);
}

/* With what Envoy's overload manager says; the client better comes back by another connection. */
static void answer_overload(struct request *r)
{
    struct headers extra = { 0 };

    headers_add_id(&extra, r->s.arena, HDR_X_ENVOY_LOCAL_OVERLOADED, STR("true"));
    r->down->out_close = true;
    metrics_row_stat(r->conn->stats, STAT_DOWNSTREAM_RQ_OVERLOAD, 1);
    reply_with(r, 503, STR("envoy overloaded"), "overload", FLAG_OM, &extra);
}

static bool body_is_too_large(const struct request *r)
{
    const struct head *head = r->s.request;

    return r->s.chain && r->s.chain->http.max_body && head->content_length > 0 &&
           (uint64_t)head->content_length > r->s.chain->http.max_body;
}

/* Whoever waited that long may have gone, and those behind him would wait as long. */
static bool is_too_late(const struct request *r)
{
    return r->worker->lag.is_behind && http_conn_waited_ms(r->conn->conn) >= LAG_TOO_LATE_MS;
}

static void request_head(struct request *r)
{
    if (r->down->fail == LEG_BAD || r->down->fail == LEG_TIMEOUT) {
        answer_unreadable(r);
        return;
    }
    if (live_pressure() >= PRESSURE_REFUSE || is_too_late(r) ||
        !stream_enter(r->worker->streams, &r->s)) {
        answer_overload(r);
        return;
    }
    if (!edge_request(r))
        return;
    request_set_state(r, REQUEST_FILTERS);
    if (body_is_too_large(r))
        reply_send(&r->s, 413, STR("Payload Too Large"), "request_payload_too_large", 0);
    else
        chain_request_head(r);
}

/* The other side left, or what it sent broke off. */
static void downstream_failed(struct request *r)
{
    if (r->is_broken) { /* as was asked for */
        r->state = REQUEST_DONE;
        return;
    }
    r->record.flags |= r->down->fail == LEG_PROTOCOL ? FLAG_DPE : FLAG_DC;
    if (r->down->fail_details)
        r->record.details = r->down->fail_details;
    else if (!r->record.details || r->state < REQUEST_RESPONSE)
        r->record.details = "downstream_remote_disconnect";
    if (r->state < REQUEST_RESPONSE)
        r->record.code = 0;
    r->state = REQUEST_DONE;
}

static void route_timed_out(struct request *r)
{
    r->timed_out = false;
    if (r->state == REQUEST_UPSTREAM)
        reply_send(&r->s, 504, STR("upstream request timeout"), "response_timeout", FLAG_UT);
    else if (r->state == REQUEST_RESPONSE && !r->is_replied)
        reply_break(r, "response_timeout", FLAG_UT);
}

static bool is_gone(const struct leg *leg)
{
    if (LIKELY(leg->fail == LEG_OK))
        return false;
    return leg->fail == LEG_GONE || leg->fail == LEG_NO_MEMORY || leg->fail == LEG_PROTOCOL;
}

static void request_step(struct request *r)
{
    if (r->down->fail == LEG_TOO_LARGE)
        reply_instead(r);
    if (r->state == REQUEST_HEAD)
        request_head(r);
    if (r->timed_out)
        route_timed_out(r);
    if (r->try_due)
        attempt_due(r);
    if (r->claim.is_turn)
        attempt_turn(r);
    if (r->up && r->state >= REQUEST_UPSTREAM) {
        if (!r->up->out_end)
            pump_request(r);
        pump_response(r);
    }
}

static void request_run(struct task *t)
{
    struct request *r = CONTAINER_OF(t, struct request, task);

    if (is_gone(r->down))
        downstream_failed(r);
    else if (r->down->fail == LEG_BAD && r->state > REQUEST_HEAD && r->state < REQUEST_RESPONSE)
        answer_unreadable(r); /* its body broke off after the head was on its way */
    else
        request_step(r);
    if (r->state == REQUEST_RESPONSE && r->down->out_done)
        r->state = REQUEST_DONE;
    if (r->state == REQUEST_DONE)
        request_end(r);
}

static void request_go_on(struct stream *s)
{
    struct request *r = request_of(s);

    if (r->state == REQUEST_WAITING) {
        request_set_state(r, REQUEST_FILTERS);
        chain_request_head(r);
    } else if (r->response_waits) {
        r->response_waits = false;
    }
    task_wake(&r->task);
}

void request_note(struct stream *s, uint32_t flags)
{
    struct request *r = request_of(s);

    r->record.flags |= flags;
    if (flags & FLAG_DI)
        metrics_row_stat(r->conn->stats, STAT_FAULT_DELAYS, 1);
    if (flags & FLAG_FI)
        metrics_row_stat(r->conn->stats, STAT_FAULT_ABORTS, 1);
}

static const struct stream_ops request_ops = {
    .reply = reply_send,
    .answer = reply_answer,
    .note = request_note,
    .go_on = request_go_on,
    .forward = attempt_forward,
};
