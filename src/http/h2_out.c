/*
 * http/h2_out - what leaves on an HTTP/2 connection.
 *
 * All frames of a turn leave in one write: control frames first, then one frame of each leg
 * that has something, round and round, until windows or the queue are full.
 */
#include "http/h2_conn.h"

#include "codec/h2/message.h"

#define OUT_OCTETS (256 * 1024)
#define IOV_MAX_USED 256 /* a frame of each of 100 streams, head and content */
/* Content below this is copied: sharing would cost a slice and pin a chunk for it. */
#define COPY_OCTETS 512
#define PEER_OVERFLOW "http2.peer_header_overflow"

/* Copies octets behind `out`, into chunks that have nothing else: a frame head between two
 * shared pieces would take a chunk of its own otherwise. */
static bool queue_octets(struct h2_conn *h, struct str octets)
{
    while (octets.n) {
        size_t n;

        if (!h->fill || h->fill->n == CHUNK_OCTETS) {
            chunk_unref(h->fill);
            h->fill = chunk_new(&h->c.pools->chunks);
        }
        if (!h->fill)
            break;
        n = MIN(octets.n, CHUNK_OCTETS - h->fill->n);
        memcpy(h->fill->data + h->fill->n, octets.p, n);
        h->fill->n += (uint32_t)n;
        if (!bufq_add(&h->out, h->fill, h->fill->n - n, n))
            break;
        octets = str_from(octets, n);
    }
    if (octets.n)
        h2_die(h, LEG_NO_MEMORY, true);
    return octets.n == 0;
}

static bool queue_control(struct h2_conn *h)
{
    bool fits = queue_octets(h, buf_str(&h->h2.control));

    buf_fini(&h->h2.control);
    h->h2.control_frames = 0;
    return fits;
}

/* The first `n` octets of a leg's queue. */
static bool queue_content(struct h2_conn *h, struct bufq *from, size_t n)
{
    while (n < COPY_OCTETS && n) {
        struct str piece = str_sub(bufq_front(from), 0, n);

        if (!queue_octets(h, piece))
            return false;
        bufq_drop(from, piece.n);
        n -= piece.n;
    }
    if (bufq_take(&h->out, from, n))
        return true;
    h2_die(h, LEG_NO_MEMORY, true);
    return false;
}

/* ---- heads ---- */

static bool queue_block(struct h2_leg *l, struct hpack_field *fields, size_t n, bool end)
{
    struct h2_conn *h = l->conn;
    struct buf *text = &h->c.pools->text;
    bool fits;

    if (!h2_write_block(&h->h2, &l->s, fields, n, end, text)) {
        buf_reset(text);
        h2_die(h, LEG_NO_MEMORY, true); /* the tables are out of step */
        return false;
    }
    l->leg.out_started = true;
    fits = queue_octets(h, buf_str(text));
    buf_reset(text);
    return fits;
}

/* With the length where it is known and not said yet. */
static const struct headers *with_length(struct h2_leg *l, const struct head *head)
{
    struct headers *list;
    char digits[20];

    if (head->content_length < 0 || headers_find(&head->headers, HDR_CONTENT_LENGTH))
        return &head->headers;
    list = ARENA_NEW(l->leg.arena, struct headers);
    headers_share(list, l->leg.arena, &head->headers);
    headers_add_id(list, l->leg.arena, HDR_CONTENT_LENGTH,
                   arena_dup(l->leg.arena, str_of_u64((uint64_t)head->content_length, digits)));
    return list;
}

static bool ends_with_head(const struct h2_leg *l)
{
    return l->leg.out_end && bufq_is_empty(&l->leg.out) &&
           (!l->leg.out_trailers || l->leg.out_trailers->n == 0);
}

/* The other side would not take our head or trailers: nothing of them leaves. */
static void refuse_fields(struct h2_leg *l)
{
    struct h2_conn *h = l->conn;

    h2_count(&h->h2, H2_COUNT_PEER_HEADER_OVERFLOW);
    if (!h2_is_server(h) && !l->head_sent) /* its number goes unused */
        h2_stream_forget(&h->h2, &l->s);
    h2_stream_close(&h->h2, &l->s, h2_is_server(h) ? H2_INTERNAL_ERROR : H2_CANCEL);
    h2_leg_fail(l, h2_is_server(h) ? LEG_GONE : LEG_TOO_LARGE, PEER_OVERFLOW);
}

/* A server's may give another, once. */
static bool refuse_head(struct h2_leg *l)
{
    if (!h2_is_server(l->conn) || l->head_refused) {
        refuse_fields(l);
        return false;
    }
    h2_count(&l->conn->h2, H2_COUNT_PEER_HEADER_OVERFLOW);
    l->head_refused = true;
    bufq_reset(&l->leg.out);
    l->leg.out_head = NULL;
    l->leg.out_trailers = NULL;
    l->leg.out_end = l->leg.out_break = false;
    l->leg.fail = LEG_TOO_LARGE;
    l->leg.fail_details = PEER_OVERFLOW;
    leg_notify(&l->leg);
    return false;
}

/* RFC 8441, 3: only to who said that it takes it. */
static bool is_offered(struct h2_leg *l)
{
    struct h2 *h = &l->conn->h2;

    if (h->theirs.v[H2_SETTINGS_ENABLE_CONNECT_PROTOCOL])
        return true;
    h2_stream_forget(h, &l->s);
    h2_leg_fail(l, LEG_PROTOCOL, "http2.extended_connect_not_offered");
    return false;
}

static bool queue_head(struct h2_leg *l)
{
    const struct head *head = l->leg.out_head;
    struct arena *a = l->leg.arena;
    struct h2_message m = {
        .method = head->method,
        .scheme = head->scheme,
        .authority = head->authority,
        .path = head->path,
    };
    const struct headers *list = with_length(l, head);
    bool is_server = h2_is_server(l->conn);
    struct hpack_field *fields;
    size_t n;

    if (str_is_set(head->upgrade)) { /* RFC 8441, 4 */
        m.method = STR("CONNECT");
        m.protocol = head->upgrade;
    }
    fields = is_server ? h2_response_fields(head->status, list, a, &n)
                       : h2_request_fields(&m, list, a, &n);
    if (!h2_peer_takes(&l->conn->h2, fields, n))
        return refuse_head(l);
    if (str_is_set(m.protocol) && !is_offered(l))
        return false;
    l->head_sent = true;
    l->no_body = is_server && l->leg.in_head &&
                 !response_has_body(l->leg.in_head->method, head->status);
    l->out_left = l->no_body ? -1 : head->content_length;
    if (l->no_body)
        bufq_reset(&l->leg.out);
    return queue_block(l, fields, n, ends_with_head(l));
}

static bool queue_infos(struct h2_leg *l)
{
    while (l->leg.out_info) {
        struct head *info = l->leg.out_info;
        struct hpack_field *fields;
        size_t n;

        l->leg.out_info = info->next;
        fields = h2_response_fields(info->status, &info->headers, l->leg.arena, &n);
        if (h2_peer_takes(&l->conn->h2, fields, n) && !queue_block(l, fields, n, false))
            return false;
    }
    return true;
}

static bool queue_continue(struct h2_leg *l)
{
    const struct head *rq = l->leg.in_head;
    struct headers none = { 0 };
    struct hpack_field *fields;
    size_t n;

    if (!h2_is_server(l->conn) || !l->leg.want_body || l->continue_sent || l->leg.out_head || !rq ||
        !rq->expect_continue || l->leg.in_octets || l->leg.in_end)
        return true;
    l->continue_sent = true;
    fields = h2_response_fields(100, &none, l->leg.arena, &n);
    return queue_block(l, fields, n, false);
}

/* ---- content ---- */

/* One DATA frame. False: the windows are closed. */
static bool queue_data(struct h2_leg *l)
{
    struct h2_conn *h = l->conn;
    size_t n = MIN(l->leg.out.n, h2_may_send(&h->h2, &l->s));
    bool end = l->leg.out_end && n == l->leg.out.n &&
               (!l->leg.out_trailers || l->leg.out_trailers->n == 0);
    char head[H2_HEAD_LEN];

    if (n == 0 && l->leg.out.n)
        return false;
    if (n == 0 && !end)
        return true;
    if (l->out_left >= 0) {
        l->out_left -= (int64_t)n;
        if (l->out_left < 0 || (end && l->out_left > 0)) { /* visible as a truncation */
            h2_stream_close(&h->h2, &l->s, H2_INTERNAL_ERROR);
            h2_leg_fail(l, LEG_PROTOCOL, "content_length_mismatch");
            return true;
        }
    }
    h2_write_data(&h->h2, &l->s, n, end, head);
    l->leg.out_octets += n;
    if (queue_octets(h, str_make(head, sizeof(head))) && queue_content(h, &l->leg.out, n) &&
        !l->leg.out_end)
        leg_notify(&l->leg); /* there is room again */
    return true;
}

static void queue_trailers(struct h2_leg *l)
{
    struct hpack_field *fields;
    size_t n;

    if (!l->leg.out_end || l->s.sent_end || l->leg.out.n || !l->leg.out_trailers ||
        l->leg.out_trailers->n == 0)
        return;
    fields = h2_trailer_fields(l->leg.out_trailers, l->leg.arena, &n);
    if (h2_peer_takes(&l->conn->h2, fields, n))
        (void)queue_block(l, fields, n, true);
    else
        refuse_fields(l);
}

static void break_off(struct h2_leg *l)
{
    h2_stream_close(&l->conn->h2, &l->s, H2_INTERNAL_ERROR);
    h2_leg_fail(l, LEG_GONE, NULL);
}

/* One round of one leg. True: it has more for the next round. */
static bool leg_turn(struct h2_leg *l)
{
    struct h2_conn *h = l->conn;

    if (l->gone || l->s.sent_end)
        return false;
    if (l->unopened && (!l->leg.out_head || !h2_leg_open(l)))
        return false;
    if (!l->s.is_open || !queue_infos(l) || !queue_continue(l) || !l->leg.out_head)
        return false;
    if (!l->head_sent && !queue_head(l))
        return false;
    if (l->no_body)
        bufq_reset(&l->leg.out);
    if (!l->s.sent_end && !queue_data(l)) {
        if (h->eof) /* no window will come */
            break_off(l);
        else
            list_push_back(&h->blocked, &l->turn);
        return false;
    }
    if (h->state == H2C_DEAD || l->gone)
        return false;
    queue_trailers(l);
    if (h->state != H2C_DEAD && l->s.sent_end) {
        l->leg.out_done = true; /* it leaves in this turn's write, or breaks with the connection */
        leg_notify(&l->leg);
        return false;
    }
    if (l->leg.out_break && bufq_is_empty(&l->leg.out))
        break_off(l);
    return !l->gone && l->leg.out.n > 0;
}

/* Those that waited for the other side's limit. */
static void pend_waiting(struct h2_conn *h)
{
    if (h2_open_room(&h->h2) == 0 && !h2_is_shut(&h->h2))
        return;
    LIST_EACH (it, &h->waiting, after)
        h2_leg_pend(LIST_ITEM(it, struct h2_leg, turn));
}

static void encode(struct h2_conn *h)
{
    pend_waiting(h);
    while (h->state != H2C_DEAD && !h->h2.dead && h->out.n < OUT_OCTETS &&
           !list_is_empty(&h->pending)) {
        struct h2_leg *l = LIST_ITEM(h->pending.next, struct h2_leg, turn);

        list_remove(&l->turn);
        if (leg_turn(l) && h->state != H2C_DEAD)
            list_push_back(&h->pending, &l->turn);
    }
}

/* ---- writing ---- */

/* True: something left. */
static bool write_some(struct h2_conn *h)
{
    struct transport *t = h->c.transport;
    struct iovec iov[IOV_MAX_USED];
    size_t n = bufq_iov(&h->out, iov, LEN(iov));
    ssize_t sent = t->ops->writev(t, iov, n);

    if (sent > 0) {
        bufq_drop(&h->out, (size_t)sent);
        return true;
    }
    if (sent != -ERR_AGAIN)
        h2_die(h, LEG_GONE, true);
    return false;
}

static bool flush_transport(struct h2_conn *h)
{
    enum err flushed = h->c.transport->ops->flush(h->c.transport);

    h->unflushed = flushed == ERR_AGAIN;
    if (flushed != ERR_OK && flushed != ERR_AGAIN)
        h2_die(h, LEG_GONE, true);
    return h->state != H2C_DEAD;
}

bool h2_flush(struct h2_conn *h)
{
    if (h->h2.control.n && !queue_control(h))
        return false;
    while (h->out.n && write_some(h))
        ;
    return h->state != H2C_DEAD && flush_transport(h);
}

/* Queues what there is. Control frames wait in the codec, which counts them, while the other
 * side does not read. */
static void gather(struct h2_conn *h)
{
    if (h->out.n < OUT_OCTETS && h->h2.control.n && !queue_control(h))
        return;
    encode(h);
    if (h->state != H2C_DEAD && h->out.n < OUT_OCTETS && h->h2.control.n)
        (void)queue_control(h); /* resets that encoding brought about */
}

bool h2_output(struct h2_conn *h)
{
    bool moved = false;

    for (;;) {
        gather(h);
        if (h->state == H2C_DEAD || h->out.n == 0 || !write_some(h))
            break;
        moved = true;
    }
    if (h->state == H2C_DEAD || !flush_transport(h))
        return moved;
    if (h->out.n == 0) {
        chunk_unref(h->fill);
        h->fill = NULL;
    }
    if (h->h2.dead)
        h2_linger(h);
    return moved;
}
