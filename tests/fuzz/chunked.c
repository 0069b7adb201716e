/*
 * tests/fuzz/chunked - any octets as a chunked body, and any content through writer and
 * reader. The first octet steers sizes and splits.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "codec/h1/body.h"
#include "codec/h1/write.h"

static const struct h1_framing chunked = { H1_BODY_CHUNKED, 0 };

struct outcome {
    enum h1_body_got got;
    size_t used;
    struct buf content;
};

/* Reads `in` with `step` more octets at a time. */
static void read_body(struct str in, size_t step, struct outcome *ret)
{
    struct h1_body b;
    size_t given = 0, used = 0;

    buf_init(&ret->content, SIZE_MAX / 2);
    h1_body_init(&b, chunked, &h1_limits_default, NULL);
    for (;;) {
        struct h1_chunk chunk;

        ret->got = h1_body_next(&b, str_sub(in, used, given - used), &chunk);
        used += chunk.used;
        MUST(used <= given);
        if (ret->got == H1_BODY_DATA)
            buf_add(&ret->content, chunk.data);
        else if (ret->got != H1_BODY_MORE || given == in.n)
            break;
        else
            given += MIN(step, in.n - given);
    }
    ret->used = used;
}

static void check_any(struct str in, size_t step)
{
    struct outcome whole, pieces;

    read_body(in, in.n + 1, &whole);
    read_body(in, step, &pieces);
    MUST(whole.got == pieces.got);
    MUST(str_eq(buf_str(&whole.content), buf_str(&pieces.content)));
    if (whole.got == H1_BODY_END)
        MUST(whole.used == pieces.used);
    buf_fini(&whole.content);
    buf_fini(&pieces.content);
}

static void check_round(struct str content, size_t size, size_t step)
{
    char head[H1_CHUNK_HEAD_MAX];
    struct outcome got;
    struct buf b;

    buf_init(&b, SIZE_MAX / 2);
    for (size_t at = 0; at < content.n; at += size) {
        struct str part = str_sub(content, at, size);

        buf_add(&b, h1_chunk_head(part.n, head));
        buf_add(&b, part);
        buf_add(&b, H1_CHUNK_TAIL);
    }
    buf_add(&b, H1_LAST_CHUNK);
    read_body(buf_str(&b), step, &got);
    MUST(got.got == H1_BODY_END && got.used == b.n);
    MUST(str_eq(buf_str(&got.content), content));
    buf_fini(&got.content);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n);
    size_t steer = n ? octets[0] : 0;

    check_any(in, 1 + steer % 7);
    check_any(str_from(in, 1), 1 + steer % 7);
    check_round(in, 1 + steer / 7, 1 + steer % 7);
    return 0;
}
