/*
 * A worker with a snapshot built by hand, a scripted backend and a raw client: the data
 * plane without manifests.
 */
#include "proxy/worker.h"

#include "base/buf.h"
#include "filter/filter.h"
#include "live/host.h"
#include "net/listen.h"
#include "unit/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a backend: answers each request head as its path says ---- */

struct backend {
    int fd;
    uint16_t port;
    pthread_t thread;
    _Atomic bool stop;
    char seen[65536]; /* the last request head, for one connection at a time */
};

static bool send_text(int fd, const char *text)
{
    size_t n = strlen(text);

    return send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Reads up to the end of a head; the length, 0 at the end. */
static size_t read_head(int fd, char *into, size_t size)
{
    size_t n = 0;

    while (n + 1 < size && !memmem(into, n, "\r\n\r\n", 4)) {
        ssize_t got = recv(fd, into + n, 1, 0);

        if (got <= 0)
            return 0;
        n++;
    }
    into[n] = '\0';
    return n;
}

static bool answer(struct backend *b, int fd)
{
    char *head = b->seen;

    if (!read_head(fd, head, sizeof(b->seen)))
        return false;
    if (strstr(head, " /die-before "))
        return false;
    if (strstr(head, " /die-inside ")) {
        send_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
        return false;
    }
    if (strstr(head, " /close-after "))
        return send_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), false;
    if (strstr(head, " /until-close "))
        return send_text(fd, "HTTP/1.1 200 OK\r\n\r\nall of it"), false;
    if (strstr(head, " /chunked "))
        return send_text(fd, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n"
                             "5\r\nhello\r\n6\r\n world\r\n0\r\nx-t: end\r\n\r\n");
    if (strstr(head, " /early-hints "))
        return send_text(fd, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
                             "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    if (strstr(head, "HEAD "))
        return send_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
    return send_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

static void *backend_main(void *arg)
{
    struct backend *b = arg;

    while (!b->stop) {
        struct pollfd p = { .fd = b->fd, .events = POLLIN };
        int fd;

        if (poll(&p, 1, 50) != 1)
            continue;
        fd = accept(b->fd, NULL, NULL);
        if (fd < 0)
            continue;
        while (!b->stop && answer(b, fd))
            ;
        close(fd);
    }
    return NULL;
}

static void backend_start(struct backend *b)
{
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };

    *b = (struct backend){ 0 };
    CHECK_EQ(listen_open(&at, &b->fd, 1), ERR_OK);
    b->port = at.port;
    CHECK_EQ(pthread_create(&b->thread, NULL, backend_main, b), 0);
}

static void backend_stop(struct backend *b)
{
    b->stop = true;
    shutdown(b->fd, SHUT_RDWR);
    pthread_join(b->thread, NULL);
    close(b->fd);
}

/* ---- a snapshot ---- */

static const struct part_hooks hooks = {
    .host_get = live_host_get,
    .host_unref = live_host_unref,
    .filter_parse = filter_config_parse,
};

static void put(struct root_edit *e, struct slots *slots, void *part)
{
    struct part *p = part;
    struct str error;

    p->slot = slots_of(slots, p->kind, p->name);
    CHECK(part_finish(p, &error));
    root_edit_set(e, p);
}

static struct root *root_of(struct slots *slots, uint16_t port, uint16_t backend_port)
{
    struct root_edit *e = root_edit_new(NULL);
    struct listener *l = part_new(PART_LISTENER, STR("0.0.0.0_80"));
    struct chain *c = part_new(PART_CHAIN, STR("0.0.0.0_80/http"));
    struct routes *rt = part_new(PART_ROUTES, STR("http.80"));
    struct vhost *v = part_new(PART_VHOST, STR("http.80/a.test"));
    struct cluster *cl = part_new(PART_CLUSTER, STR("outbound|80||a"));
    struct hosts *h = part_new(PART_HOSTS, STR("outbound|80||a"));

    l->port = l->manifest_port = port;
    l->chains.v = ARENA_ARRAY(l->part.arena, slot_id, 1);
    l->chains.v[0] = slots_of(slots, PART_CHAIN, c->part.name);
    l->chains.n = 1;
    c->http = (struct http_manager){
        .routes = slots_of(slots, PART_ROUTES, rt->part.name),
        .server_name = STR("istio-envoy"),
        .normalize_path = true,
        .is_gateway = true,
        .request_head_ms = 2000,
        .max_headers = 100,
        .max_head_octets = 61440,
        .buffer_limit = 1 << 20,
    };
    c->tls.client_ca = SLOT_NONE;
    c->http.filters.v = ARENA_ARRAY(c->part.arena, struct filter_config, 2);
    c->http.filters.v[0] = (struct filter_config){ .kind = STR("headers"),
                                                   .instance = STR("headers"),
                                                   .config = STR("response set x-by: lateen\n") };
    c->http.filters.v[1] = (struct filter_config){ .kind = STR("router"),
                                                   .instance = STR("router") };
    c->http.filters.n = 2;
    rt->domains.v = ARENA_ARRAY(rt->part.arena, struct domain, 1);
    rt->domains.v[0] = (struct domain){ STR("a.test"), slots_of(slots, PART_VHOST, v->part.name) };
    rt->domains.n = 1;
    v->routes.v = ARENA_ARRAY(v->part.arena, struct route, 1);
    v->routes.n = 1;
    v->routes.v[0].name = STR("default");
    v->routes.v[0].retry = (struct retry_policy){ 2, RETRY_CONNECT_FAILURE, true };
    v->routes.v[0].destinations.v = ARENA_ARRAY(v->part.arena, struct destination, 1);
    v->routes.v[0].destinations.n = 1;
    v->routes.v[0].destinations.v[0] = (struct destination){
        .cluster_name = cl->part.name,
        .cluster = slots_of(slots, PART_CLUSTER, cl->part.name),
        .weight = 1
    };
    cl->hosts = slots_of(slots, PART_HOSTS, h->part.name);
    cl->connect_ms = 1000;
    cl->idle_ms = 10000;
    h->cluster_name = cl->part.name;
    h->endpoints.v = ARENA_ARRAY(h->part.arena, struct endpoint, 1);
    h->endpoints.n = 1;
    h->endpoints.v[0] = (struct endpoint){
        .addr = { .family = 4, .port = backend_port, .ip = { 127, 0, 0, 1 } },
        .weight = 1,
        .healthy = true,
    };
    put(e, slots, l);
    put(e, slots, c);
    put(e, slots, rt);
    put(e, slots, v);
    put(e, slots, cl);
    put(e, slots, h);
    return root_edit_finish(e);
}

/* ---- the whole ---- */

struct rig {
    struct backend backend;
    struct slots *slots;
    struct worker *worker;
    uint16_t port;
};

static void rig_start(struct rig *r, bool with_backend)
{
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
    struct worker_options o = { .max_connections = 100, .max_body_octets = 16 << 20 };
    struct listen_grant grant;
    struct root *root;

    part_hooks = hooks;
    *r = (struct rig){ 0 };
    if (with_backend)
        backend_start(&r->backend);
    r->slots = slots_new();
    CHECK_EQ(listen_open(&at, &grant.take_fd, 1), ERR_OK);
    r->port = at.port;
    root = root_of(r->slots, at.port, with_backend ? r->backend.port : 1);
    grant.listener = slots_of(r->slots, PART_LISTENER, STR("0.0.0.0_80"));
    r->worker = worker_start(&o);
    worker_publish(r->worker, root, &grant, 1);
}

static void rig_stop(struct rig *r, bool with_backend)
{
    worker_stop(r->worker);
    slots_free(r->slots);
    if (with_backend)
        backend_stop(&r->backend);
}

static int client(const struct rig *r)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(r->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 5 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Sends, then reads until `until` has arrived or the other side ends. */
static struct str talk(int fd, const char *request, const char *until)
{
    static char got[1 << 20];
    size_t n = 0;

    CHECK(!request[0] || send_text(fd, request));
    while (n < sizeof(got) && !(until && memmem(got, n, until, strlen(until)))) {
        ssize_t some = recv(fd, got + n, sizeof(got) - n, 0);

        if (some <= 0)
            break;
        n += (size_t)some;
    }
    return str_make(got, n);
}

static bool has(struct str text, const char *part)
{
    if (str_find_str(text, str_of(part)) < text.n)
        return true;
    print_error("no \"%s\" in: %.*s\n", part, STRF(text));
    return false;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a.test\r\n\r\n"

TEST(requests_go_through_and_the_connection_stays)
{
    struct rig r;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
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
    struct rig r;
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
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
    struct rig r;

    rig_start(&r, true);
    for (size_t i = 0; i < LEN(cases); i++) {
        int fd = client(&r);
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
    struct rig r;
    struct str got;
    int fd;

    rig_start(&r, false);
    fd = client(&r);
    got = talk(fd, GET("/"), "Connection refused");
    CHECK(has(got, "HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(has(got, "retried and the latest reset reason: remote connection failure"));
    close(fd);
    rig_stop(&r, false);
}

TEST(a_backend_that_dies_inside_is_visible)
{
    struct rig r;
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
    got = talk(fd, GET("/die-inside"), NULL);
    CHECK(has(got, "content-length: 100\r\n"));
    CHECK(str_ends(got, STR("half")));
    close(fd);
    rig_stop(&r, true);
}

TEST(a_connection_that_the_backend_closed_is_replaced_without_the_client_noticing)
{
    struct rig r;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
    for (int i = 0; i < 20; i++)
        CHECK(has(talk(fd, GET("/close-after"), "\r\n\r\nok"), "HTTP/1.1 200 OK\r\n"));
    close(fd);
    rig_stop(&r, true);
}

TEST(a_body_until_close_keeps_the_clients_connection)
{
    struct rig r;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
    CHECK(has(talk(fd, GET("/until-close"), "all of it"), "HTTP/1.1 200 OK\r\n"));
    CHECK(has(talk(fd, GET("/"), "\r\n\r\nok"), "HTTP/1.1 200 OK\r\n"));
    close(fd);
    rig_stop(&r, true);
}

TEST(informational_responses_pass)
{
    struct rig r;
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
    got = talk(fd, GET("/early-hints"), "\r\n\r\nok");
    CHECK(has(got, "HTTP/1.1 103 Early Hints\r\n"));
    CHECK(has(got, "HTTP/1.1 200 OK\r\n"));
    close(fd);
    rig_stop(&r, true);
}

TEST(http_1_0_is_served)
{
    struct rig r;
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
    got = talk(fd, "GET /chunked HTTP/1.0\r\nHost: a.test\r\n\r\n", NULL);
    CHECK(has(got, "connection: close\r\n"));
    CHECK(str_ends(got, STR("\r\n\r\nhello world")));
    close(fd);
    rig_stop(&r, true);
}

TEST(a_half_closed_client_gets_its_answer)
{
    struct rig r;
    struct str got;
    int fd;

    rig_start(&r, true);
    fd = client(&r);
    CHECK(send_text(fd, GET("/")));
    shutdown(fd, SHUT_WR);
    got = talk(fd, "", NULL);
    CHECK(has(got, "HTTP/1.1 200 OK\r\n"));
    CHECK(str_ends(got, STR("ok")));
    close(fd);
    rig_stop(&r, true);
}
