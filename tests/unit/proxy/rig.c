/*
 * A worker with a snapshot built by hand, a scripted backend and a raw client.
 */
#include "rig.h"

#include "filter/filter.h"
#include "live/budget.h"
#include "live/host.h"
#include "net/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a backend: answers each request head as its path says ---- */

bool send_text(int fd, const char *text)
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

const struct part_hooks rig_hooks = {
    .host_get = live_host_get,
    .host_unref = live_host_unref,
    .budget_get = live_budget_get,
    .budget_unref = live_budget_unref,
    .filter_parse = filter_config_parse,
    .filter_drop = filter_config_drop,
};

static void put(struct root_edit *e, struct slots *slots, void *part)
{
    struct part *p = part;
    struct str error;

    p->slot = slots_of(slots, p->kind, p->name);
    CHECK(part_finish(p, &error));
    root_edit_set(e, p);
}

static struct root *root_of(const struct rig *r, uint16_t port, uint16_t backend_port)
{
    struct root_edit *e = root_edit_new(NULL);
    struct slots *slots = r->slots;
    struct str extra = str_of(r->filter);
    uint32_t n = 0;
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
        .path_form = URL_BASE,
        .is_gateway = true,
        .request_head_ms = 2000,
        .max_headers = 100,
        .max_head_octets = 61440,
        .buffer_limit = 1 << 20,
        .max_body = r->max_body,
    };
    c->tls.client_ca = SLOT_NONE;
    c->http.filters.v = ARENA_ARRAY(c->part.arena, struct filter_config, 3);
    c->http.filters.v[n++] = (struct filter_config){
        .kind = STR("headers"),
        .instance = STR("headers"),
        .config = STR("response set x-by: lateen\n"),
    };
    if (extra.n)
        c->http.filters.v[n++] = (struct filter_config){ .kind = extra, .instance = extra };
    c->http.filters.v[n++] = (struct filter_config){ .kind = STR("router"),
                                                     .instance = STR("router") };
    c->http.filters.n = n;
    rt->domains.v = ARENA_ARRAY(rt->part.arena, struct domain, 1);
    rt->domains.v[0] = (struct domain){ STR("a.test"), slots_of(slots, PART_VHOST, v->part.name) };
    rt->domains.n = 1;
    v->routes.v = ARENA_ARRAY(v->part.arena, struct route, 1);
    v->routes.n = 1;
    v->routes.v[0].name = STR("default");
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

void rig_start(struct rig *r, bool with_backend)
{
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
    struct worker_options o = { .max_connections = 100, .max_body_octets = 256 << 20 };
    struct listen_grant grant;
    struct root *root;

    part_hooks = r->hooks ? *r->hooks : rig_hooks;
    if (with_backend)
        backend_start(&r->backend);
    r->slots = slots_new();
    CHECK_EQ(listen_open(&at, &grant.take_fd, 1), ERR_OK);
    r->port = at.port;
    root = root_of(r, at.port, with_backend ? r->backend.port : 1);
    grant.listener = slots_of(r->slots, PART_LISTENER, STR("0.0.0.0_80"));
    r->worker = worker_start(&o);
    worker_publish(r->worker, root, &grant, 1);
}

void rig_stop(struct rig *r, bool with_backend)
{
    worker_stop(r->worker);
    slots_free(r->slots);
    if (with_backend)
        backend_stop(&r->backend);
}

int rig_client(const struct rig *r)
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
struct str talk(int fd, const char *request, const char *until)
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

bool has(struct str text, const char *part)
{
    if (str_find_str(text, str_of(part)) < text.n)
        return true;
    print_error("no \"%s\" in: %.*s\n", part, STRF(text));
    return false;
}
