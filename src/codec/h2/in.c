/*
 * codec/h2/in - reads frames off the front of what has arrived.
 *
 * DATA is passed on in parts as it comes; the payload of every other frame is wanted whole,
 * at most H2_MAX_FRAME octets.
 */
#include "codec/h2/h2_int.h"

#define EMPTY_MAX 5

/* ---- DATA ---- */

static const struct h2_error *data_window(struct h2 *h, struct h2_stream *s)
{
    h->recv_window -= h->head.len;
    if (h->recv_window < 0)
        return &h2_error_window_exceeded;
    if (s)
        s->recv_window -= h->head.len;
    return NULL;
}

/* Frames that carry nothing, or padding alone (CVE-2019-9518). */
static const struct h2_error *count_empty(struct h2 *h)
{
    bool end = h->head.flags & H2_END_STREAM;

    if (h->left > 0)
        h->empty_frames = 0;
    else if (!end && ++h->empty_frames > EMPTY_MAX)
        return &h2_error_inbound_empty_frames_flood;
    return NULL;
}

/* What a DATA head shows to be wrong with its stream. */
static const struct h2_error *data_check(const struct h2_stream *s)
{
    if (s->got_end)
        return &h2_error_half_closed;
    if (s->recv_window < 0)
        return &h2_error_stream_window_exceeded;
    return s->got_head ? NULL : &h2_error_malformed;
}

/* Stream errors reset the stream and skip the frame. */
static const struct h2_error *data_begin(struct h2 *h, struct h2_event *ret)
{
    struct h2_stream *s = h2_stream_of(h, h->head.stream);
    const struct h2_error *error = data_window(h, s), *bad;

    h->left = h->head.len;
    h->padding = 0;
    h->in_state = H2_IN_DATA;
    if (error)
        return error;
    if (!s && !h2_is_reset(h, h->head.stream))
        return h2_is_idle(h, h->head.stream) ? &h2_error_idle_stream : &h2_error_closed_stream;
    if (!(h->head.flags & H2_PADDED))
        error = count_empty(h);
    if (error)
        return error;
    bad = s ? data_check(s) : NULL;
    if (s && !bad)
        return NULL;
    if (bad)
        h2_stream_bad(h, s, bad, ret);
    h->in_state = H2_IN_SKIP;
    h2_connection_consumed(h, h->head.len);
    return NULL;
}

static const struct h2_error *data_padding(struct h2 *h, struct h2_stream *s, struct str *in,
                                           size_t *used)
{
    if (!(h->head.flags & H2_PADDED) || h->head.len == 0)
        return h->head.flags & H2_PADDED ? &h2_error_frame_size : NULL;
    if (in->n == 0)
        return NULL;
    h->padding = (unsigned char)in->p[0];
    h->left--;
    h->head.flags &= (uint8_t)~H2_PADDED;
    *in = str_from(*in, 1);
    *used += 1;
    if (h->padding > h->left)
        return &h2_error_padding;
    h->left -= h->padding;
    h2_connection_consumed(h, 1 + h->padding);
    if (s)
        h2_stream_consumed(h, s, 1 + h->padding);
    return count_empty(h);
}

/* Counts `n` octets of content against the content-length (8.1.1). */
static bool length_fits(struct h2_stream *s, size_t n, bool end)
{
    if (s->length_left < 0)
        return true;
    if ((uint64_t)s->length_left < n)
        return false;
    s->length_left -= (int64_t)n;
    return !end || s->length_left == 0;
}

/* A part of a DATA frame. */
static const struct h2_error *data_next(struct h2 *h, struct str in, size_t *used,
                                        struct h2_event *ret)
{
    struct h2_stream *s = h2_stream_of(h, h->head.stream);
    const struct h2_error *error = data_padding(h, s, &in, used);
    bool last, end;
    size_t n;

    if (error || (h->head.flags & H2_PADDED)) /* its length is still to come */
        return error;
    n = MIN(in.n, h->left);
    last = n == h->left;
    if (n == 0 && !last)
        return NULL;
    *used += n;
    h->left -= (uint32_t)n;
    if (last) {
        h->left = h->padding;
        h->in_state = H2_IN_SKIP;
    }
    end = last && (h->head.flags & H2_END_STREAM);
    if (!s || !length_fits(s, n, end)) { /* it was closed in the middle of the frame */
        h2_connection_consumed(h, n);
        if (s)
            h2_stream_bad(h, s, &h2_error_content_length, ret);
        return NULL;
    }
    if (n == 0 && !end)
        return NULL;
    s->got_end |= end;
    *ret = (struct h2_event){
        .kind = H2_EV_DATA, .stream = s, .id = s->id, .data = str_sub(in, 0, n), .end = end
    };
    return NULL;
}

/* ---- frames ---- */

static const struct h2_error *preface_next(struct h2 *h, struct str in, size_t *used)
{
    struct str want = H2_PREFACE;
    size_t n = MIN(in.n, want.n);

    if (!str_eq(str_sub(in, 0, n), str_sub(want, 0, n)))
        return &h2_error_preface;
    if (n == want.n) {
        *used = n;
        h->in_state = H2_IN_FIRST;
    }
    return NULL;
}

static const struct h2_error *head_next(struct h2 *h, struct str in, size_t *used,
                                        struct h2_event *ret)
{
    const struct h2_error *error;
    bool first = h->in_state == H2_IN_FIRST;

    if (!h2_head_read(in, &h->head))
        return NULL;
    *used = H2_HEAD_LEN;
    if (first && (h->head.type != H2_SETTINGS || (h->head.flags & H2_ACK)))
        return &h2_error_first_frame;
    error = h2_head_check(&h->head, H2_MAX_FRAME);
    if (!error || error->is_stream) {
        if (h->block_stream &&
            (h->head.type != H2_CONTINUATION || h->head.stream != h->block_stream))
            error = &h2_error_continuation;
    }
    h->left = h->head.len;
    h->in_state = H2_IN_SKIP;
    if (error)
        return error->is_stream ? h2_id_bad(h, h->head.stream, error, ret) : error;
    if (h->head.type == H2_DATA)
        return data_begin(h, ret);
    if (h->head.type > H2_CONTINUATION) /* unknown */
        return h2_spend_glitch(h);
    h->in_state = H2_IN_PAYLOAD;
    return NULL;
}

static const struct h2_error *payload_next(struct h2 *h, struct str in, size_t *used,
                                           struct h2_event *ret)
{
    if (in.n < h->left)
        return NULL;
    *used = h->left;
    h->in_state = H2_IN_HEAD;
    return h2_frame(h, str_sub(in, 0, h->left), ret);
}

static void skip_next(struct h2 *h, struct str in, size_t *used)
{
    size_t n = MIN(in.n, h->left);

    *used = n;
    h->left -= (uint32_t)n;
    if (h->left == 0)
        h->in_state = H2_IN_HEAD;
}

static const struct h2_error *step(struct h2 *h, struct str in, size_t *used, struct h2_event *ret)
{
    switch (h->in_state) {
    case H2_IN_PREFACE:
        return preface_next(h, in, used);
    case H2_IN_PAYLOAD:
        return payload_next(h, in, used, ret);
    case H2_IN_DATA:
        return data_next(h, in, used, ret);
    case H2_IN_SKIP:
        skip_next(h, in, used);
        return NULL;
    default:
        return head_next(h, in, used, ret);
    }
}

static void block_event(struct h2 *h, struct h2_event *ret)
{
    *ret = (struct h2_event){
        .kind = H2_EV_BLOCK,
        .id = h->block_stream,
        .stream = h2_stream_of(h, h->block_stream),
        .end = h->block_end,
        .opens = h->block_opens && !h->block_error,
        .error = h->block_error,
    };
}

void h2_end(struct h2 *h, const struct h2_error *error)
{
    if (h->dead)
        return;
    h->dead = error;
    h2_count(h, (enum h2_count)error->count);
    h2_count(h, H2_COUNT_ENDED);
    h2_goaway(h, h->last_theirs, error->code);
}

uint32_t h2_is_halfway(const struct h2 *h)
{
    bool heads = h->head.type == H2_HEADERS || h->head.type == H2_CONTINUATION;

    if (h->in_state == H2_IN_PREFACE || h->in_state == H2_IN_FIRST)
        return UINT32_MAX;
    if (h->block_stream)
        return h->block_stream;
    return h->in_state == H2_IN_PAYLOAD && heads ? h->head.stream : 0;
}

void h2_next(struct h2 *h, struct str in, size_t *ret_used, struct h2_event *ret)
{
    *ret_used = 0;
    *ret = (struct h2_event){ .kind = H2_EV_MORE };
    while (!h->dead) {
        uint8_t before = h->in_state;
        const struct h2_error *error;
        size_t used = 0;

        error = step(h, str_from(in, *ret_used), &used, ret);
        *ret_used += used;
        if (!error) /* resets that the other side provokes cost as much (CVE-2025-8671) */
            error = h2_spend_reset(h, h->resets_ours);
        if (error)
            h2_end(h, error);
        if (h->dead)
            break;
        if (h->block_due) {
            block_event(h, ret);
            return;
        }
        if (ret->kind != H2_EV_MORE || (used == 0 && h->in_state == before))
            return;
    }
    *ret = (struct h2_event){ .kind = H2_EV_BAD, .error = h->dead };
}

/* ---- blocks ---- */

bool h2_block_read(struct h2 *h, const struct hpack_limits *limits, struct arena *a,
                   struct headers *ret, bool *ret_over)
{
    struct h2_stream *s = h2_stream_of(h, h->block_stream);
    uint32_t id = h->block_stream;

    MUST(h->block_due);
    h->block_due = false;
    h->block_stream = 0;
    if (hpack_decode(&h->decoder, buf_str(&h->block), limits, a, ret, ret_over)) {
        h2_end(h, &h2_error_compression);
        return false;
    }
    if (*ret_over) {
        h->resets_ours++; /* as costly: a bomb that is answered 431 each time */
        h2_count(h, H2_COUNT_HEADER_OVERFLOW);
    }
    if (h->block.cap > 4096)
        buf_fini(&h->block);
    if (h->block_error && s)
        h2_stream_fail(h, s, h->block_error);
    else if (h->block_error)
        h2_refuse(h, id, h->block_error, true);
    else if (s)
        s->got_end |= h->block_end;
    return true;
}
