/*
 * proxy/pump - moves bodies and trailers between the legs, and the response's head down.
 *
 * Back-pressure both ways: what the far side does not take stays in its queue up to the
 * buffer limit, then in ours, then in the near side's kernel.
 */
#include "proxy/request.h"

#include "codec/method.h"
#include "proxy/shadow.h"

/* What is held of each body at each of its two places. */
static size_t limit_of(const struct request *r)
{
    size_t limit = r->s.chain ? r->s.chain->http.buffer_limit : 1 << 20;

    return MIN(MIN(limit, r->down->hold_limit), http_pools_room(r->worker->pools));
}

/* ---- up ---- */

static bool over_max_body(const struct request *r)
{
    uint64_t max = r->s.chain->http.max_body;

    return max && r->record.received > max;
}

static void request_is_whole(struct request *r)
{
    r->record.request_end_ns = loop_now_ns(r->s.loop);
    if (r->s.route->timeout_ms && r->timer.deadline_ms == 0)
        timer_set(&r->timer, r->s.route->timeout_ms);
    if (r->s.route->extras)
        attempt_sent(r);
}

static void count_messages(const struct request *r, struct grpc_count *count,
                           const struct bufq *octets)
{
    if (!r->record.is_grpc)
        return;
    for (const struct slice *s = octets->first; s; s = s->next)
        grpc_count_add(count, str_make(s->chunk->data + s->at, s->n));
}

void pump_request(struct request *r)
{
    struct leg *down = r->down, *up = r->up;
    bool end;

    if (!up || up->fail || up->out_end)
        return;
    if (down->in.n && up->out.n < limit_of(r)) {
        r->record.received += down->in.n;
        if (over_max_body(r) && r->state == REQUEST_UPSTREAM) {
            reply_send(&r->s, 413, STR("Payload Too Large"), "request_payload_too_large", 0);
            return;
        }
        chain_body(r, false, &down->in, down->in_end);
        count_messages(r, &r->request_messages, &down->in);
        attempt_keep(r, &down->in);
        if (r->shadows)
            shadows_feed(r, &down->in);
        bufq_move(&up->out, &down->in);
        leg_wake(up);
        leg_wake(down);
    }
    end = down->in_end && bufq_is_empty(&down->in);
    if (!end)
        return;
    if (down->in_trailers)
        chain_trailers(r, false, down->in_trailers);
    if (r->shadows)
        shadows_finish(r);
    up->out_trailers = down->in_trailers;
    up->out_end = true;
    request_is_whole(r);
    leg_wake(up);
}

/* ---- down ---- */

static void pass_infos(struct request *r)
{
    struct head **last = &r->down->out_info;

    while (*last)
        last = &(*last)->next;
    while (r->up->in_info) {
        struct head *info = r->up->in_info;

        r->up->in_info = info->next;
        info->next = NULL;
        if (info->status == 100)
            continue; /* answered here already */
        chain_response_info(r, info);
        *last = info;
        last = &info->next;
    }
    r->up->in_info_last = &r->up->in_info;
    leg_wake(r->down);
}

static void service_time(struct request *r)
{
    uint64_t ns = r->record.upstream_first_ns - r->record.upstream_start_ns;

    headers_set_id(&r->s.response->headers, r->s.arena, HDR_X_ENVOY_UPSTREAM_SERVICE_TIME,
                   decimal_text(r->s.arena, ns / 1000000))
        ->is_clean = true;
}

static void take_response_head(struct request *r)
{
    struct leg *up = r->up;

    r->s.response = up->in_head;
    r->record.upstream_first_ns = loop_now_ns(r->s.loop);
    if (up->transport)
        r->record.upstream_local = up->transport->info.local;
    r->record.code = r->s.response->status;
    r->record.details = "via_upstream";
    service_time(r);
}

/* True once the head is on its way down. */
static bool response_begun(struct request *r)
{
    if (r->state == REQUEST_RESPONSE)
        return true;
    if (!r->up->in_head || r->response_waits)
        return false;
    if (!r->s.response && (r->s.route->extras || r->record.is_grpc) && attempt_rejects(r))
        return false;
    if (!r->s.response)
        take_response_head(r);
    if (!chain_response_head(r))
        return false;
    edge_response(r); /* behind the filters: no manifest changes `server` */
    r->down->out_head = r->s.response;
    r->can_replay = false;
    bufq_reset(&r->replay);
    request_set_state(r, REQUEST_RESPONSE);
    return true;
}

static void pass_body(struct request *r)
{
    struct leg *down = r->down, *up = r->up;
    bool end;

    if (up->in.n && down->out.n < limit_of(r)) {
        chain_body(r, true, &up->in, up->in_end);
        r->record.sent += up->in.n;
        count_messages(r, &r->response_messages, &up->in);
        bufq_move(&down->out, &up->in);
        leg_wake(up);
    }
    end = up->in_end && bufq_is_empty(&up->in);
    if (!end)
        return;
    if (up->in_trailers)
        chain_trailers(r, true, up->in_trailers);
    r->record.trailers = up->in_trailers;
    down->out_trailers = up->in_trailers;
    down->out_end = true;
    timer_off(&r->timer);
}

void pump_response(struct request *r)
{
    struct leg *up = r->up;

    if (!up || r->is_replied)
        return;
    if (up->in_info)
        pass_infos(r);
    if (response_begun(r)) {
        if (!r->down->out_end)
            pass_body(r);
        leg_wake(r->down);
    }
    if (r->state == REQUEST_RESPONSE && r->down->out_end && up->out_done)
        attempt_end(r); /* back to the pool */
    else if (up->fail && !(r->state == REQUEST_RESPONSE && r->down->out_end) && !up->in_end)
        attempt_failed(r);
}
