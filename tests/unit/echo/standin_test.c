#include "echo/standin.h"

#include "unit/check.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const struct addr *to)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(to->port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    memcpy(&sin.sin_addr, to->ip, 4);
    CHECK_EQ(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    return fd;
}

/* Sends a request and reads to the end of the connection. */
static struct str talk(const struct addr *to, const char *request, struct arena *a, size_t max)
{
    char *into = arena_raw(a, max);
    size_t n = 0;
    ssize_t got;
    int fd = dial(to);

    CHECK_EQ(write(fd, request, strlen(request)), strlen(request));
    while (n < max && (got = read(fd, into + n, max - n)) > 0)
        n += (size_t)got;
    close(fd);
    return str_make(into, n);
}

static bool has(struct str text, const char *part)
{
    return str_find_str(text, str_of(part)) < text.n;
}

TEST(standins_answer_with_their_name_and_version)
{
    static const struct echo_identity v1 = { STR_INIT("app-v1"), STR_INIT("v1"), false };
    static const struct echo_identity v2 = { STR_INIT("app-v2"), STR_INIT("v2"), false };
    struct standins *s = standins_new();
    struct addr one, two;
    struct arena a;
    struct str got;

    arena_init(&a, 65536);
    CHECK_EQ(standins_open(s, &v1, &one), ERR_OK);
    CHECK_EQ(standins_open(s, &v2, &two), ERR_OK);
    got = talk(&one, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &a, 65536);
    CHECK(str_starts(got, STR("HTTP/1.1 200 OK\r\n")));
    CHECK(has(got,
              "\r\n\r\nName=app-v1\nVersion=v1\nMethod=GET\nPath=/\nProtocol=HTTP/1.1\nHost=x\n"));
    CHECK(has(got, "Body octets=0\n"));
    got = talk(&two,
               "POST /a?trailer=t:1 HTTP/1.1\r\nHost: x\r\ncontent-length: 3\r\n\r\nabc"
               "GET /b?close=1 HTTP/1.1\r\nHost: x\r\n\r\n",
               &a, 65536);
    CHECK(has(got, "Body octets=3\n"));
    CHECK(has(got, "0\r\nt: 1\r\n\r\nHTTP/1.1 200 OK\r\n"));
    CHECK(has(got, "connection: close\r\n"));
    CHECK(has(got, "Path=/b?close=1\n"));
    arena_fini(&a);
    standins_free(s);
}

TEST(an_answer_may_be_large_slow_broken_off_or_refused)
{
    static const struct echo_identity v1 = { STR_INIT("app-v1"), STR_INIT("v1"), false };
    static const struct {
        const char *path;
        const char *first;  /* line */
        size_t least, most; /* octets in all */
    } cases[] = {
        { "/?size=3000000", "HTTP/1.1 200 OK\r\n", 3000000, 3000300 },
        { "/?delay=20ms&status=503", "HTTP/1.1 503 Service Unavailable\r\n", 100, 1000 },
        { "/?size=1000&reset=after-head", "HTTP/1.1 200 OK\r\n", 20, 400 },
        { "/?size=x", "HTTP/1.1 400 Bad Request\r\n", 20, 400 },
        { "/ junk", "HTTP/1.1 400 Bad Request\r\n", 20, 400 },
    };
    struct standins *s = standins_new();
    struct addr addr;
    struct arena a;

    arena_init(&a, 65536);
    CHECK_EQ(standins_open(s, &v1, &addr), ERR_OK);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct str rq = arena_printf(&a, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                                     cases[i].path);
        struct str got = talk(&addr, rq.p, &a, 4u << 20);

        CASE(i);
        CHECK(str_starts(got, str_of(cases[i].first)));
        CHECK(got.n >= cases[i].least && got.n <= cases[i].most);
    }
    arena_fini(&a);
    standins_free(s);
}

TEST(a_closed_standin_refuses_and_its_idle_connections_end)
{
    static const struct echo_identity v1 = { STR_INIT("app-v1"), STR_INIT("v1"), false };
    struct standins *s = standins_new();
    struct addr addr, other;
    char octet;
    int fd;

    CHECK_EQ(standins_open(s, &v1, &addr), ERR_OK);
    CHECK_EQ(standins_open(s, &v1, &other), ERR_OK);
    fd = dial(&addr);
    standins_close(s, &addr);
    CHECK_EQ(read(fd, &octet, 1), 0);
    close(fd);
    standins_close(s, &addr); /* unknown by now */
    standins_free(s);
}
