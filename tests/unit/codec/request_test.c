#include "h1_run.h"

#include "base/buf.h"

#include "unit/check.h"

#define H "Host: x.test\r\n"
#define ERR(name) &h1_error_##name

TEST(requests_that_two_readers_could_read_differently_are_refused)
{
    /* reliability.md 1.2, column "ours", and observed.md. */
    static const struct {
        const char *head;
        const struct h1_error *want;
    } cases[] = {
        /* framing: length */
        { "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
          ERR(length_and_chunked) },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
          ERR(length_and_chunked) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
          ERR(two_lengths) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\ncontent-length: 5\r\n\r\n",
          ERR(two_lengths) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n", ERR(length) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n", ERR(length) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n", ERR(length) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n", ERR(length) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\n", ERR(length) },
        { "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", ERR(length) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551616\r\n\r\n", ERR(length) },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\n", ERR(length) },
        /* framing: transfer codings */
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", ERR(coding) },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n\r\n", ERR(coding) },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", ERR(coding) },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", ERR(coding) },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n", ERR(coding) },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", ERR(coding) },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n",
          ERR(header_value) },
        { "POST / HTTP/1.1\r\n" H
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
          ERR(two_codings) },
        { "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", ERR(coding_in_1_0) },
        /* line ends */
        { "GET / HTTP/1.1\nHost: x.test\n\n", ERR(bare_lf) },
        { "GET / HTTP/1.1\r\nHost: x.test\n\r\n", ERR(bare_lf) },
        { "GET / HTTP/1.1\r\n" H "\n", ERR(bare_lf) },
        { "\nGET / HTTP/1.1\r\n" H "\r\n", ERR(bare_lf) },
        { "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", ERR(empty_line) },
        { "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", ERR(header_value) },
        { "GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n", ERR(header_value) },
        { "GET / HTTP/1.1\r\r\n" H "\r\n", ERR(first_line) },
        { "\rGET / HTTP/1.1\r\n" H "\r\n", ERR(first_line) },
        /* header lines */
        { "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", ERR(fold) },
        { "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", ERR(fold) },
        { "GET / HTTP/1.1\r\n X: a\r\n" H "\r\n", ERR(fold) },
        { "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", ERR(header_name) },
        { "GET / HTTP/1.1\r\n" H "X : a\r\n\r\n", ERR(header_name) },
        { "GET / HTTP/1.1\r\n" H "X\t: a\r\n\r\n", ERR(header_name) },
        { "GET / HTTP/1.1\r\n" H "X\r\n\r\n", ERR(header_name) },
        { "GET / HTTP/1.1\r\n" H "X(y): a\r\n\r\n", ERR(header_name) },
        { "GET / HTTP/1.1\r\n" H "X\x80: a\r\n\r\n", ERR(header_name) },
        { "GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", ERR(header_value) },
        { "GET / HTTP/1.1\r\n" H "X: \x01\r\n\r\n", ERR(header_value) },
        /* hosts */
        { "GET / HTTP/1.1\r\n" H H "\r\n", ERR(two_hosts) },
        { "GET / HTTP/1.1\r\nHost: x.test\r\nHost: y.test\r\n\r\n", ERR(two_hosts) },
        { "GET / HTTP/1.1\r\n\r\n", ERR(no_host) },
        { "GET http://x.test/ HTTP/1.1\r\n\r\n", ERR(no_host) },
        { "GET / HTTP/1.1\r\nHost: x test\r\n\r\n", ERR(bad_host) },
        { "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", ERR(bad_host) },
        { "GET / HTTP/1.1\r\nHost: u@x.test\r\n\r\n", ERR(bad_host) },
        { "GET / HTTP/1.1\r\nHost: x\x80\r\n\r\n", ERR(bad_host) },
        { "GET http:///a HTTP/1.1\r\n" H "\r\n", ERR(bad_host) },
        { "GET http://u@y/a HTTP/1.1\r\n" H "\r\n", ERR(bad_host) },
        /* Connection */
        { "GET / HTTP/1.1\r\n" H "Connection: host\r\n\r\n", ERR(connection_token) },
        { "GET / HTTP/1.1\r\n" H "Connection: close, HOST\r\n\r\n", ERR(connection_token) },
        { "GET / HTTP/1.1\r\n" H "Connection: :path\r\n\r\n", ERR(connection_token) },
        /* the request line */
        { "get / HTTP/1.1\r\n" H "\r\n", ERR(method) },
        { "GETX / HTTP/1.1\r\n" H "\r\n", ERR(method) },
        { "GET  / HTTP/1.1\r\n" H "\r\n", ERR(first_line) },
        { "GET / HTTP/1.1 \r\n" H "\r\n", ERR(first_line) },
        { "GET\t/\tHTTP/1.1\r\n" H "\r\n", ERR(first_line) },
        { " GET / HTTP/1.1\r\n" H "\r\n", ERR(first_line) },
        { "GET /a b HTTP/1.1\r\n" H "\r\n", ERR(first_line) },
        { "GET / http/1.1\r\n" H "\r\n", ERR(first_line) },
        { "GET / HTTP/1.10\r\n" H "\r\n", ERR(first_line) },
        { "GET / HTTP/1\r\n" H "\r\n", ERR(first_line) },
        { "GET /\r\n", ERR(first_line) },
        { "GET\r\n", ERR(first_line) },
        { "GET / HTTP/1.2\r\n" H "\r\n", ERR(version) },
        { "GET / HTTP/2.0\r\n" H "\r\n", ERR(version) },
        { "GET / HTTP/0.9\r\n" H "\r\n", ERR(version) },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ERR(method) },
        { "\x16\x03\x01\x02", ERR(first_line) },
        { "GET x.test:80 HTTP/1.1\r\n" H "\r\n", ERR(target) },
        { "GET a HTTP/1.1\r\n" H "\r\n", ERR(target) },
        { "GET * HTTP/1.1\r\n" H "\r\n", ERR(target) },
        { "GET /a\x01 HTTP/1.1\r\n" H "\r\n", ERR(target) },
        { "GET ftp://x.test/ HTTP/1.1\r\n" H "\r\n", ERR(scheme) },
        { "CONNECT /a HTTP/1.1\r\n" H "\r\n", ERR(target) },
        { "CONNECT x.test:80 HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", ERR(length_not_allowed) },
    };
    struct arena *a = arena_new(16384);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct h1_seen got;

        CASE(i);
        got = h1_run(str_of(cases[i].head), H1_REQUEST, METHOD_UNKNOWN, a);
        CHECK_STR(got.error ? got.error->name : STR("none"), cases[i].want->name);
    }
    arena_free(a);
}

TEST(nul_in_a_head_is_refused)
{
    struct arena *a = arena_new(4096);

    CHECK(h1_run(STR("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"), H1_REQUEST, 0, a).error ==
          ERR(header_value));
    CHECK(h1_run(STR("GET / HTTP/1.1\r\n" H "X\0: a\r\n\r\n"), H1_REQUEST, 0, a).error ==
          ERR(header_name));
    CHECK(h1_run(STR("GET /\0 HTTP/1.1\r\n" H "\r\n"), H1_REQUEST, 0, a).error == ERR(target));
    CHECK(h1_run(STR("GET / HTTP/1.1\r\nHost: x\0\r\n\r\n"), H1_REQUEST, 0, a).error ==
          ERR(header_value));
    arena_free(a);
}

TEST(good_requests_are_read_as_they_are)
{
    static const struct {
        const char *in;
        enum method method;
        enum h1_target form;
        const char *scheme, *authority, *path;
        enum h1_framing_kind framing;
        bool keep_alive;
        const char *body;
        size_t left; /* octets behind the message */
    } cases[] = {
        { "GET / HTTP/1.1\r\n" H "\r\n", METHOD_GET, H1_TARGET_ORIGIN, "", "x.test", "/",
          H1_BODY_NONE, true, "", 0 },
        { "\r\nGET /a?b HTTP/1.1\r\n" H "\r\nGET", METHOD_GET, H1_TARGET_ORIGIN, "", "x.test",
          "/a?b", H1_BODY_NONE, true, "", 3 },
        { "GET / HTTP/1.1\r\nhOsT:x.test:80 \t\r\nConnection: Close\r\n\r\n", METHOD_GET,
          H1_TARGET_ORIGIN, "", "x.test:80", "/", H1_BODY_NONE, false, "", 0 },
        { "GET / HTTP/1.0\r\n\r\n", METHOD_GET, H1_TARGET_ORIGIN, "", "", "/", H1_BODY_NONE, false,
          "", 0 },
        { "GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", METHOD_GET, H1_TARGET_ORIGIN, "",
          "x.test", "/", H1_BODY_NONE, true, "", 0 },
        { "GET / HTTP/1.0\r\n" H "Connection: keep-alive, close\r\n\r\n", METHOD_GET,
          H1_TARGET_ORIGIN, "", "x.test", "/", H1_BODY_NONE, false, "", 0 },
        { "GET / HTTP/1.1\r\nHost:\r\n\r\n", METHOD_GET, H1_TARGET_ORIGIN, "", "", "/",
          H1_BODY_NONE, true, "", 0 },
        { "GET http://y/abs HTTP/1.1\r\n" H "\r\n", METHOD_GET, H1_TARGET_ABSOLUTE, "http", "y",
          "/abs", H1_BODY_NONE, true, "", 0 },
        { "GET HTTPS://y:8 HTTP/1.1\r\n" H "\r\n", METHOD_GET, H1_TARGET_ABSOLUTE, "HTTPS", "y:8",
          "/", H1_BODY_NONE, true, "", 0 },
        { "GET http://y?q HTTP/1.1\r\n" H "\r\n", METHOD_GET, H1_TARGET_ABSOLUTE, "http", "y",
          "/?q", H1_BODY_NONE, true, "", 0 },
        { "OPTIONS * HTTP/1.1\r\n" H "\r\n", METHOD_OPTIONS, H1_TARGET_ASTERISK, "", "x.test", "*",
          H1_BODY_NONE, true, "", 0 },
        { "CONNECT y:443 HTTP/1.1\r\n" H "\r\n", METHOD_CONNECT, H1_TARGET_AUTHORITY, "", "y:443",
          "", H1_BODY_NONE, false, "", 0 },
        { "PURGE / HTTP/1.1\r\n" H "\r\n", METHOD_PURGE, H1_TARGET_ORIGIN, "", "x.test", "/",
          H1_BODY_NONE, true, "", 0 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhelloGET", METHOD_POST,
          H1_TARGET_ORIGIN, "", "x.test", "/", H1_BODY_LENGTH, true, "hello", 3 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 000\r\n\r\n", METHOD_POST, H1_TARGET_ORIGIN, "",
          "x.test", "/", H1_BODY_NONE, true, "", 0 },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
          "5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\nGET",
          METHOD_POST, H1_TARGET_ORIGIN, "", "x.test", "/", H1_BODY_CHUNKED, true,
          "hello0123456789", 3 },
        { "GET /\xc3\xa9 HTTP/1.1\r\n" H "X: \xff\t\"\r\nX_User: y\r\n\r\n", METHOD_GET,
          H1_TARGET_ORIGIN, "", "x.test", "/\xc3\xa9", H1_BODY_NONE, true, "", 0 },
    };
    struct arena *a = arena_new(16384);

    for (size_t i = 0; i < LEN(cases); i++) {
        struct str in = str_of(cases[i].in);
        struct h1_seen got;

        CASE(i);
        got = h1_run(in, H1_REQUEST, METHOD_UNKNOWN, a);
        CHECK_STR(got.error ? got.error->name : STR("none"), STR("none"));
        CHECK(!got.more);
        CHECK_EQ(got.request.method, cases[i].method);
        CHECK_EQ(got.request.form, cases[i].form);
        CHECK_STRZ(got.request.scheme, cases[i].scheme);
        CHECK_STRZ(got.request.authority, cases[i].authority);
        CHECK_STRZ(got.request.path, cases[i].path);
        CHECK_EQ(got.request.m.framing.kind, cases[i].framing);
        CHECK_EQ(got.request.m.keep_alive, cases[i].keep_alive);
        CHECK_STRZ(got.body, cases[i].body);
        CHECK_EQ(in.n - got.used, cases[i].left);
    }
    arena_free(a);
}

TEST(an_absolute_target_replaces_host)
{
    struct arena *a = arena_new(4096);
    struct h1_seen got = h1_run(STR("GET http://y:8/ HTTP/1.1\r\n" H "X: 1\r\n\r\n"), H1_REQUEST,
                                METHOD_UNKNOWN, a);

    CHECK_STRZ(headers_get(&got.request.m.headers, HDR_HOST), "y:8");
    CHECK_EQ(headers_count(&got.request.m.headers, HDR_HOST), 1);
    arena_free(a);
}

TEST(expect_and_upgrade_are_told)
{
    struct arena *a = arena_new(4096);
    struct h1_seen got;

    got = h1_run(STR("GET / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nConnection: Upgrade\r\n"
                     "Upgrade: websocket\r\n\r\n"),
                 H1_REQUEST, METHOD_UNKNOWN, a);
    CHECK(got.request.expect_continue);
    CHECK_STRZ(got.request.m.upgrade, "websocket");
    got = h1_run(STR("GET / HTTP/1.0\r\n" H "Expect: 100-continue\r\nUpgrade: h2c\r\n\r\n"),
                 H1_REQUEST, METHOD_UNKNOWN, a);
    CHECK(!got.request.expect_continue);
    CHECK(!str_is_set(got.request.m.upgrade));
    arena_free(a);
}

TEST(hop_by_hop_headers_are_stripped_with_all_that_connection_names)
{
    struct arena *a = arena_new(4096);
    struct h1_seen got = h1_run(
        STR("GET / HTTP/1.1\r\n" H "Connection: close, X-A, te\r\nX-a: 1\r\nconnection: x-b\r\n"
            "X-B: 2\r\nX-C: 3\r\nKeep-Alive: 5\r\nTE: trailers;q=1, trailers\r\nUpgrade: h2c\r\n"
            "Proxy-Connection: close\r\nHTTP2-Settings: x\r\nTrailer: x\r\n\r\n"),
        H1_REQUEST, METHOD_UNKNOWN, a);
    struct headers *h = &got.request.m.headers;

    headers_strip_hops(h);
    CHECK_EQ(h->n, 4);
    CHECK_STRZ(h->v[0].name, "Host");
    CHECK_STRZ(h->v[1].name, "X-C");
    CHECK_STRZ(h->v[2].value, "trailers");
    CHECK_STRZ(h->v[3].name, "Trailer");
    CHECK_EQ(h->octets, 10 + 4 + 10 + 8);
    arena_free(a);
}

/* A request with `n` headers besides Host, the last value of `size` octets. */
static struct str request_of(struct arena *a, size_t n, size_t size)
{
    struct buf b;
    struct str ret;

    buf_init(&b, 1 << 20);
    buf_add(&b, STR("GET / HTTP/1.1\r\n" H));
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "x-%zu: v\r\n", i);
    buf_add(&b, STR("x: "));
    for (size_t i = 0; i < size; i++)
        buf_addc(&b, 'a');
    buf_add(&b, STR("\r\n\r\n"));
    ret = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return ret;
}

static const struct h1_error *scan_all(struct str in)
{
    struct h1_scan s;

    h1_scan_init(&s, H1_REQUEST, &h1_limits_default);
    return h1_head_scan(&s, in) == H1_BAD ? s.error : NULL;
}

TEST(heads_beyond_the_limits_are_refused_and_those_at_them_are_not)
{
    struct arena *a = arena_new(4096);
    size_t base = request_of(a, 0, 0).n, max = h1_limits_default.max_head_octets;
    struct str big = request_of(a, 0, max - base), text;
    struct h1_scan s;
    char *target;

    CHECK(scan_all(big) == NULL);
    CHECK(scan_all(request_of(a, 0, max - base + 1)) == ERR(head_too_large));
    CHECK(scan_all(str_sub(request_of(a, 0, 2 * max), 0, max + 1)) == ERR(head_too_large));
    CHECK(scan_all(request_of(a, 98, 1)) == NULL);
    CHECK(scan_all(request_of(a, 99, 1)) == ERR(too_many_headers));
    target = arena_alloc(a, 9000);
    memset(target, 'a', 9000);
    text = arena_printf(a, "GET /%.8191s HTTP/1.1\r\n", target);
    CHECK(scan_all(text) == NULL);
    text = arena_printf(a, "GET /%.8192s HTTP/1.1\r\n", target);
    CHECK(scan_all(text) == ERR(target_too_long));
    text = arena_printf(a, "GET /%.8999s", target);
    CHECK(scan_all(text) == ERR(target_too_long));
    h1_scan_init(&s, H1_REQUEST, &h1_limits_default);
    for (size_t i = 0; i < big.n; i++)
        CHECK_EQ(h1_head_scan(&s, str_sub(big, 0, i)), H1_MORE);
    CHECK_EQ(h1_head_scan(&s, big), H1_WHOLE);
    arena_free(a);
}

TEST(names_and_values_of_odd_lengths_come_through)
{
    static const size_t lengths[] = { 1, 255, 256, 1023, 1024, 32767, 32768 };
    struct arena *a = arena_new(4096);

    for (size_t i = 0; i < LEN(lengths); i++) {
        char *octets = arena_alloc(a, lengths[i]);
        struct str word = str_make(octets, lengths[i]), head;
        struct h1_limits wide = { 1 << 20, 100, 1 << 20, 1024 };
        struct h1_request r;

        CASE(i);
        memset(octets, 'a', lengths[i]);
        head = arena_printf(a, "GET / HTTP/1.1\r\n" H "%.*s: %.*s\r\nx: y\r\n\r\n", STRF(word),
                            STRF(word));
        CHECK(h1_request_parse(head, a, &wide, &r) == NULL);
        CHECK_STR(r.m.headers.v[1].name, word);
        CHECK_STR(r.m.headers.v[1].value, word);
        CHECK_STRZ(r.m.headers.v[2].value, "y");
    }
    arena_free(a);
}
