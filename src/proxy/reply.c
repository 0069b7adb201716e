/*
 * proxy/reply - answers that are made here, with Envoy's words and flags.
 */
#include "proxy/request.h"

/* The answer ends the connection where the request is not whole: what is still to come
 * would be read as the next request. */
static void close_unless_whole(struct request *r)
{
    if (!r->down->in_end)
        r->down->out_close = true;
}

static void build_head(struct request *r, uint16_t status, struct str body,
                       const struct headers *extra)
{
    struct arena *a = r->s.arena;
    struct head *head = head_new(a);

    head->status = status;
    head->content_length = (int64_t)body.n;
    if (body.n)
        headers_add_id(&head->headers, a, HDR_CONTENT_TYPE, STR("text/plain"));
    if (extra)
        headers_share(&head->headers, a, extra);
    r->s.response = head;
    r->s.is_local_reply = true;
}

void reply_with(struct request *r, uint16_t status, struct str body, const char *details,
                uint32_t flags, const struct headers *extra)
{
    struct leg *down = r->down;

    if (r->is_replied || r->state >= REQUEST_RESPONSE)
        return;
    attempt_end(r);
    timer_off(&r->timer);
    r->retry_due = false;
    r->is_replied = true;
    r->record.code = status;
    r->record.flags |= flags;
    r->record.details = details;
    close_unless_whole(r);
    build_head(r, status, body, extra);
    edge_response(r);
    while (!chain_response_head(r))
        ; /* a local reply does not wait */
    r->response_waits = false;
    down->out_head = r->s.response;
    if (body.n && !(r->s.request && str_eq(r->s.request->method, STR("HEAD")))) {
        if (bufq_copy(&down->out, &r->worker->pools->chunks, body))
            r->record.sent = body.n;
        else
            r->s.response->content_length = 0;
    }
    down->out_end = true;
    r->state = REQUEST_RESPONSE;
    leg_wake(down);
}

void reply_send(struct stream *s, uint16_t status, struct str body, const char *details,
                uint32_t flags)
{
    reply_with(request_of(s), status, body, details, flags, NULL);
}

void reply_break(struct request *r, const char *details, uint32_t flags)
{
    r->record.flags |= flags;
    r->record.details = details;
    r->is_broken = true;
    attempt_end(r);
    timer_off(&r->timer);
    r->down->out_break = true; /* what was passed on still goes out */
    leg_wake(r->down);
}
