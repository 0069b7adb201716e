#include "h1_run.h"

#include "base/buf.h"

#include "unit/check.h"

#define ERR(name) &h1_error_##name
#define HEAD "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

TEST(chunked_bodies_are_read_strictly)
{
    static const struct {
        const char *body;
        const struct h1_error *want;
    } cases[] = {
        { "0x5\r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "+5\r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "-5\r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { " 5\r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "5 \r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "5\t;x\r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "\r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { ";x\r\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "g\r\n", ERR(chunk_size) },
        { "5\nhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "5\rhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "5;x\nhello\r\n0\r\n\r\n", ERR(chunk_extension) },
        { "5;x\x01\r\nhello\r\n0\r\n\r\n", ERR(chunk_extension) },
        { "5;x\rhello\r\n0\r\n\r\n", ERR(chunk_size) },
        { "5\r\nhello\n0\r\n\r\n", ERR(chunk_end) },
        { "5\r\nhello\r0\r\n\r\n", ERR(chunk_end) },
        { "5\r\nhello!\r\n0\r\n\r\n", ERR(chunk_end) },
        { "5\r\nhello0\r\n\r\n", ERR(chunk_end) },
        { "ffffffffffffffff\r\n", ERR(chunk_size) },
        { "10000000000000000\r\n", ERR(chunk_size) },
        { "00000000000000000000005\r\n", ERR(chunk_size) },
        { "0\n\r\n", ERR(chunk_size) },
        { "0\r\n\n", ERR(bare_lf) },
        { "0\r\nX: y\n\r\n", ERR(bare_lf) },
        { "0\r\nX : y\r\n\r\n", ERR(header_name) },
        { "0\r\nX: y\r\n z\r\n\r\n", ERR(fold) },
        { "0\r\nX: a\rb\r\n\r\n", ERR(header_value) },
        { "0\r\nnothing\r\n\r\n", ERR(header_name) },
    };
    struct arena *a = arena_new(16384);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct h1_seen got;

        CASE(i);
        got = h1_run(arena_printf(a, HEAD "%s", cases[i].body), H1_REQUEST, METHOD_UNKNOWN, a);
        CHECK_STR(got.error ? got.error->name : STR("none"), cases[i].want->name);
    }
    arena_free(a);
}

TEST(a_cut_body_is_never_whole)
{
    struct arena *a = arena_new(16384);
    struct str all = STR(HEAD "5\r\nhello\r\n0\r\nX: y\r\n\r\n");

    for (size_t n = 0; n < all.n; n++) {
        struct h1_seen got;

        CASE(n);
        got = h1_run(str_sub(all, 0, n), H1_REQUEST, METHOD_UNKNOWN, a);
        CHECK(got.more && !got.error);
    }
    arena_free(a);
}

TEST(trailers_come_with_the_end_and_forbidden_ones_are_dropped)
{
    struct arena *a = arena_new(16384);
    struct h1_seen got = h1_run(
        STR(HEAD "1\r\nx\r\n000\r\nX-Sum: abc\r\nContent-Length: 5\r\nHost: y\r\n"
                 "X-Envoy-Internal: true\r\nGrpc-Status: 0\r\n\r\nGET"),
        H1_REQUEST, METHOD_UNKNOWN, a);

    CHECK(!got.error && !got.more);
    CHECK_STRZ(got.body, "x");
    CHECK_EQ(got.trailers.n, 2);
    CHECK_STRZ(got.trailers.v[0].value, "abc");
    CHECK_EQ(got.trailers.v[1].id, HDR_GRPC_STATUS);
    arena_free(a);
}

/* Feeds `in` to a chunked body whose head had `n` headers of `octets`. */
static const struct h1_error *feed(struct str in, uint32_t n, size_t octets)
{
    struct headers before = { .n = n, .octets = octets };
    struct h1_framing chunked = { H1_BODY_CHUNKED, 0 };
    struct h1_chunk chunk;
    struct h1_body b;
    enum h1_body_got got;

    h1_body_init(&b, chunked, &h1_limits_default, &before);
    do {
        got = h1_body_next(&b, in, &chunk);
        in = str_from(in, chunk.used);
    } while (got == H1_BODY_DATA);
    return b.error;
}

TEST(trailers_count_with_the_headers)
{
    struct arena *a = arena_new(16384);
    char *many = arena_alloc(a, 61 * 1024);

    memset(many, 'a', 61 * 1024 - 1);
    CHECK(feed(STR("0\r\na: b\r\nc: d\r\n\r\n"), 98, 100) == NULL);
    CHECK(feed(STR("0\r\na: b\r\nc: d\r\n\r\n"), 99, 100) == ERR(too_many_headers));
    CHECK(feed(STR("0\r\na: b\r\n\r\n"), 100, 100) == ERR(too_many_headers));
    CHECK(feed(arena_printf(a, "0\r\nx: %.1000s\r\n\r\n", many), 2, 60 * 1024 - 900) ==
          ERR(trailers_too_large));
    CHECK(feed(arena_printf(a, "0\r\nx: %s", many), 2, 30) == ERR(trailers_too_large));
    arena_free(a);
}

TEST(chunk_extensions_have_a_budget_for_the_whole_body)
{
    struct arena *a = arena_new(16384);
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int i = 0; i < 4; i++)
        buf_printf(&b, "1;%0256d\r\nx\r\n", 0);
    CHECK(feed(buf_str(&b), 0, 0) == NULL);
    buf_printf(&b, "1;x\r\nx\r\n");
    CHECK(feed(buf_str(&b), 0, 0) == ERR(chunk_extension));
    buf_fini(&b);
    arena_free(a);
}

TEST(a_length_ends_by_count_and_until_close_only_by_close)
{
    struct h1_framing length = { H1_BODY_LENGTH, 5 }, close = { H1_BODY_UNTIL_CLOSE, 0 };
    struct h1_chunk chunk;
    struct h1_body b;

    h1_body_init(&b, length, &h1_limits_default, NULL);
    CHECK_EQ(h1_body_next(&b, STR(""), &chunk), H1_BODY_MORE);
    CHECK(!h1_body_may_close(&b));
    CHECK_EQ(h1_body_next(&b, STR("hel"), &chunk), H1_BODY_DATA);
    CHECK_EQ(h1_body_next(&b, STR("lo..."), &chunk), H1_BODY_DATA);
    CHECK_EQ(chunk.used, 2);
    CHECK(h1_body_is_done(&b) && h1_body_may_close(&b));
    CHECK_EQ(h1_body_next(&b, STR("..."), &chunk), H1_BODY_END);
    CHECK_EQ(chunk.used, 0);
    h1_body_init(&b, close, &h1_limits_default, NULL);
    CHECK_EQ(h1_body_next(&b, STR("hello"), &chunk), H1_BODY_DATA);
    CHECK(!h1_body_is_done(&b) && h1_body_may_close(&b));
}
