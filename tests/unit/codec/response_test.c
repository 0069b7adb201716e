#include "h1_run.h"

#include "unit/check.h"

#define ERR(name) &h1_error_##name
#define OK "HTTP/1.1 200 OK\r\n"

TEST(responses_are_framed_by_rfc9112_6_3)
{
    static const struct {
        const char *in;
        enum method method;
        int status;
        const char *reason;
        enum h1_framing_kind framing;
        bool keep_alive;
        const char *body;
        size_t left;
    } cases[] = {
        { OK "Content-Length: 2\r\n\r\nhiHTTP", METHOD_GET, 200, "OK", H1_BODY_LENGTH, true, "hi",
          4 },
        { OK "Content-Length: 0\r\n\r\n", METHOD_GET, 200, "OK", H1_BODY_NONE, true, "", 0 },
        { OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", METHOD_GET, 200, "OK",
          H1_BODY_CHUNKED, true, "hi", 0 },
        { OK "\r\nhi", METHOD_GET, 200, "OK", H1_BODY_UNTIL_CLOSE, false, "hi", 0 },
        { OK "Content-Length: 20\r\n\r\n", METHOD_HEAD, 200, "OK", H1_BODY_NONE, true, "", 0 },
        { OK "Transfer-Encoding: chunked\r\n\r\n", METHOD_HEAD, 200, "OK", H1_BODY_NONE, true, "",
          0 },
        { "HTTP/1.1 304 Not Modified\r\nContent-Length: 20\r\n\r\n", METHOD_GET, 304,
          "Not Modified", H1_BODY_NONE, true, "", 0 },
        { "HTTP/1.1 204 No Content\r\n\r\n", METHOD_GET, 204, "No Content", H1_BODY_NONE, true, "",
          0 },
        { "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", METHOD_GET, 204, "No Content",
          H1_BODY_NONE, true, "", 0 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP", METHOD_GET, 100, "Continue", H1_BODY_NONE, true, "",
          4 },
        { "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nx",
          METHOD_GET, 101, "Switching Protocols", H1_BODY_UNTIL_CLOSE, false, "x", 0 },
        { OK "\r\nx", METHOD_CONNECT, 200, "OK", H1_BODY_UNTIL_CLOSE, false, "x", 0 },
        { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", METHOD_GET, 200, "OK", H1_BODY_LENGTH,
          false, "x", 0 },
        { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx", METHOD_GET,
          200, "OK", H1_BODY_LENGTH, true, "x", 0 },
        { "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", METHOD_GET, 200, "", H1_BODY_NONE, true, "",
          0 },
        { "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", METHOD_GET, 200, "", H1_BODY_NONE, true, "",
          0 },
        { "HTTP/1.1 599 We are so sorry\r\nContent-Length: 0\r\n\r\n", METHOD_GET, 599,
          "We are so sorry", H1_BODY_NONE, true, "", 0 },
    };
    struct arena *a = arena_new(16384);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct str in = str_of(cases[i].in);
        struct h1_seen got;

        CASE(i);
        got = h1_run(in, H1_RESPONSE, cases[i].method, a);
        CHECK_STR(got.error ? got.error->name : STR("none"), STR("none"));
        CHECK(!got.more);
        CHECK_EQ(got.response.status, cases[i].status);
        CHECK_STRZ(got.response.reason, cases[i].reason);
        CHECK_EQ(got.response.m.framing.kind, cases[i].framing);
        CHECK_EQ(got.response.m.keep_alive, cases[i].keep_alive);
        CHECK_STRZ(got.body, cases[i].body);
        CHECK_EQ(in.n - got.used, cases[i].left);
    }
    arena_free(a);
}

TEST(responses_that_could_be_read_in_two_ways_are_refused)
{
    static const struct {
        const char *in;
        const struct h1_error *want;
    } cases[] = {
        { OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ERR(length_and_chunked) },
        { OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", ERR(two_lengths) },
        { OK "Content-Length: 5, 5\r\n\r\n", ERR(length) },
        { OK "Transfer-Encoding: gzip, chunked\r\n\r\n", ERR(coding) },
        { "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ERR(coding_in_1_0) },
        { "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", ERR(coding_not_allowed) },
        { "HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", ERR(length_not_allowed) },
        { "HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\n", ERR(length_not_allowed) },
        { OK "X : y\r\n\r\n", ERR(header_name) },
        { OK "X: y\r\n z\r\n\r\n", ERR(fold) },
        { OK "X: y\n\r\n", ERR(bare_lf) },
        { "\r\n" OK "\r\n", ERR(empty_line) },
        { "HTTP/1.1  200 OK\r\n\r\n", ERR(first_line) },
        { "HTTP/1.1 20 OK\r\n\r\n", ERR(first_line) },
        { "HTTP/1.1 2000 OK\r\n\r\n", ERR(first_line) },
        { "HTTP/1.1 099 OK\r\n\r\n", ERR(first_line) },
        { "HTTP/1.1 2x0 OK\r\n\r\n", ERR(first_line) },
        { "HTTP/1.1 200 O\x01K\r\n\r\n", ERR(first_line) },
        { "HTTP/2.0 200 OK\r\n\r\n", ERR(version) },
        { "ICY 200 OK\r\n\r\n", ERR(first_line) },
        { "hello\r\n", ERR(first_line) },
    };
    struct arena *a = arena_new(16384);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct h1_seen got;

        CASE(i);
        got = h1_run(str_of(cases[i].in), H1_RESPONSE, METHOD_GET, a);
        CHECK_STR(got.error ? got.error->name : STR("none"), cases[i].want->name);
    }
    arena_free(a);
}
