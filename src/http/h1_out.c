/*
 * http/h1_out - what leaves on an HTTP/1 connection: heads, bodies and trailers to octets.
 *
 * All that is ready in a turn is gathered in `out` and leaves in one write.
 */
#include "http/h1_conn.h"

#include "codec/h1/write.h"

/* Body octets taken from the leg ahead of the kernel; the rest waits with the owner. */
#define OUT_OCTETS (256 * 1024)
#define COPY_OCTETS 2048 /* content of a chunk below this is copied */
#define IOV_MAX_USED 64

void h1_output_next(struct h1_conn *h)
{
    h->head_queued = false;
    h->end_queued = false;
    h->continue_sent = false;
    h->out_framing = H1_BODY_NONE;
    h->out_left = 0;
}

static void out_failed(struct h1_conn *h)
{
    h1_die(h, LEG_NO_MEMORY, "overload", true);
}

/* What most heads fit in, and then it is written where it leaves from. */
#define TEXT_OCTETS 2048

typedef bool write_fn(struct h1_conn *h, struct buf *text);

/* Text beyond that, or beyond what the last chunk has room for. */
static bool queue_long_text(struct h1_conn *h, write_fn *write)
{
    struct buf *text = &h->c.pools->text;
    bool queued = write(h, text) && bufq_copy(&h->out, &h->c.pools->chunks, buf_str(text));

    buf_reset(text);
    return queued;
}

/* Queues what `write` writes. */
static void queue_text(struct h1_conn *h, write_fn *write)
{
    struct buf text = { 0 };

    text.p = bufq_room(&h->out, &h->c.pools->chunks, TEXT_OCTETS, &text.cap);
    text.max = text.cap;
    if (text.p && write(h, &text))
        bufq_wrote(&h->out, text.n);
    else if (!text.full || !queue_long_text(h, write))
        out_failed(h);
}

/* ---- framing ---- */

static bool write_length(struct buf *text, uint64_t length)
{
    char digits[20];

    return h1_field_write(text, HDR_CONTENT_LENGTH, str_of_u64(length, digits));
}

static bool write_framing(const struct h1_conn *h, struct buf *text)
{
    if (h->out_framing == H1_BODY_CHUNKED)
        return h1_field_write(text, HDR_TRANSFER_ENCODING, STR("chunked"));
    return h->out_framing != H1_BODY_LENGTH || write_length(text, h->out_left);
}

static void frame_by_length(struct h1_conn *h, uint64_t length)
{
    h->out_framing = H1_BODY_LENGTH;
    h->out_left = length;
}

static void frame_request(struct h1_conn *h, const struct head *head)
{
    if (head->content_length >= 0)
        frame_by_length(h, (uint64_t)head->content_length);
    else if (!head->is_streamed && h->leg.out_end && bufq_is_empty(&h->leg.out) &&
             !h->leg.out_trailers)
        h->out_framing = H1_BODY_NONE;
    else
        h->out_framing = H1_BODY_CHUNKED;
}

/* Returns true if the head's own content-length stays: it describes a body that is not
 * sent (HEAD, 304). */
static bool frame_response(struct h1_conn *h, const struct head *head)
{
    const struct head *rq = h->leg.in_head;
    struct str method = rq ? rq->method : STR_NONE;
    bool takes_chunks = !rq || rq->version != HTTP_10;

    if (!response_has_body(method, head->status)) {
        h->out_framing = H1_BODY_NONE;
        return head->status == 304 || (head->status >= 200 && head->status != 204);
    }
    if (head->content_length >= 0)
        frame_by_length(h, (uint64_t)head->content_length);
    else if (h->leg.out_end && !h->leg.out_trailers && !(head->is_streamed && takes_chunks))
        frame_by_length(h, h->leg.out.n);
    else if (!takes_chunks)
        h->out_framing = H1_BODY_UNTIL_CLOSE;
    else
        h->out_framing = H1_BODY_CHUNKED;
    return false;
}

/* ---- heads ---- */

static bool write_connection(struct h1_conn *h, struct buf *text)
{
    const struct head *rq = h->leg.in_head;

    if (h->leg.out_close || h->c.draining || (h->eof && !h1_has_pipelined(h)) ||
        h->out_framing == H1_BODY_UNTIL_CLOSE)
        h->keep_alive = false;
    if (!h->keep_alive)
        return h1_field_write(text, HDR_CONNECTION, STR("close"));
    return !rq || rq->version != HTTP_10 || h1_field_write(text, HDR_CONNECTION, STR("keep-alive"));
}

static bool write_request(struct h1_conn *h, struct buf *text)
{
    const struct head *head = h->leg.out_head;

    frame_request(h, head);
    return h1_request_line_write(text, head->method, head->path) &&
           h1_fields_write(text, &head->headers, h->c.settings->preserve_case,
                           H1_LEAVE_OUT_FRAMING) &&
           write_framing(h, text) && h1_head_end_write(text);
}

static bool write_response(struct h1_conn *h, struct buf *text)
{
    const struct head *head = h->leg.out_head;
    bool keep_length = frame_response(h, head);
    bool lacks_length = keep_length && head->content_length >= 0 &&
                        !headers_find(&head->headers, HDR_CONTENT_LENGTH);

    return h1_status_line_write(text, head->status, head->reason) &&
           h1_fields_write(text, &head->headers, h->c.settings->preserve_case,
                           keep_length ? H1_LEAVE_OUT_CODING : H1_LEAVE_OUT_FRAMING) &&
           (!lacks_length || write_length(text, (uint64_t)head->content_length)) &&
           write_framing(h, text) && write_connection(h, text) && h1_head_end_write(text);
}

static void queue_head(struct h1_conn *h)
{
    h->head_queued = true;
    queue_text(h, h1_is_server(h) ? write_response : write_request);
}

static bool write_info(struct h1_conn *h, struct buf *text)
{
    const struct head *info = h->leg.out_info;

    return h1_response_write(text, info->status, info->reason, &info->headers,
                             h->c.settings->preserve_case);
}

static void queue_info(struct h1_conn *h)
{
    const struct head *rq = h->leg.in_head;

    while (h->leg.out_info && h->state != H1_DEAD) {
        const struct head *info = h->leg.out_info;
        bool is_passed_on = (!rq || rq->version != HTTP_10) && /* RFC 9110, 15.2 */
                            (info->status != 100 || !h->continue_sent);

        if (is_passed_on) {
            h->continue_sent |= info->status == 100;
            queue_text(h, write_info);
        }
        h->leg.out_info = info->next;
    }
}

/* RFC 9110, 10.1.1: no 100 where the body is already on its way, or a final answer is. */
static void queue_continue(struct h1_conn *h)
{
    const struct head *rq = h->leg.in_head;

    if (!h->leg.want_body || h->continue_sent || h->leg.out_head || !rq || !rq->expect_continue ||
        h->leg.in_octets || h->in_state != H1_IN_BODY)
        return;
    h->continue_sent = true;
    if (!bufq_copy(&h->out, &h->c.pools->chunks, STR("HTTP/1.1 100 Continue\r\n\r\n")))
        out_failed(h);
}

/* ---- bodies ---- */

/* Behind content that is shared a chunk's head would take memory of its own, and a backend may
 * drip for hours to a client that does not read. */
static bool queue_content(struct h1_conn *h)
{
    while (h->leg.out.n < COPY_OCTETS && h->leg.out.n) {
        struct str piece = bufq_front(&h->leg.out);

        if (!bufq_copy(&h->out, &h->c.pools->chunks, piece))
            return false;
        bufq_drop(&h->leg.out, piece.n);
    }
    bufq_move(&h->out, &h->leg.out);
    return true;
}

static bool queue_chunk(struct h1_conn *h)
{
    struct chunk_pool *pool = &h->c.pools->chunks;
    char octets[H1_CHUNK_HEAD_MAX];

    if (!bufq_copy(&h->out, pool, h1_chunk_head(h->leg.out.n, octets)) || !queue_content(h))
        return false;
    return bufq_copy(&h->out, pool, H1_CHUNK_TAIL);
}

static void queue_body(struct h1_conn *h)
{
    size_t n = h->leg.out.n;
    bool fits = true;

    if (n == 0)
        return;
    h->leg.out_octets += n;
    if (h->out_framing == H1_BODY_NONE) { /* HEAD and the like: not sent */
        h->leg.out_octets -= n;
        bufq_reset(&h->leg.out);
    } else if (h->out_framing == H1_BODY_CHUNKED) {
        fits = queue_chunk(h);
    } else if (h->out_framing == H1_BODY_LENGTH && n > h->out_left) {
        h1_die(h, LEG_PROTOCOL, "content_length_mismatch", true);
        return;
    } else {
        h->out_left -= h->out_framing == H1_BODY_LENGTH ? n : 0;
        bufq_move(&h->out, &h->leg.out);
    }
    if (!fits)
        out_failed(h);
    else if (!h->leg.out_end)
        leg_notify(&h->leg); /* there is room again */
}

static bool write_last_chunk(struct h1_conn *h, struct buf *text)
{
    return h1_last_chunk_write(text, h->leg.out_trailers, h->c.settings->preserve_case);
}

static void queue_end(struct h1_conn *h)
{
    h->end_queued = true;
    if (h->out_framing == H1_BODY_LENGTH && h->out_left > 0) {
        h1_die(h, LEG_PROTOCOL, "content_length_mismatch", true); /* visible as a truncation */
        return;
    }
    if (h->out_framing != H1_BODY_CHUNKED)
        return;
    if (h->leg.out_trailers && h->leg.out_trailers->n)
        queue_text(h, write_last_chunk);
    else if (!bufq_copy(&h->out, &h->c.pools->chunks, H1_LAST_CHUNK))
        out_failed(h);
}

/* Is there anything that the owner gave, or waits for? */
static bool may_encode(const struct h1_conn *h)
{
    return h->leg_open && !h->end_queued &&
           (h->leg.out_head || h->leg.out_info || h->leg.want_body);
}

static void encode(struct h1_conn *h)
{
    if (h->leg.out_info)
        queue_info(h);
    if (h1_is_server(h) && h->state != H1_DEAD)
        queue_continue(h);
    if (h->state == H1_DEAD || !h->leg.out_head)
        return;
    if (!h->head_queued)
        queue_head(h);
    if (h->state != H1_DEAD && h->out.n < MIN(OUT_OCTETS, http_pools_room(h->c.pools)))
        queue_body(h);
    if (h->state != H1_DEAD && h->leg.out_end && bufq_is_empty(&h->leg.out))
        queue_end(h);
}

/* ---- writing ---- */

static void write_failed(struct h1_conn *h, enum err why)
{
    (void)why;
    /* The answer may stand behind the reset of what we sent: read it first. */
    if (!h1_is_server(h) && !h->eof && h->leg_open) {
        h->write_broken = true;
        h->c.transport->read_drained = false;
        h->keep_alive = false;
        bufq_reset(&h->out);
        return;
    }
    h1_die(h, LEG_GONE, NULL, true);
}

/* False once the kernel takes no more. */
static bool write_some(struct h1_conn *h)
{
    struct transport *t = h->c.transport;
    struct iovec iov[IOV_MAX_USED];
    size_t n = bufq_iov(&h->out, iov, LEN(iov));
    ssize_t sent = t->ops->writev(t, iov, n);

    if (sent > 0) {
        h->leg.out_started = h->leg_open;
        bufq_drop(&h->out, (size_t)sent);
        return true;
    }
    if (sent != -ERR_AGAIN)
        write_failed(h, (enum err)(-sent));
    return false;
}

static void output_done(struct h1_conn *h)
{
    if (h->leg_open && h->leg.out_break && bufq_is_empty(&h->leg.out)) {
        h1_die(h, LEG_GONE, NULL, false);
        return;
    }
    if (!h->end_queued || !h->leg_open || h->leg.out_done)
        return;
    h->leg.out_done = true;
    if (h1_is_server(h) || h->leg.in_end) /* else it is told of the answer */
        leg_notify(&h->leg);
}

/* The connection's last answer to a request that has arrived whole: FIN is all that follows. */
static bool ends_here(const struct h1_conn *h)
{
    return h1_is_server(h) && h->leg_open && h->end_queued && h->out.n == 0 && !h->keep_alive &&
           !h->leg.out_break && h->in_state == H1_IN_DONE;
}

void h1_output(struct h1_conn *h)
{
    struct transport *t = h->c.transport;
    enum err flushed;

    if (h->state == H1_OPENING)
        return;
    if (may_encode(h))
        encode(h);
    while (h->state != H1_DEAD && h->out.n && !h->write_broken && write_some(h)) {
        if (h->out.n < OUT_OCTETS && may_encode(h))
            encode(h);
    }
    if (h->state == H1_DEAD || h->write_broken)
        return;
    if (ends_here(h))
        t->ops->finish(t); /* before TLS has sent: close_notify goes along */
    flushed = t->ops->flush(t);
    if (flushed != ERR_OK && flushed != ERR_AGAIN)
        write_failed(h, flushed);
    else if (flushed == ERR_OK && h->out.n == 0)
        output_done(h);
}
