#include "codec/h2/frame.h"

#define ANY 0xffffff

enum where { ON_STREAM, ON_CONNECTION, ON_EITHER };

static const struct {
    enum where where;
    uint32_t min_len, max_len;
    const struct h2_error *wrong_size;
} rules[] = {
    [H2_DATA] = { ON_STREAM, 0, ANY, &h2_error_frame_size },          /* 6.1 */
    [H2_HEADERS] = { ON_STREAM, 0, ANY, &h2_error_frame_size },       /* 6.2 */
    [H2_PRIORITY] = { ON_STREAM, 5, 5, &h2_error_stream_frame_size }, /* 6.3 */
    [H2_RST_STREAM] = { ON_STREAM, 4, 4, &h2_error_frame_size },      /* 6.4 */
    [H2_SETTINGS] = { ON_CONNECTION, 0, ANY, &h2_error_frame_size },  /* 6.5 */
    [H2_PUSH_PROMISE] = { ON_STREAM, 4, ANY, &h2_error_frame_size },  /* 6.6 */
    [H2_PING] = { ON_CONNECTION, 8, 8, &h2_error_frame_size },        /* 6.7 */
    [H2_GOAWAY] = { ON_CONNECTION, 8, ANY, &h2_error_frame_size },    /* 6.8 */
    [H2_WINDOW_UPDATE] = { ON_EITHER, 4, 4, &h2_error_frame_size },   /* 6.9 */
    [H2_CONTINUATION] = { ON_STREAM, 0, ANY, &h2_error_frame_size },  /* 6.10 */
};

size_t h2_head_read(struct str in, struct h2_head *ret)
{
    const unsigned char *u = (const unsigned char *)in.p;

    if (in.n < H2_HEAD_LEN)
        return 0;
    ret->len = (uint32_t)u[0] << 16 | (uint32_t)u[1] << 8 | u[2];
    ret->type = u[3];
    ret->flags = u[4];
    ret->stream = h2_get32(in.p + 5) & H2_MAX_WINDOW;
    return H2_HEAD_LEN;
}

static bool stands_right(enum where where, uint32_t stream)
{
    return where == ON_EITHER || (where == ON_STREAM) == (stream != 0);
}

const struct h2_error *h2_head_check(const struct h2_head *h, uint32_t max_len)
{
    if (h->len > max_len)
        return &h2_error_frame_size;
    if (h->type >= LEN(rules))
        return NULL; /* extension frame: skipped, not refused (5.5) */
    if (!stands_right(rules[h->type].where, h->stream))
        return &h2_error_frame_stream;
    if (h->len < rules[h->type].min_len || h->len > rules[h->type].max_len)
        return rules[h->type].wrong_size;
    if (h->type == H2_SETTINGS && (h->flags & H2_ACK) && h->len)
        return &h2_error_settings_ack;
    if (h->type == H2_SETTINGS && h->len % 6)
        return &h2_error_frame_size;
    return NULL;
}

void h2_head_write(const struct h2_head *h, char out[static H2_HEAD_LEN])
{
    out[0] = (char)(h->len >> 16);
    out[1] = (char)(h->len >> 8);
    out[2] = (char)h->len;
    out[3] = (char)h->type;
    out[4] = (char)h->flags;
    h2_put32(out + 5, h->stream);
}
