#include "codec/h2/message.h"

#include "unit/check.h"

/* "name=value|name=value" as fields. */
static struct headers fields_of(const char *text, struct arena *a)
{
    struct headers h = { 0 };
    struct str rest = str_of(text);

    while (str_is_set(rest)) {
        struct str value = str_cut(&rest, '|'), name;
        struct header *one;

        if (value.n && value.p[0] == ':') { /* the name's own colon */
            value = str_from(value, 1);
            name = str_cut(&value, '=');
            name = arena_printf(a, ":%.*s", STRF(name));
        } else {
            name = str_cut(&value, '=');
        }
        one = headers_add(&h, a, name, str_is_set(value) ? value : STR(""));
        one->id = (uint16_t)header_id_of(name);
    }
    return h;
}

static struct str text_of(const struct headers *h, struct arena *a)
{
    struct str s = STR("");

    for (uint32_t i = 0; i < h->n; i++)
        s = arena_printf(a, "%.*s%s%.*s=%.*s", STRF(s), i ? "|" : "", STRF(h->v[i].name),
                         STRF(h->v[i].value));
    return s;
}

#define RQ ":method=GET|:scheme=http|:path=/|:authority=x"

TEST(a_request_of_http_2_is_read_or_is_malformed)
{
    static const struct {
        const char *fields, *want; /* NULL: malformed */
    } rows[] = {
        { RQ, "host=x" },
        { RQ "|a=b|c=", "a=b|c=|host=x" },
        { ":authority=x|:path=/|:method=GET|:scheme=http", "host=x" },
        { ":method=GET|:scheme=http|:path=/|host=x:80", "host=x:80" },
        { RQ "|host=x", "host=x" },
        { RQ "|host=X", "host=x" },
        { RQ "|host=y", NULL },
        { RQ "|host=x|host=x", NULL },
        { ":method=GET|:scheme=http|:path=/", NULL },
        { ":method=GET|:scheme=http|:path=/|:authority=", NULL },
        { ":method=GET|:scheme=http|:path=/|:authority=u@x", NULL },
        { ":method=GET|:scheme=http|:path=/|:authority=a b", NULL },
        { ":scheme=http|:path=/|:authority=x", NULL },
        { ":method=GET|:path=/|:authority=x", NULL },
        { ":method=GET|:scheme=http|:authority=x", NULL },
        { ":method=GET|:scheme=http|:path=|:authority=x", NULL },
        { ":method=GET|:scheme=http|:path=x|:authority=x", NULL },
        { ":method=GET|:scheme=http|:path=*|:authority=x", NULL },
        { ":method=OPTIONS|:scheme=http|:path=*|:authority=x", "host=x" },
        { ":method=GET|:scheme=http|:path=/a b|:authority=x", NULL },
        { ":method=GET|:scheme=http|:path=/a\tb|:authority=x", NULL },
        { ":method=GET|:scheme=http|:path=/a\x7f|:authority=x", NULL },
        { ":method=GET|:scheme=http|:path=/\xc3\xa4|:authority=x", "host=x" },
        { ":method=GET|:scheme=1http|:path=/|:authority=x", NULL },
        { ":method=GET|:scheme=a+b-c.1|:path=/|:authority=x", "host=x" },
        { ":method=get|:scheme=http|:path=/|:authority=x", NULL },
        { RQ "|:path=/", NULL },
        { RQ "|:status=200", NULL },
        { RQ "|:other=1", NULL },
        { "a=b|" RQ, NULL },
        { RQ "|A=b", NULL },
        { RQ "|=b", NULL },
        { RQ "|a b=c", NULL },
        { RQ "|a=b\r\nc: d", NULL },
        { RQ "|a= b", NULL },
        { RQ "|a=b ", NULL },
        { RQ "|a=b\t", NULL },
        { RQ "|a=b\tc", "a=b\tc|host=x" },
        { RQ "|connection=close", NULL },
        { RQ "|keep-alive=1", NULL },
        { RQ "|proxy-connection=1", NULL },
        { RQ "|transfer-encoding=chunked", NULL },
        { RQ "|upgrade=h2c", NULL },
        { RQ "|te=trailers", "te=trailers|host=x" },
        { RQ "|te=gzip", NULL },
        { RQ "|te=trailers, gzip", NULL },
        { RQ "|te=", NULL },
        { RQ "|content-length=5", "content-length=5|host=x" },
        { RQ "|content-length=5|content-length=5", "content-length=5|host=x" },
        { RQ "|content-length=5|content-length=6", NULL },
        { RQ "|content-length=+5", NULL },
        { RQ "|content-length=", NULL },
        { RQ "|content-length=5,5", NULL },
        { RQ "|content-length=9223372036854775808", NULL },
        { RQ "|cookie=a=1", "cookie=a=1|host=x" },
        { RQ "|cookie=a=1|b=2|cookie=c=3|cookie=d", "b=2|cookie=a=1; c=3; d|host=x" },
        { ":method=CONNECT|:authority=x:443", "host=x:443" },
        { ":method=CONNECT|:authority=x:443|:path=/", NULL },
        { ":method=CONNECT|:authority=x:443|:scheme=http", NULL },
        { ":method=CONNECT", NULL },
        { ":method=CONNECT|:scheme=http|:path=/|:authority=x|:protocol=websocket", "host=x" },
        { RQ "|:protocol=websocket", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct h2_message m;
        struct headers in;
        struct arena a;
        const struct h2_error *error;

        CASE(i);
        arena_init(&a, 4096);
        in = fields_of(rows[i].fields, &a);
        error = h2_request_read(&in, &a, &m);
        CHECK(error == (rows[i].want ? NULL : &h2_error_malformed));
        if (!error)
            CHECK_STRZ(text_of(&m.headers, &a), rows[i].want);
        arena_fini(&a);
    }
}

TEST(a_response_of_http_2_has_a_status_and_no_other_pseudo_header)
{
    static const struct {
        const char *fields;
        int status; /* 0: malformed */
    } rows[] = {
        { ":status=200", 200 },
        { ":status=200|a=b", 200 },
        { ":status=103", 103 },
        { ":status=999", 999 },
        { ":status=101", 0 },
        { ":status=099", 0 },
        { ":status=20", 0 },
        { ":status=2000", 0 },
        { ":status=2 0", 0 },
        { ":status=abc", 0 },
        { ":status=", 0 },
        { "a=b", 0 },
        { ":status=200|:status=200", 0 },
        { ":status=200|:path=/", 0 },
        { ":status=200|:method=GET", 0 },
        { ":status=200|:scheme=x", 0 },
        { ":status=200|:authority=x", 0 },
        { ":status=200|:protocol=x", 0 },
        { ":status=200|connection=close", 0 },
        { "a=b|:status=200", 0 },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct h2_message m = { 0 };
        struct headers in;
        struct arena a;
        const struct h2_error *error;

        CASE(i);
        arena_init(&a, 4096);
        in = fields_of(rows[i].fields, &a);
        error = h2_response_read(&in, &a, &m);
        CHECK(error == (rows[i].status ? NULL : &h2_error_malformed));
        CHECK_EQ(error ? 0 : m.status, rows[i].status);
        arena_fini(&a);
    }
}

TEST(trailers_have_no_pseudo_headers_and_lose_what_frames)
{
    static const struct {
        const char *fields, *want;
    } rows[] = {
        { "grpc-status=0|grpc-message=fine", "grpc-status=0|grpc-message=fine" },
        { "x-sum=1|content-length=5|host=y|set-cookie=a", "x-sum=1" },
        { ":status=200", NULL },
        { "X-Sum=1", NULL },
        { "transfer-encoding=chunked", NULL },
        { "a=\xff", "a=\xff" },
        { "x-forwarded-for=1.2.3.4|x-forwarded-client-cert=Hash=0|x-forwarded-proto=https|a=b",
          "a=b" },
        { "forwarded=for=1.2.3.4|x-real-ip=1.2.3.4|x-envoy-internal=true|x-envoy-zzz=1|a=b",
          "a=b" },
        { "http2-settings=AA|proxy-authenticate=Basic|a=b", "a=b" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct headers in, out = { 0 };
        struct arena a;
        const struct h2_error *error;

        CASE(i);
        arena_init(&a, 4096);
        in = fields_of(rows[i].fields, &a);
        error = h2_trailers_read(&in, &a, &out);
        CHECK(error == (rows[i].want ? NULL : &h2_error_malformed));
        if (!error)
            CHECK_STRZ(text_of(&out, &a), rows[i].want);
        arena_fini(&a);
    }
}

static struct str text_of_fields(const struct hpack_field *f, size_t n, struct arena *a)
{
    struct str s = STR("");

    for (size_t i = 0; i < n; i++)
        s = arena_printf(a, "%.*s%s%.*s=%.*s", STRF(s), i ? "|" : "", STRF(f[i].name),
                         STRF(f[i].value));
    return s;
}

TEST(messages_are_written_in_lower_case_without_the_hop)
{
    struct h2_message m = {
        .method = STR("GET"), .scheme = STR("http"), .authority = STR("x"), .path = STR("/a")
    };
    struct arena a;
    struct headers h;
    struct hpack_field *f;
    size_t n;

    arena_init(&a, 4096);
    h = fields_of("Host=x|X-Big=1|Connection=close|TE=trailers|Keep-Alive=5|accept=a", &a);
    f = h2_request_fields(&m, &h, &a, &n);
    CHECK_STRZ(text_of_fields(f, n, &a),
               ":method=GET|:scheme=http|:authority=x|:path=/a|x-big=1|te=trailers|accept=a");
    h = fields_of("Server=y|Transfer-Encoding=chunked|Upgrade=z|Date=d", &a);
    f = h2_response_fields(204, &h, &a, &n);
    CHECK_STRZ(text_of_fields(f, n, &a), ":status=204|server=y|date=d");
    h = fields_of("Grpc-Status=0", &a);
    f = h2_trailer_fields(&h, &a, &n);
    CHECK_STRZ(text_of_fields(f, n, &a), "grpc-status=0");
    arena_fini(&a);
}
