/*
 * http/h1_head - a head that arrives on an HTTP/1 connection, and the exchange that it begins or
 * answers. It lives in the exchange's arena, octets and all.
 */
#include "http/h1_conn.h"

#include "codec/h2/h2.h"

/* As many octets may be copied to see whether they begin with a whole head. */
#define ONE_PIECE_OCTETS 2048

static void begin_request(struct h1_conn *h)
{
    leg_init(&h->leg, &h1_leg_ops);
    h->leg.arena = h->request_arena;
    h->leg.in_limit = h->c.settings->buffer_limit;
    h->leg.transport = h->c.transport;
    h->leg_open = true;
    h->state = H1_EXCHANGE;
    h->c.exchanges++;
}

static void hand_over(struct h1_conn *h)
{
    h->request_arena = NULL; /* the handler's now */
    h->c.server->request(h->c.server, &h->c, &h->leg);
    leg_notify(&h->leg);
}

void h1_bad_request(struct h1_conn *h, enum leg_fail fail, uint16_t status, const char *details)
{
    if (h->request_arena == NULL)
        h->request_arena = arena_take(h->c.pools);
    begin_request(h);
    h->keep_alive = false;
    h->in_state = H1_IN_DONE;
    h->leg.in_end = true;
    h->leg.fail = (uint8_t)fail;
    h->leg.fail_status = status;
    h->leg.fail_details = details;
    buf_fini(&h->in);
    hand_over(h);
}

static void head_of_message(struct head *head, const struct h1_message *m)
{
    head->version = m->minor == 0 ? HTTP_10 : HTTP_11;
    head->headers = m->headers;
    head->upgrade = m->upgrade;
    if (m->framing.kind == H1_BODY_LENGTH)
        head->content_length = (int64_t)m->framing.length;
    else if (m->framing.kind == H1_BODY_NONE && headers_find(&m->headers, HDR_CONTENT_LENGTH))
        head->content_length = 0;
    head->is_streamed = m->framing.kind == H1_BODY_CHUNKED ||
                        m->framing.kind == H1_BODY_UNTIL_CLOSE;
    headers_strip_hops(&head->headers);
}

static void begin_body(struct h1_conn *h, struct h1_framing framing, const struct head *head)
{
    if (framing.kind == H1_BODY_NONE) {
        h->in_state = H1_IN_DONE;
        h->leg.in_end = true;
        return;
    }
    h1_body_init(&h->body, framing, &h->limits, &head->headers);
    h->in_state = H1_IN_BODY;
}

static void take_request(struct h1_conn *h, const struct h1_request *rq)
{
    struct head *head = head_new(h->request_arena);

    head->method = method_text(rq->method);
    head->scheme = rq->scheme;
    head->authority = rq->authority;
    head->path = rq->path;
    head->expect_continue = rq->expect_continue;
    head_of_message(head, &rq->m);
    begin_request(h);
    h->keep_alive = rq->m.keep_alive;
    h->leg.in_head = head;
    begin_body(h, rq->m.framing, head);
    hand_over(h);
}

static void take_response(struct h1_conn *h, const struct h1_response *rs)
{
    struct head *head;

    if (rs->status == 101) { /* nobody asked for an upgrade: its header is removed */
        h1_die(h, LEG_PROTOCOL, h1_error_first_line.details.p, true);
        return;
    }
    head = head_new(h->leg.arena);
    head->status = rs->status;
    head->reason = rs->reason;
    head_of_message(head, &rs->m);
    if (rs->is_interim) {
        if (!leg_add_info(&h->leg, head)) {
            h1_die(h, LEG_PROTOCOL, "http1.too_many_informational_responses", true);
            return;
        }
        h1_scan_init(&h->scan, H1_RESPONSE, &h->limits);
    } else {
        h->leg.in_head = head;
        h->keep_alive = h->keep_alive && rs->m.keep_alive;
        begin_body(h, rs->m.framing, head);
    }
    leg_notify(&h->leg);
}

static void bad_head(struct h1_conn *h, const struct h1_error *error)
{
    if (h1_is_server(h))
        h1_bad_request(h, LEG_BAD, error->status, error->details.p);
    else
        h1_die(h, LEG_PROTOCOL, error->details.p, true);
}

/* Where the head of this connection's next message is kept. */
static struct arena *head_arena(struct h1_conn *h)
{
    if (!h1_is_server(h))
        return h->leg.arena;
    if (!h->request_arena)
        h->request_arena = arena_take(h->c.pools);
    return h->request_arena;
}

static enum method answered_method(const struct h1_conn *h)
{
    return h->leg.is_head_request ? METHOD_HEAD : METHOD_GET;
}

/* A head that h1_head_scan found whole. */
static void parse_head(struct h1_conn *h, struct str octets)
{
    struct arena *a = head_arena(h);
    const struct h1_error *error;
    struct h1_response rs;
    struct h1_request rq;

    octets = arena_dup(a, octets);
    if (h1_is_server(h))
        error = h1_request_parse(octets, a, &h->limits, &rq);
    else
        error = h1_response_parse(octets, answered_method(h), a, &h->limits, &rs);
    if (error)
        bad_head(h, error);
    else if (h1_is_server(h))
        take_request(h, &rq);
    else
        take_response(h, &rs);
}

/* A head that arrived in one piece and is good, as most are: octets used, else 0. */
static size_t read_head(struct h1_conn *h, struct str rest)
{
    struct arena *a = head_arena(h);
    struct h1_response rs;
    struct h1_request rq;
    size_t used;

    rest = arena_dup(a, rest);
    if (h1_is_server(h)) {
        used = h1_request_read(rest, a, &h->limits, &rq);
        if (used) {
            take_request(h, &rq);
        } else { /* it may take its time */
            arena_give(h->c.pools, a);
            h->request_arena = NULL;
        }
    } else {
        used = h1_response_read(rest, answered_method(h), a, &h->limits, &rs);
        if (used)
            take_response(h, &rs);
    }
    return used;
}

/* The first octets of a connection may be HTTP/2's preface (RFC 9113, 3.4), or a part of it. */
static bool is_preface(struct h1_conn *h, struct str rest)
{
    struct str preface = H2_PREFACE;
    size_t n = MIN(rest.n, preface.n);

    if (!h1_is_server(h) || h->c.exchanges || !str_eq(str_sub(rest, 0, n), str_sub(preface, 0, n)))
        return false;
    h->is_h2 = n == preface.n;
    return true;
}

size_t h1_decode_head(struct h1_conn *h, struct str rest)
{
    enum h1_got got;
    size_t len;

    if (rest.p[0] == 'P' && is_preface(h, rest))
        return 0;
    if (h->scan.at == 0 && rest.n <= ONE_PIECE_OCTETS) {
        len = read_head(h, rest);
        if (len)
            return len;
    }
    got = h1_head_scan(&h->scan, rest);
    len = h->scan.len;
    if (got == H1_MORE)
        return 0;
    if (got == H1_BAD) {
        bad_head(h, h->scan.error);
        return rest.n;
    }
    parse_head(h, h1_scan_head(&h->scan, rest));
    return len;
}
