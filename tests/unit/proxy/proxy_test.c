#include "rig.h"

#include <sys/socket.h>
#include <unistd.h>

TEST(requests_go_through_and_the_connection_stays)
{
    struct rig r = { 0 };
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    for (int i = 0; i < 3; i++) {
        struct str got = talk(fd, GET("/x/../y"), "\r\n\r\nok");

        CHECK(has(got, "HTTP/1.1 200 OK\r\n"));
        CHECK(has(got, "server: istio-envoy\r\n"));
        CHECK(has(got, "x-by: lateen\r\n"));
        CHECK(has(got, "x-envoy-upstream-service-time: "));
        CHECK(has(str_of(r.backend.seen), "GET /y HTTP/1.1\r\n"));
        CHECK(has(str_of(r.backend.seen), "x-forwarded-for: 127.0.0.1\r\n"));
        CHECK(has(str_of(r.backend.seen), "x-forwarded-proto: http\r\n"));
        CHECK(has(str_of(r.backend.seen), "x-request-id: "));
    }
    close(fd);
    rig_stop(&r, true);
}

TEST(pipelined_requests_are_answered_in_order)
{
    struct rig r = { 0 };
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    got = talk(fd,
               GET("/1")
                   GET("/chunked") "HEAD /3 HTTP/1.1\r\nHost: a.test\r\n\r\n"
                                   "GET /4 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
               NULL);
    CHECK(has(got, "hello"));
    CHECK(has(got, "0\r\nx-t: end\r\n\r\n"));
    CHECK(has(got, "content-length: 1000\r\n"));
    CHECK(has(got, "connection: close\r\n"));
    CHECK(str_ends(got, STR("\r\n\r\nok")));
    close(fd);
    rig_stop(&r, true);
}

TEST(own_answers_carry_envoys_words)
{
    static const struct {
        const char *request, *status, *body;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n", "HTTP/1.1 404 Not Found\r\n", "" },
        { "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "" },
        { "GET / HTTP/1.1\nHost: a.test\n\n", "HTTP/1.1 400 Bad Request\r\n", "" },
        { "GET /%00 HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "" },
        { "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n",
          "" },
        { GET("/die-before"), "HTTP/1.1 503 Service Unavailable\r\n",
          "upstream connect error or disconnect/reset before headers. reset reason: connection "
          "termination" },
    };
    struct rig r = { 0 };

    rig_start(&r, true);
    for (size_t i = 0; i < LEN(cases); i++) {
        int fd = rig_client(&r);
        struct str got;

        CASE(i);
        got = talk(fd, cases[i].request, cases[i].body[0] ? cases[i].body : "\r\n\r\n");
        CHECK(has(got, cases[i].status));
        CHECK(has(got, cases[i].body));
        close(fd);
    }
    rig_stop(&r, true);
}

TEST(a_refused_backend_is_503_uf_after_two_retries)
{
    struct rig r = { 0 };
    struct str got;
    int fd;

    rig_start(&r, false);
    fd = rig_client(&r);
    got = talk(fd, GET("/"), "Connection refused");
    CHECK(has(got, "HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(has(got, "retried and the latest reset reason: remote connection failure"));
    close(fd);
    rig_stop(&r, false);
}

TEST(a_backend_that_dies_inside_is_visible)
{
    struct rig r = { 0 };
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    got = talk(fd, GET("/die-inside"), NULL);
    CHECK(has(got, "content-length: 100\r\n"));
    CHECK(str_ends(got, STR("half")));
    close(fd);
    rig_stop(&r, true);
}

TEST(a_connection_that_the_backend_closed_is_replaced_without_the_client_noticing)
{
    struct rig r = { 0 };
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    for (int i = 0; i < 20; i++)
        CHECK(has(talk(fd, GET("/close-after"), "\r\n\r\nok"), "HTTP/1.1 200 OK\r\n"));
    close(fd);
    rig_stop(&r, true);
}

TEST(a_body_until_close_keeps_the_clients_connection)
{
    struct rig r = { 0 };
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    CHECK(has(talk(fd, GET("/until-close"), "all of it"), "HTTP/1.1 200 OK\r\n"));
    CHECK(has(talk(fd, GET("/"), "\r\n\r\nok"), "HTTP/1.1 200 OK\r\n"));
    close(fd);
    rig_stop(&r, true);
}

TEST(informational_responses_pass)
{
    struct rig r = { 0 };
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    got = talk(fd, GET("/early-hints"), "\r\n\r\nok");
    CHECK(has(got, "HTTP/1.1 103 Early Hints\r\n"));
    CHECK(has(got, "HTTP/1.1 200 OK\r\n"));
    close(fd);
    rig_stop(&r, true);
}

TEST(http_1_0_is_served)
{
    struct rig r = { 0 };
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    got = talk(fd, "GET /chunked HTTP/1.0\r\nHost: a.test\r\n\r\n", NULL);
    CHECK(has(got, "connection: close\r\n"));
    CHECK(str_ends(got, STR("\r\n\r\nhello world")));
    close(fd);
    rig_stop(&r, true);
}

TEST(a_half_closed_client_gets_its_answer)
{
    struct rig r = { 0 };
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    CHECK(send_text(fd, GET("/")));
    shutdown(fd, SHUT_WR);
    got = talk(fd, "", NULL);
    CHECK(has(got, "HTTP/1.1 200 OK\r\n"));
    CHECK(str_ends(got, STR("ok")));
    close(fd);
    rig_stop(&r, true);
}

TEST(a_body_over_the_limit_is_413)
{
    static const struct {
        const char *request;
        bool is_whole; /* nothing is still to come: the connection may go on */
    } cases[] = {
        { "POST /big HTTP/1.1\r\nHost: a.test\r\nContent-Length: 11\r\n\r\n", false },
        { "POST /big HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
          "b\r\nhello world\r\n0\r\n\r\n",
          true },
        { "POST /big HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
          "a\r\nhello worl\r\n1\r\nd\r\n",
          false },
    };
    struct rig r = { .max_body = 10 };

    rig_start(&r, true);
    for (size_t i = 0; i < LEN(cases); i++) {
        int fd = rig_client(&r);
        struct str got = talk(fd, cases[i].request, cases[i].is_whole ? "Large\r\n" : NULL);

        CASE(i);
        CHECK(has(got, "HTTP/1.1 413 Payload Too Large\r\n"));
        if (!cases[i].is_whole)
            CHECK(has(got, "connection: close\r\n"));
        close(fd);
    }
    rig_stop(&r, true);
}

TEST(a_body_at_the_limit_passes)
{
    struct rig r = { .max_body = 10 };
    int fd;

    rig_start(&r, true);
    fd = rig_client(&r);
    CHECK(has(talk(fd, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello worl",
                   "\r\n\r\nok"),
              "HTTP/1.1 200 OK\r\n"));
    close(fd);
    rig_stop(&r, true);
}
