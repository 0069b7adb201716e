/*
 * proxy/reply - answers that are made here, with Envoy's words and flags.
 */
#include "proxy/request.h"

#include "telemetry/flags.h"

#include <stdio.h>

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

/* gRPC percent-encodes what is not printable. */
static struct str grpc_message(struct arena *a, struct str text)
{
    char *p = arena_raw(a, text.n * 3 + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = (uint8_t)text.p[i];

        if (c >= ' ' && c < 0x7f && c != '%')
            p[n++] = (char)c;
        else
            n += (size_t)snprintf(p + n, 4, "%%%02X", c);
    }
    return str_make(p, n);
}

/* A gRPC client reads no HTTP status: 200 with the status in the head, as Envoy does. */
static void build_grpc_head(struct request *r, uint16_t status, struct str body,
                            const struct headers *extra)
{
    struct arena *a = r->s.arena;
    struct headers *h;
    char digits[20];

    build_head(r, 200, STR_NONE, extra);
    h = &r->s.response->headers;
    headers_set_id(h, a, HDR_CONTENT_TYPE, STR("application/grpc"));
    if (!headers_find(h, HDR_GRPC_STATUS))
        headers_add_id(h, a, HDR_GRPC_STATUS,
                       arena_dup(a, str_of_u64((uint64_t)grpc_status_of_code(status), digits)));
    if (body.n)
        headers_set_id(h, a, HDR_GRPC_MESSAGE, grpc_message(a, body));
    r->record.code = 200;
}

static void answer(struct request *r, const struct stream_answer *what)
{
    struct leg *down = r->down;
    struct str body = what->body;

    attempt_end(r);
    timer_off(&r->timer);
    r->retry_due = false;
    r->is_replied = true;
    r->record.code = what->status;
    r->record.details = what->details;
    request_note(&r->s, what->flags);
    close_unless_whole(r);
    if (r->record.is_grpc) {
        build_grpc_head(r, what->status, body, what->headers);
        body = STR_NONE;
    } else {
        build_head(r, what->status, body, what->headers);
    }
    r->s.is_sealed = what->is_sealed;
    while (!chain_response_head(r))
        ; /* a local reply does not wait */
    edge_response(r);
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

void reply_answer(struct stream *s, const struct stream_answer *what)
{
    struct request *r = request_of(s);

    if (!r->is_replied && r->state < REQUEST_RESPONSE)
        answer(r, what);
}

void reply_with(struct request *r, uint16_t status, struct str body, const char *details,
                uint32_t flags, const struct headers *extra)
{
    struct stream_answer what = {
        .status = status, .flags = flags, .details = details, .body = body, .headers = extra
    };

    reply_answer(&r->s, &what);
}

void reply_instead(struct request *r)
{
    struct stream_answer what = { .status = 502,
                                  .details = r->down->fail_details,
                                  .body = STR("the client takes no head of that size") };

    r->down->fail = LEG_OK;
    r->record.sent = 0;
    r->record.trailers = NULL;
    answer(r, &what);
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
