#include "codec/h1/write.h"
#include "h1_run.h"

#include "unit/check.h"

static struct headers list(struct arena *a, const char *const *pairs)
{
    struct headers h = { 0 };

    for (; *pairs; pairs += 2)
        headers_add(&h, a, str_of(pairs[0]), str_of(pairs[1]));
    return h;
}

TEST(messages_are_written_in_lower_case_or_as_they_came)
{
    static const char *const pairs[] = { "Host", "x", "X-Odd", "", "x", "Y z", NULL };
    struct arena *a = arena_new(4096);
    struct headers h = list(a, pairs);
    struct buf b;

    buf_init(&b, 4096);
    CHECK(h1_request_write(&b, STR("GET"), STR("/a?b"), &h, false));
    CHECK_STRZ(buf_str(&b), "GET /a?b HTTP/1.1\r\nhost: x\r\nx-odd: \r\nx: Y z\r\n\r\n");
    buf_reset(&b);
    CHECK(h1_response_write(&b, 200, STR_NONE, &h, true));
    CHECK_STRZ(buf_str(&b), "HTTP/1.1 200 OK\r\nHost: x\r\nX-Odd: \r\nx: Y z\r\n\r\n");
    buf_reset(&b);
    CHECK(h1_response_write(&b, 599, STR(""), &h, true));
    CHECK(str_starts(buf_str(&b), STR("HTTP/1.1 599 \r\nHost")));
    buf_fini(&b);
    arena_free(a);
}

TEST(what_would_break_the_framing_is_not_written)
{
    static const char *const bad[][3] = {
        { "a", "b\r\nc: d", NULL }, { "a", "b\n", NULL }, { "a:", "b", NULL },
        { "a b", "c", NULL },       { "", "b", NULL },
    };
    struct arena *a = arena_new(4096);
    struct headers none = { 0 };
    struct buf b;

    buf_init(&b, 4096);
    for (size_t i = 0; i < LEN(bad); i++) {
        struct headers h = list(a, bad[i]);

        CASE(i);
        CHECK(!h1_response_write(&b, 200, STR_NONE, &h, false));
        CHECK(!h1_last_chunk_write(&b, &h, false));
    }
    CHECK(!h1_request_write(&b, STR("GET"), STR("/ HTTP/1.1\r\nx: y\r\n"), &none, false));
    CHECK(!h1_request_write(&b, STR("GET"), STR(""), &none, false));
    CHECK(!h1_request_write(&b, STR("G T"), STR("/"), &none, false));
    CHECK(!h1_response_write(&b, 200, STR("a\r\nb"), &none, false));
    buf_fini(&b);
    buf_init(&b, 20);
    CHECK(!h1_request_write(&b, STR("GET"), STR("/0123456789"), &none, false));
    buf_fini(&b);
    arena_free(a);
}

TEST(chunk_heads_are_plain_hex)
{
    char octets[H1_CHUNK_HEAD_MAX];

    CHECK_STRZ(h1_chunk_head(1, octets), "1\r\n");
    CHECK_STRZ(h1_chunk_head(31, octets), "1f\r\n");
    CHECK_STRZ(h1_chunk_head(UINT64_MAX, octets), "ffffffffffffffff\r\n");
}

TEST(what_is_written_reads_the_same)
{
    static const char *const pairs[] = { "Host", "x.test:80", "Transfer-Encoding", "chunked", "X-A",
                                         "a, b", "X-A",       "\xe9\t!",           NULL };
    static const char *const trailing[] = { "X-Sum", "1", "Grpc-Status", "0", NULL };
    struct arena *a = arena_new(4096);
    struct headers h = list(a, pairs), trailers = list(a, trailing);
    char octets[H1_CHUNK_HEAD_MAX];
    struct h1_seen got;
    struct buf b;

    buf_init(&b, 4096);
    CHECK(h1_request_write(&b, STR("PUT"), STR("/p?q"), &h, true));
    buf_add(&b, h1_chunk_head(11, octets));
    buf_add(&b, STR("hello world"));
    buf_add(&b, H1_CHUNK_TAIL);
    CHECK(h1_last_chunk_write(&b, &trailers, true));
    got = h1_run(arena_dup(a, buf_str(&b)), H1_REQUEST, METHOD_UNKNOWN, a);
    CHECK(!got.error && !got.more);
    CHECK_EQ(got.used, b.n);
    CHECK_STRZ(got.request.path, "/p?q");
    CHECK_EQ(got.request.m.headers.n, h.n);
    CHECK_EQ(got.request.m.headers.octets, h.octets);
    for (uint32_t i = 0; i < h.n; i++) {
        CHECK_STR(got.request.m.headers.v[i].name, h.v[i].name);
        CHECK_STR(got.request.m.headers.v[i].value, h.v[i].value);
    }
    CHECK_STRZ(got.body, "hello world");
    CHECK_EQ(got.trailers.n, 2);
    CHECK_STRZ(got.trailers.v[0].name, "X-Sum");
    buf_fini(&b);
    arena_free(a);
}
