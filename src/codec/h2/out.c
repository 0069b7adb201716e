#include "codec/h2/h2_int.h"

#include <stdlib.h>

/* Control frames that may wait to be sent (Envoy's max_outbound_control_frames). */
#define CONTROL_FRAMES 1000
#define CONTROL_OCTETS 65536

const struct h2_options h2_options_default = {
    .max_streams = 100,
    .stream_window = 256 * 1024,
    .connection_window = 1024 * 1024,
    .table_size = 4096,
    .max_block = 128 * 1024, /* twice what is answered otherwise than by 431 */
};

void h2_control(struct h2 *h, const struct h2_head *head, const char *payload)
{
    char octets[H2_HEAD_LEN];

    if (h->dead && head->type != H2_GOAWAY)
        return;
    h2_head_write(head, octets);
    if ((++h->control_frames <= CONTROL_FRAMES || head->type == H2_GOAWAY) &&
        buf_add(&h->control, str_make(octets, sizeof(octets))) &&
        buf_add(&h->control, str_make(payload, head->len)))
        return;
    h2_end(h, &h2_error_outbound_control_flood);
}

void h2_window_update(struct h2 *h, uint32_t id, uint32_t n)
{
    struct h2_head head = { .len = 4, .type = H2_WINDOW_UPDATE, .stream = id };
    char payload[4];

    h2_put32(payload, n);
    h2_control(h, &head, payload);
}

void h2_goaway(struct h2 *h, uint32_t last, uint32_t code)
{
    struct h2_head head = { .len = 8, .type = H2_GOAWAY };
    char payload[8];

    h->goaway_ours = MIN(h->goaway_ours, last);
    h2_put32(payload, h->goaway_ours);
    h2_put32(payload + 4, code);
    h2_control(h, &head, payload);
    h2_count(h, H2_COUNT_GOAWAY_SENT);
}

void h2_ping(struct h2 *h, uint64_t value)
{
    struct h2_head head = { .len = 8, .type = H2_PING };
    char payload[8];

    h2_put32(payload, (uint32_t)(value >> 32));
    h2_put32(payload + 4, (uint32_t)value);
    h2_control(h, &head, payload);
}

static size_t put_setting(char *at, uint16_t id, uint32_t value)
{
    at[0] = (char)(id >> 8);
    at[1] = (char)id;
    h2_put32(at + 2, value);
    return 6;
}

static void queue_settings(struct h2 *h)
{
    const struct h2_options *o = &h->options;
    struct h2_head head = { .type = H2_SETTINGS };
    char payload[48];
    size_t n = 0;

    if (h->side == H2_CLIENT)
        n += put_setting(payload + n, H2_SETTINGS_ENABLE_PUSH, 0);
    else
        n += put_setting(payload + n, H2_SETTINGS_MAX_CONCURRENT_STREAMS, o->max_streams);
    if (o->table_size != 4096)
        n += put_setting(payload + n, H2_SETTINGS_HEADER_TABLE_SIZE, o->table_size);
    if (o->stream_window != 65535)
        n += put_setting(payload + n, H2_SETTINGS_INITIAL_WINDOW_SIZE, o->stream_window);
    if (o->connect_protocol && h->side == H2_SERVER)
        n += put_setting(payload + n, H2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
    head.len = (uint32_t)n;
    h2_control(h, &head, payload);
}

void h2_init(struct h2 *h, enum h2_side side, const struct h2_options *options)
{
    *h = (struct h2){
        .side = side,
        .options = *options,
        .in_state = side == H2_SERVER ? H2_IN_PREFACE : H2_IN_FIRST,
        .goaway_id = UINT32_MAX,
        .goaway_ours = UINT32_MAX,
        .send_window = 65535,
        .recv_window = 65535,
    };
    h2_settings_init(&h->theirs);
    hpack_decoder_init(&h->decoder, options->table_size);
    hpack_encoder_init(&h->encoder, options->table_size);
    hpack_table_resize(&h->encoder.table, MIN(options->table_size, 4096));
    buf_init(&h->block, options->max_block);
    buf_init(&h->control, CONTROL_OCTETS);
    if (side == H2_CLIENT)
        buf_add(&h->control, H2_PREFACE);
    queue_settings(h);
    if (options->connection_window > 65535) {
        h2_window_update(h, 0, options->connection_window - 65535);
        h->recv_window = options->connection_window;
    }
}

void h2_fini(struct h2 *h)
{
    hpack_decoder_fini(&h->decoder);
    hpack_encoder_fini(&h->encoder);
    buf_fini(&h->block);
    buf_fini(&h->control);
    free(h->table);
    free(h->recent);
    h->table = NULL;
    h->recent = NULL;
}

void h2_rest(struct h2 *h)
{
    if (h->open_theirs || h->open_ours)
        return;
    free(h->table);
    h->table = NULL;
    if (h->control.n == 0)
        buf_fini(&h->control);
    if (h->block.n == 0)
        buf_fini(&h->block);
    hpack_table_fit(&h->decoder.table);
    hpack_encoder_rest(&h->encoder);
}

size_t h2_octets(const struct h2 *h)
{
    return hpack_table_octets(&h->decoder.table) + hpack_table_octets(&h->encoder.table) +
           h->control.cap + h->block.cap + (h->table ? H2_TABLE * sizeof(*h->table) : 0) +
           (h->recent ? H2_RECENT * sizeof(*h->recent) : 0);
}

/* ---- windows given back ---- */

/* In steps of half a window, so that small reads do not cost a frame each. */
static uint32_t step(uint32_t window)
{
    return MAX(window / 2, 1);
}

void h2_stream_consumed(struct h2 *h, struct h2_stream *s, size_t n)
{
    s->unreturned += (uint32_t)n;
    if (s->unreturned < step(h->options.stream_window) || s->got_end || !s->is_open)
        return;
    s->recv_window += s->unreturned;
    h2_window_update(h, s->id, s->unreturned);
    s->unreturned = 0;
}

void h2_connection_consumed(struct h2 *h, size_t n)
{
    h->unreturned += (uint32_t)n;
    if (h->unreturned < step(h->options.connection_window))
        return;
    h->recv_window += h->unreturned;
    h2_window_update(h, 0, h->unreturned);
    h->unreturned = 0;
}

/* ---- header blocks and data ---- */

/* Writes the frame heads into a block that was encoded behind room for the first. */
static bool frame_block(struct h2 *h, uint32_t id, size_t at, bool end, struct buf *out)
{
    size_t max = MIN(h->theirs.v[H2_SETTINGS_MAX_FRAME_SIZE], H2_MAX_FRAME);
    size_t left = out->n - at - H2_HEAD_LEN;
    struct h2_head head = { .type = H2_HEADERS, .stream = id, .flags = end ? H2_END_STREAM : 0 };

    for (;;) {
        head.len = (uint32_t)MIN(left, max);
        left -= head.len;
        head.flags |= left ? 0 : H2_END_HEADERS;
        h2_head_write(&head, out->p + at);
        if (left == 0)
            return true;
        at += H2_HEAD_LEN + head.len;
        if (!buf_reserve(out, H2_HEAD_LEN))
            return false;
        memmove(out->p + at + H2_HEAD_LEN, out->p + at, left);
        out->n += H2_HEAD_LEN;
        head = (struct h2_head){ .type = H2_CONTINUATION, .stream = id };
    }
}

bool h2_write_block(struct h2 *h, struct h2_stream *s, const struct hpack_field *fields, size_t n,
                    bool end, struct buf *out)
{
    size_t at = out->n;

    if (!buf_reserve(out, H2_HEAD_LEN))
        return false;
    out->n += H2_HEAD_LEN;
    if (!hpack_encode_begin(&h->encoder, out))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!hpack_encode(&h->encoder, &fields[i], out))
            return false;
    }
    s->sent_end |= end;
    h2_stream_settle(h, s);
    return frame_block(h, s->id, at, end, out);
}

bool h2_peer_takes(const struct h2 *h, const struct hpack_field *fields, size_t n)
{
    size_t left = h->theirs.v[H2_SETTINGS_MAX_HEADER_LIST_SIZE];

    if (left == UINT32_MAX) /* as it is without a word */
        return true;
    for (size_t i = 0; i < n; i++) {
        size_t cost = fields[i].name.n + fields[i].value.n + HPACK_ENTRY_COST;

        if (cost > left)
            return false;
        left -= cost;
    }
    return true;
}

size_t h2_may_send(const struct h2 *h, const struct h2_stream *s)
{
    int64_t n = MIN(h->send_window, s->send_window);

    if (n <= 0)
        return 0;
    return MIN((size_t)n, MIN(h->theirs.v[H2_SETTINGS_MAX_FRAME_SIZE], H2_MAX_FRAME));
}

void h2_write_data(struct h2 *h, struct h2_stream *s, size_t n, bool end,
                   char out[static H2_HEAD_LEN])
{
    struct h2_head head = {
        .len = (uint32_t)n,
        .type = H2_DATA,
        .flags = end ? H2_END_STREAM : 0,
        .stream = s->id,
    };

    h2_head_write(&head, out);
    h->send_window -= (int64_t)n;
    s->send_window -= (int64_t)n;
    s->sent_end |= end;
    h2_stream_settle(h, s);
    h->data_sent++;
}
