/*
 * http/h2_in - what arrives on an HTTP/2 connection: events of the codec to legs.
 */
#include "http/h2_conn.h"

#include "codec/h2/message.h"
#include "codec/url.h"

#define READ_OCTETS SCRATCH_OCTETS
/* Cookies may come in crumbs, a field each: they count as one, and their octets in full. */
#define CRUMBS 400
#define MALFORMED "http2.violation.of.messaging.rule"

/* ---- heads ---- */

static struct head *head_of(struct arena *a, const struct h2_message *m)
{
    struct head *head = head_new(a);

    head->version = HTTP_2;
    head->method = m->method;
    head->scheme = m->scheme;
    head->authority = m->authority;
    head->path = m->path;
    head->status = m->status;
    head->headers = m->headers;
    head->content_length = m->content_length;
    head->expect_continue = str_eq_nocase(headers_get(&m->headers, HDR_EXPECT),
                                          STR("100-continue"));
    if (str_is_set(m->protocol)) { /* RFC 8441: what HTTP/1 asks for by GET and Upgrade */
        head->method = STR("GET");
        head->upgrade = m->protocol;
    }
    return head;
}

/* Envoy has one name for whatever is wrong with a message. */
static const char *details_of(const struct h2_error *error)
{
    return error->count == H2_COUNT_RX_MESSAGING_ERROR ? MALFORMED : error->details;
}

static void leg_bad(struct h2_leg *l, const struct h2_error *error)
{
    l->leg.fail_text = str_of(details_of(error));
    h2_leg_fail(l, LEG_PROTOCOL, details_of(error));
}

static void stream_bad(struct h2_conn *h, struct h2_leg *l, const struct h2_error *error)
{
    h2_stream_fail(&h->h2, &l->s, error); /* nothing, if the codec did */
    leg_bad(l, error);
}

/* A request above a limit: answered without being looked at. */
static void too_large(struct h2_leg *l, uint16_t status, const char *details)
{
    l->leg.fail = LEG_BAD;
    l->leg.fail_status = status;
    l->leg.fail_details = details;
    l->leg.in_end = true;
}

static const struct h2_error *read_request(const struct headers *fields, struct arena *a, bool end,
                                           struct h2_message *ret)
{
    const struct h2_error *error = h2_request_read(fields, a, ret);

    if (error)
        return error;
    return end && ret->content_length > 0 ? &h2_error_content_length : NULL;
}

static void request_begins(struct h2_leg *l, const struct h2_event *ev, const struct h2_message *m)
{
    h2_stream_open(&l->conn->h2, &l->s, ev->id);
    l->s.got_head = true;
    l->s.got_end = ev->end;
    if (!m) {
        too_large(l, 431, "http2.too_many_headers");
        return;
    }
    if (m->path.n > URL_TARGET_MAX) {
        too_large(l, 414, "http2.invalid_url");
        return;
    }
    h2_stream_expect(&l->s, m->content_length);
    l->leg.in_head = head_of(l->leg.arena, m);
    l->leg.in_end = ev->end;
}

/* A malformed request is told of, too: it stands in the access log. */
static void new_request(struct h2_conn *h, const struct h2_event *ev, struct arena *a,
                        const struct headers *fields, bool over)
{
    bool full = h->h2.open_theirs >= h->h2.options.max_streams;
    const struct h2_error *error = NULL;
    struct h2_message m;
    struct h2_leg *l;

    if (!over)
        error = read_request(fields, a, ev->end, &m);
    over |= !error && !over && m.headers.n > h->c.settings->max_headers;
    l = full ? NULL : h2_leg_new(h, a);
    if (error || !l)
        h2_refuse(&h->h2, ev->id, error ? error : &h2_error_refused, error || full);
    if (!l) {
        arena_give(h->c.pools, a);
        return;
    }
    if (error)
        leg_bad(l, error);
    else
        request_begins(l, ev, over ? NULL : &m);
    h->c.server->request(h->c.server, &h->c, &l->leg);
    leg_notify(&l->leg);
}

static void ignore_block(struct h2_conn *h, const struct hpack_limits *limits)
{
    struct arena *a = arena_take(h->c.pools);
    struct headers fields = { 0 };
    bool over;

    if (!h2_block_read(&h->h2, limits, a, &fields, &over))
        MUST(h->h2.dead);
    arena_give(h->c.pools, a);
}

static void opening_block(struct h2_conn *h, const struct h2_event *ev,
                          const struct hpack_limits *limits)
{
    struct arena *a;
    struct headers fields = { 0 };
    bool over;

    a = arena_take(h->c.pools);
    if (!h2_block_read(&h->h2, limits, a, &fields, &over)) {
        arena_give(h->c.pools, a);
        return;
    }
    new_request(h, ev, a, &fields, over);
}

static const struct h2_error *take_trailers(struct h2_leg *l, const struct headers *fields,
                                            bool end)
{
    struct headers *trailers = ARENA_NEW(l->leg.arena, struct headers);
    const struct h2_error *error;

    if (!end)
        return &h2_error_no_trailer_end;
    if (l->s.length_left > 0)
        return &h2_error_content_length;
    error = h2_trailers_read(fields, l->leg.arena, trailers);
    if (error)
        return error;
    if (trailers->n)
        l->leg.in_trailers = trailers;
    l->leg.in_end = true;
    h2_count(&l->conn->h2, H2_COUNT_TRAILERS);
    return NULL;
}

static const struct h2_error *take_response(struct h2_leg *l, const struct headers *fields,
                                            bool end)
{
    const struct h2_error *error;
    struct h2_message m;
    struct head *head;

    error = h2_response_read(fields, l->leg.arena, &m);
    if (error || (m.status < 200 && end))
        return &h2_error_malformed;
    head = head_of(l->leg.arena, &m);
    if (m.status < 200)
        return leg_add_info(&l->leg, head) ? NULL : &h2_error_malformed;
    l->s.got_head = true;
    if (l->leg.is_head_request || m.status == 304 || m.status == 204)
        h2_stream_expect(&l->s, 0); /* whatever its content-length says */
    else
        h2_stream_expect(&l->s, m.content_length);
    if (end && l->s.length_left > 0)
        return &h2_error_content_length;
    l->leg.in_head = head;
    l->leg.in_end = end;
    return NULL;
}

/* Trailers are counted with their head. */
static struct hpack_limits limits_left(const struct h2_leg *l, const struct hpack_limits *all)
{
    const struct headers *head = l->leg.in_head ? &l->leg.in_head->headers : NULL;

    if (!head)
        return *all;
    return (struct hpack_limits){ all->max_octets - MIN(all->max_octets, head->octets),
                                  all->max_headers - MIN(all->max_headers, head->n) };
}

static void open_block(struct h2_conn *h, const struct h2_event *ev, const struct hpack_limits *all)
{
    struct h2_leg *l = h2_leg_of_stream(ev->stream);
    struct hpack_limits limits = limits_left(l, all);
    const struct h2_error *error = ev->error;
    struct headers fields = { 0 };
    bool over;

    if (!h2_block_read(&h->h2, &limits, l->leg.arena, &fields, &over))
        return;
    l->leg.in_started = true;
    if (!error && over)
        error = &h2_error_too_many_headers;
    else if (!error && l->s.got_head)
        error = take_trailers(l, &fields, ev->end);
    else if (!error)
        error = take_response(l, &fields, ev->end);
    if (error)
        stream_bad(h, l, error);
    else
        leg_notify(&l->leg);
}

/* ---- the other events ---- */

static void on_data(struct h2_conn *h, const struct h2_event *ev)
{
    struct h2_leg *l = h2_leg_of_stream(ev->stream);

    l->leg.in_started = true;
    l->leg.in_octets += ev->data.n;
    if (!bufq_copy(&l->leg.in, &h->c.pools->chunks, ev->data)) {
        h2_connection_consumed(&h->h2, ev->data.n);
        h2_stream_close(&h->h2, &l->s, H2_ENHANCE_YOUR_CALM);
        h2_leg_fail(l, LEG_NO_MEMORY, "overload");
        return;
    }
    l->held += ev->data.n;
    h->held += ev->data.n;
    h->owed += ev->data.n;
    if (h->held <= h->h2.options.connection_window) {
        h2_connection_consumed(&h->h2, h->owed);
        h->owed = 0;
    }
    l->leg.in_end |= ev->end;
    leg_notify(&l->leg);
}

/* Behind a whole answer a reset only says that the rest of the request is not wanted. */
static void on_reset(struct h2_conn *h, const struct h2_event *ev)
{
    struct h2_leg *l = h2_leg_of_stream(ev->stream);

    if (!h2_is_server(h) && l->leg.in_end) {
        list_remove(&l->turn);
        bufq_reset(&l->leg.out);
        l->leg.out_done = true;
        leg_notify(&l->leg);
        return;
    }
    h2_leg_fail(l, ev->code == H2_REFUSED_STREAM ? LEG_REFUSED : LEG_GONE, NULL);
}

static void on_window(struct h2_conn *h, const struct h2_event *ev)
{
    if (ev->stream) {
        h2_leg_pend(h2_leg_of_stream(ev->stream));
        return;
    }
    LIST_EACH (it, &h->blocked, after) {
        h2_leg_pend(LIST_ITEM(it, struct h2_leg, turn));
    }
}

static void on_goaway(struct h2_conn *h, const struct h2_event *ev)
{
    if (h2_is_server(h))
        return;
    h->c.draining = true;
    LIST_EACH (it, &h->legs, after) {
        struct h2_leg *l = LIST_ITEM(it, struct h2_leg, node);

        if (l->s.id && l->s.id <= ev->id)
            continue;
        h2_stream_forget(&h->h2, &l->s);
        l->leg.out_started = false; /* was not processed: as good as never sent */
        h2_leg_fail(l, LEG_REFUSED, NULL);
    }
}

/* A stream behind our last GOAWAY: the client may send it again elsewhere. */
static void refuse_late(struct h2_conn *h, const struct h2_event *ev,
                        const struct hpack_limits *limits)
{
    ignore_block(h, limits);
    h2_refuse(&h->h2, ev->id, &h2_error_refused, false);
}

static void on_block(struct h2_conn *h, const struct h2_event *ev)
{
    struct hpack_limits limits = { h->c.settings->max_head_octets,
                                   h->c.settings->max_headers + CRUMBS };

    if (ev->stream)
        open_block(h, ev, &limits);
    else if (!ev->opens)
        ignore_block(h, &limits);
    else if (h->goaway_last)
        refuse_late(h, ev, &limits);
    else
        opening_block(h, ev, &limits);
}

static void settle(struct h2_conn *h, const struct h2_event *ev)
{
    if (ev->stream)
        h2_stream_settle(&h->h2, ev->stream);
}

static void handle(struct h2_conn *h, const struct h2_event *ev)
{
    switch (ev->kind) {
    case H2_EV_BLOCK:
        on_block(h, ev);
        settle(h, ev);
        break;
    case H2_EV_DATA:
        on_data(h, ev);
        settle(h, ev);
        break;
    case H2_EV_RESET:
        on_reset(h, ev);
        break;
    case H2_EV_STREAM_BAD:
        leg_bad(h2_leg_of_stream(ev->stream), ev->error);
        break;
    case H2_EV_WINDOW:
        on_window(h, ev);
        break;
    case H2_EV_GOAWAY:
        on_goaway(h, ev);
        break;
    case H2_EV_PONG:
        h->ponged |= h->goaway_first;
        break;
    case H2_EV_SETTINGS: /* windows may have grown */
        on_window(h, &(struct h2_event){ .kind = H2_EV_WINDOW });
        break;
    case H2_EV_MORE:
    case H2_EV_BAD:
        break;
    }
}

static size_t decode(struct h2_conn *h, struct str data)
{
    size_t at = 0;
    struct h2_event ev;

    do {
        size_t used;

        h2_next(&h->h2, str_from(data, at), &used, &ev);
        at += used;
        handle(h, &ev);
    } while (ev.kind != H2_EV_MORE && ev.kind != H2_EV_BAD);
    return at;
}

/* ---- reading ---- */

static ssize_t read_once(struct h2_conn *h)
{
    struct transport *t = h->c.transport;
    char *scratch = h->c.pools->scratch;
    size_t kept = h->in.n;
    struct str data;
    ssize_t n;

    if (kept)
        memcpy(scratch, h->in.p, kept);
    n = t->ops->read(t, scratch + kept, READ_OCTETS - kept);
    if (n <= 0)
        return n;
    buf_reset(&h->in);
    data = str_make(scratch, kept + (size_t)n);
    data = str_from(data, decode(h, data));
    if (h->h2.dead)
        return n;
    if (data.n)
        MUST(buf_add(&h->in, data)); /* less than a frame */
    else if (h->in.cap)
        buf_fini(&h->in);
    return n;
}

/* A client's FIN ends what it had not asked for in full; the rest is answered for a while. */
static void ended(struct h2_conn *h, enum err why)
{
    if (why != ERR_EOF || !h2_is_server(h)) {
        h2_die(h, LEG_GONE, false);
        return;
    }
    h->eof = true;
    on_window(h, &(struct h2_event){ .kind = H2_EV_WINDOW }); /* they learn that none will come */
    LIST_EACH (it, &h->legs, after) {
        struct h2_leg *l = LIST_ITEM(it, struct h2_leg, node);

        if (!l->leg.in_end) {
            h2_stream_forget(&h->h2, &l->s);
            h2_leg_fail(l, LEG_GONE, NULL);
        }
    }
}

static bool wants_input(const struct h2_conn *h)
{
    return !h->eof && !h->h2.dead && !h->c.transport->read_drained;
}

bool h2_input(struct h2_conn *h)
{
    bool moved = false;

    if (h->in.n && !h->h2.dead) { /* what came before it was known to be HTTP/2 */
        size_t used = decode(h, buf_str(&h->in));

        buf_drop(&h->in, used);
        moved = used > 0;
    }
    for (int reads = 0; reads < 4 && wants_input(h); reads++) {
        ssize_t n = read_once(h);

        if (n == -ERR_AGAIN)
            break;
        if (n <= 0) {
            ended(h, (enum err)(-n));
            return true;
        }
        moved = true;
    }
    return moved;
}
