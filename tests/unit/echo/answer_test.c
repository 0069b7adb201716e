#include "echo/answer.h"

#include "base/bufq.h"

#include "unit/check.h"

static const struct echo_identity who = { .name = STR_INIT("hedgus-app-v1"),
                                          .version = STR_INIT("v1") };

/* The answer to one request; `accept` may be NULL. */
static struct echo_answer ask(struct arena *a, const char *method, const char *path,
                              const char *accept)
{
    struct head *h = head_new(a);
    struct echo_request rq = { .head = h,
                               .remote = { .family = 4, .ip = { 127, 0, 0, 1 }, .port = 4711 },
                               .body_octets = 3 };
    struct echo_answer answer;

    h->method = str_of(method);
    h->path = str_of(path);
    h->authority = STR("mk.hedgus.com");
    headers_add(&h->headers, a, STR("host"), STR("mk.hedgus.com"));
    if (accept)
        headers_add(&h->headers, a, STR("accept"), str_of(accept));
    echo_answer_build(&who, &rq, a, &answer);
    return answer;
}

static bool has(struct str text, const char *part)
{
    return str_find_str(text, str_of(part)) < text.n;
}

TEST(the_answer_is_text_lines_by_default)
{
    struct arena a;
    struct echo_answer r;

    arena_init(&a, 4096);
    r = ask(&a, "POST", "/x?y=1", "*/*");
    CHECK_EQ(r.head->status, 200);
    CHECK_STRZ(headers_get(&r.head->headers, HDR_CONTENT_TYPE), "text/plain; charset=utf-8");
    CHECK_STRZ(r.body, "Name=hedgus-app-v1\n"
                       "Version=v1\n"
                       "Method=POST\n"
                       "Path=/x?y=1\n"
                       "Protocol=HTTP/1.1\n"
                       "Host=mk.hedgus.com\n"
                       "RemoteAddress=127.0.0.1:4711\n"
                       "RequestHeader=host: mk.hedgus.com\n"
                       "RequestHeader=accept: */*\n"
                       "Body octets=3\n");
    CHECK_EQ(r.head->content_length, r.body.n);
    arena_fini(&a);
}

TEST(json_and_a_page_come_when_accept_names_them)
{
    struct arena a;
    struct echo_answer r;

    arena_init(&a, 4096);
    r = ask(&a, "GET", "/\"", "application/json;q=0.9");
    CHECK_STRZ(headers_get(&r.head->headers, HDR_CONTENT_TYPE), "application/json");
    CHECK_STRZ(
        r.body,
        "{\"name\":\"hedgus-app-v1\",\"version\":\"v1\",\"method\":\"GET\",\"path\":\"/\\\"\","
        "\"protocol\":\"HTTP/1.1\",\"host\":\"mk.hedgus.com\","
        "\"remoteAddress\":\"127.0.0.1:4711\",\"requestHeaders\":["
        "{\"name\":\"host\",\"value\":\"mk.hedgus.com\"},"
        "{\"name\":\"accept\",\"value\":\"application/json;q=0.9\"}],\"bodyOctets\":3}\n");
    r = ask(&a, "GET", "/<script>?resources=2", "text/html,application/xhtml+xml");
    CHECK_STRZ(headers_get(&r.head->headers, HDR_CONTENT_TYPE), "text/html; charset=utf-8");
    CHECK(has(r.body, "<h1 id=\"version\">v1</h1><p id=\"name\">hedgus-app-v1</p>"));
    CHECK(has(r.body, "src=\"/&lt;script&gt;/r/2.svg\""));
    CHECK(!has(r.body, "r/3.svg"));
    CHECK(!has(r.body, "<script>"));
    r = ask(&a, "GET", "/r/2.svg", "image/avif,*/*");
    CHECK_STRZ(headers_get(&r.head->headers, HDR_CONTENT_TYPE), "image/svg+xml");
    CHECK(has(r.body, ">v1</text>"));
    arena_fini(&a);
}

TEST(steering_shapes_head_and_body)
{
    static const struct {
        const char *method, *path;
        uint16_t status;
        int64_t length;
        uint64_t fill;
        bool body, trailers;
        const char *header; /* content-length said by hand, or NULL */
    } cases[] = {
        { "GET", "/?status=503&size=10", 503, 10, 10, false, false, NULL },
        { "GET", "/?size=0", 200, 0, 0, false, false, NULL },
        { "GET", "/?trailer=a:b&size=5", 200, -1, 5, false, true, NULL },
        { "HEAD", "/?size=7", 200, 0, 0, false, false, "7" },
        { "GET", "/?status=204", 204, 0, 0, false, false, NULL },
        { "GET", "/?status=304&size=4", 304, 0, 0, false, false, "4" },
        { "GET", "/?status=1000", 400, 51, 0, true, false, NULL },
    };
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct echo_answer r = ask(&a, cases[i].method, cases[i].path, NULL);

        CASE(i);
        CHECK_EQ(r.head->status, cases[i].status);
        CHECK_EQ(r.head->content_length, cases[i].length);
        CHECK_EQ(r.fill, cases[i].fill);
        CHECK_EQ(r.body.n > 0, cases[i].body);
        CHECK_EQ(r.trailers != NULL, cases[i].trailers);
        CHECK_STR(headers_get(&r.head->headers, HDR_CONTENT_LENGTH), str_of(cases[i].header));
    }
    CHECK_EQ(CHUNK_OCTETS % echo_filling.n, 0);
    arena_fini(&a);
}

TEST(what_is_not_built_says_so)
{
    struct arena a;
    struct head *h;
    struct echo_request rq;
    struct echo_answer r;

    arena_init(&a, 4096);
    h = head_new(&a);
    h->method = STR("GET");
    h->path = STR("/");
    h->upgrade = STR("websocket");
    rq = (struct echo_request){ .head = h };
    echo_answer_build(&who, &rq, &a, &r);
    CHECK_EQ(r.head->status, 501);
    CHECK_STRZ(r.body, "lateen echo: WebSocket: not built yet\n");
    arena_fini(&a);
}
