/*
 * codec/h2/in - reads frames off the front of what has arrived.
 *
 * DATA is passed on in parts as it comes; the payload of every other frame is wanted whole,
 * at most H2_MAX_FRAME octets.
 */
#include "codec/h2/h2_int.h"

#define EMPTY_MAX 5
#define RESETS_FREE 100

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

/* What a DATA head alone shows to be wrong; stream errors reset the stream and skip it. */
static const struct h2_error *data_begin(struct h2 *h, struct h2_event *ret)
{
    struct h2_stream *s = h2_stream_of(h, h->head.stream);
    const struct h2_error *error = data_window(h, s);
    const struct h2_error *bad = NULL;

    h->left = h->head.len;
    h->padding = 0;
    h->in_state = H2_IN_DATA;
    if (error)
        return error;
    if (!s && !h2_is_reset(h, h->head.stream))
        return h2_is_idle(h, h->head.stream) ? &h2_error_idle_stream : &h2_error_closed_stream;
    if (h->head.len == 0 && !(h->head.flags & H2_END_STREAM) && ++h->empty_frames > EMPTY_MAX)
        return &h2_error_flood_empty;
    if (h->head.len)
        h->empty_frames = 0;
    if (!s) {
        h->in_state = H2_IN_SKIP;
        h2_connection_consumed(h, h->head.len);
        return NULL;
    }
    if (s->got_end)
        bad = &h2_error_half_closed;
    else if (s->recv_window < 0)
        bad = &h2_error_stream_window_exceeded;
    else if (!s->got_head)
        bad = &h2_error_malformed;
    if (bad) {
        h2_unlink(h, s);
        h2_refuse(h, s->id, bad->code, true);
        *ret = (struct h2_event){ H2_EV_STREAM_BAD, .id = s->id, .stream = s, .error = bad };
        h->in_state = H2_IN_SKIP;
        h2_connection_consumed(h, h->head.len);
    }
    return NULL;
}

static const struct h2_error *data_padding(struct h2 *h, struct str *in, size_t *used)
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
    return NULL;
}

static void data_bad(struct h2 *h, struct h2_stream *s, const struct h2_error *error,
                     struct h2_event *ret)
{
    h2_unlink(h, s);
    h2_refuse(h, s->id, error->code, true);
    *ret = (struct h2_event){ H2_EV_STREAM_BAD, .id = s->id, .stream = s, .error = error };
}

/* A part of a DATA frame. */
static const struct h2_error *data_next(struct h2 *h, struct str in, size_t *used,
                                        struct h2_event *ret)
{
    struct h2_stream *s = h2_stream_of(h, h->head.stream);
    const struct h2_error *error = data_padding(h, &in, used);
    size_t n;
    bool last;

    if (error)
        return error;
    if (h->head.flags & H2_PADDED) /* its length is still to come */
        return NULL;
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
    if (!s) { /* was closed in the middle of the frame */
        h2_connection_consumed(h, n);
        return NULL;
    }
    ret->end = last && (h->head.flags & H2_END_STREAM);
    if (s->length_left >= 0) {
        s->length_left -= (int64_t)n;
        if (s->length_left < 0 || (ret->end && s->length_left > 0)) {
            h2_connection_consumed(h, n);
            data_bad(h, s, &h2_error_content_length, ret);
            return NULL;
        }
    }
    if (n == 0 && !ret->end)
        return NULL;
    s->got_end |= ret->end;
    ret->kind = H2_EV_DATA;
    ret->stream = s;
    ret->id = s->id;
    ret->data = str_sub(in, 0, n);
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
    if (error && error->is_stream) {
        h2_refuse(h, h->head.stream, error->code, true);
        error = NULL;
        h->left = h->head.len;
        h->in_state = H2_IN_SKIP;
        return NULL;
    }
    if (error)
        return error;
    if (h->block_stream && (h->head.type != H2_CONTINUATION || h->head.stream != h->block_stream))
        return &h2_error_continuation;
    if (h->head.type == H2_DATA)
        return data_begin(h, ret);
    h->left = h->head.len;
    h->in_state = h->head.type > H2_CONTINUATION ? H2_IN_SKIP : H2_IN_PAYLOAD;
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
    };
}

static void die(struct h2 *h, const struct h2_error *error, struct h2_event *ret)
{
    if (!h->dead)
        h->dead = error;
    h2_goaway(h, h->last_theirs, error->code);
    *ret = (struct h2_event){ .kind = H2_EV_BAD, .error = error };
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
        /* resets that the other side provokes cost as much as its own (CVE-2025-8671) */
        if (!error && h->resets_ours > RESETS_FREE + h->streams_seen / 2)
            error = &h2_error_flood_resets;
        if (error || h->dead) {
            die(h, error ? error : h->dead, ret);
            return;
        }
        if (h->block_due) {
            block_event(h, ret);
            return;
        }
        if (ret->kind != H2_EV_MORE || (used == 0 && h->in_state == before))
            return;
    }
    ret->kind = H2_EV_BAD;
    ret->error = h->dead;
}

/* ---- blocks ---- */

bool h2_block_read(struct h2 *h, const struct hpack_limits *limits, struct arena *a,
                   struct headers *ret, bool *ret_over)
{
    struct h2_stream *s = h2_stream_of(h, h->block_stream);
    struct h2_event ignored;

    MUST(h->block_due);
    h->block_due = false;
    h->block_stream = 0;
    if (hpack_decode(&h->decoder, buf_str(&h->block), limits, a, ret, ret_over)) {
        die(h, &h2_error_compression, &ignored);
        return false;
    }
    if (h->block.cap > 4096)
        buf_fini(&h->block);
    if (s)
        s->got_end |= h->block_end;
    return true;
}
