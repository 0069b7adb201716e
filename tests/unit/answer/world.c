#include "unit/answer/world.h"

#include "base/hash.h"
#include "echo/standin.h"
#include "filter/filter.h"
#include "live/host.h"
#include "net/listen.h"
#include "proxy/worker.h"
#include "source/files.h"
#include "telemetry/telemetry.h"
#include "tls/issue.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STANDINS_MAX 64

static struct {
    struct standins *standins;
    struct {
        char key[128];
        struct addr addr;
    } playing[STANDINS_MAX];
    size_t n;
    SSL_CTX *client;
    struct log_format *format;
    struct arena arena;
    struct {
        struct str names, chain, key;
    } issued[STANDINS_MAX];
    size_t issued_n;
} shared;

/* ---- hooks ---- */

static bool stand_in(void *arg, const struct mesh_workload *mw, uint32_t replica, uint16_t port,
                     struct addr *ret)
{
    struct echo_identity who = { .name = STR("backend"), .version = STR("v1") };
    char key[128];

    (void)arg;
    snprintf(key, sizeof(key), "%.*s/%u/%u", STRF(mw->name), replica, port);
    for (size_t i = 0; i < shared.n; i++) {
        if (strcmp(shared.playing[i].key, key) == 0) {
            *ret = shared.playing[i].addr;
            return true;
        }
    }
    CHECK(shared.n < STANDINS_MAX);
    CHECK_EQ(standins_open(shared.standins, &who, ret), ERR_OK);
    snprintf(shared.playing[shared.n].key, sizeof(key), "%s", key);
    shared.playing[shared.n++].addr = *ret;
    return true;
}

static struct str names_of(const struct mesh_certificate *c)
{
    struct str names = STR("");

    for (size_t i = 0; i < c->dns_name_count; i++)
        names = arena_printf(&shared.arena, "%.*s %.*s", STRF(names), STRF(c->dns_names[i]));
    return names;
}

/* One for each list of names, made once. */
static bool issue(void *arg, const struct mesh_certificate *c, struct arena *a,
                  struct str *ret_chain, struct str *ret_key, struct str *ret_error)
{
    int64_t now = (int64_t)time(NULL) * 1000;
    struct issue_request rq = { .dns_names = c->dns_names,
                                .dns_name_count = c->dns_name_count,
                                .not_before_ms = now - 1000,
                                .not_after_ms = now + 86400000 };
    struct str names = names_of(c);
    struct buf cert, key;
    size_t i = 0;

    (void)arg;
    (void)a;
    while (i < shared.issued_n && !str_eq(shared.issued[i].names, names))
        i++;
    if (i == shared.issued_n) {
        CHECK(i < STANDINS_MAX);
        buf_init(&cert, 1 << 16);
        buf_init(&key, 1 << 16);
        CHECK(issue_certificate(&rq, &cert, &key, ret_error));
        shared.issued[i].names = names;
        shared.issued[i].chain = arena_dup(&shared.arena, buf_str(&cert));
        shared.issued[i].key = arena_dup(&shared.arena, buf_str(&key));
        shared.issued_n++;
        buf_fini(&cert);
        buf_fini(&key);
    }
    *ret_chain = shared.issued[i].chain;
    *ret_key = shared.issued[i].key;
    return true;
}

static uint16_t map_port(void *arg, const struct addr *bind, uint16_t port)
{
    struct world *w = arg;
    struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
    struct world_port *p;

    (void)bind;
    for (size_t i = 0; i < w->port_count; i++) {
        if (w->ports[i].manifest == port)
            return w->ports[i].bound;
    }
    CHECK(w->port_count < LEN(w->ports));
    p = &w->ports[w->port_count++];
    p->manifest = port;
    CHECK_EQ(listen_open(&at, &p->fd, 1), ERR_OK);
    p->bound = at.port;
    return p->bound;
}

uint16_t world_port(const struct world *w, uint16_t manifest)
{
    for (slot_id i = 0; i < root_slots(w->root, PART_LISTENER); i++) {
        const struct listener *l = root_listener(w->root, i);

        if (l && l->manifest_port == manifest)
            return l->port;
    }
    return 0;
}

/* ---- a world ---- */

void worlds_begin(void)
{
    struct str why;

    part_hooks = (struct part_hooks){ .host_get = live_host_get,
                                      .host_unref = live_host_unref,
                                      .filter_parse = filter_config_parse,
                                      .filter_drop = filter_config_drop };
    arena_init(&shared.arena, 4096);
    shared.standins = standins_new();
    shared.client = SSL_CTX_new(TLS_client_method());
    shared.format = log_format_parse(STR("%REQ(X-N)% %RESPONSE_CODE% %RESPONSE_FLAGS% "
                                         "%UPSTREAM_CLUSTER_RAW%\n"),
                                     false, &shared.arena, &why);
    CHECK(shared.format != NULL);
}

void worlds_end(void)
{
    standins_free(shared.standins);
    SSL_CTX_free(shared.client);
    arena_fini(&shared.arena);
    memset(&shared, 0, sizeof(shared));
}

static void serve(struct world *w)
{
    struct worker_options o = { .max_connections = 100, .max_body_octets = 256 << 20 };
    struct listen_grant grants[LEN(w->ports)];
    size_t n = 0;
    enum err e;

    snprintf(w->log_path, sizeof(w->log_path), "/tmp/lateen-answer-%d.log", (int)getpid());
    unlink(w->log_path);
    w->log = access_log_open(str_of(w->log_path), shared.format, &e);
    CHECK(w->log != NULL);
    o.access_log = w->log;
    for (slot_id i = 0; i < root_slots(w->root, PART_LISTENER); i++) {
        const struct listener *l = root_listener(w->root, i);

        for (size_t k = 0; l && k < w->port_count; k++) {
            if (w->ports[k].bound == l->port) {
                grants[n++] = (struct listen_grant){ i, w->ports[k].fd };
                w->ports[k].fd = -1;
            }
        }
    }
    w->worker = worker_start(&o);
    worker_publish(w->worker, root_ref(w->root), grants, n);
}

void world_begin(struct world *w, const struct mesh_options *o)
{
    struct mesh_options mine = *o;

    memset(w, 0, sizeof(*w));
    arena_init(&w->arena, 65536);
    mine.dev = true;
    mine.hooks.arg = w;
    mine.hooks.stand_in = stand_in;
    mine.hooks.issue = issue;
    w->mesh = mesh_new(&mine);
}

void world_update(struct world *w, struct source_file *files, size_t n)
{
    struct source_scan scan = { .files = files, .n = n, .changed = true };
    struct root *root = NULL;

    notes_init(&w->notes, &w->arena);
    if (mesh_update(w->mesh, &scan, &w->notes, &root) != MESH_NEW)
        return;
    root_unref(w->root);
    w->root = root;
}

void world_open(struct world *w, struct str yaml, bool serves)
{
    struct source_file file = {
        .path = STR("world.yaml"), .octets = yaml, .hash = hash_stable(yaml), .changed = true
    };
    struct mesh_options o = { .verdicts = !serves,
                              .hooks = { .port_map = serves ? map_port : NULL } };

    world_begin(w, &o);
    world_update(w, &file, 1);
    if (serves)
        serve(w);
}

/* ---- ending ---- */

static void clients_close(struct world *w);

struct str world_stop(struct world *w)
{
    struct buf b;
    struct str text;
    FILE *f;
    size_t got;
    char *room;

    clients_close(w);
    worker_stop(w->worker);
    access_log_close(w->log);
    w->worker = NULL;
    buf_init(&b, 64u << 20);
    f = fopen(w->log_path, "rb");
    CHECK(f != NULL);
    do {
        room = buf_reserve(&b, 65536);
        got = fread(room, 1, 65536, f);
        b.n += got;
    } while (got);
    fclose(f);
    unlink(w->log_path);
    text = arena_dup(&w->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

void world_close(struct world *w)
{
    if (w->worker)
        world_stop(w);
    for (size_t i = 0; i < w->port_count; i++) {
        if (w->ports[i].fd >= 0)
            close(w->ports[i].fd);
    }
    root_unref(w->root);
    mesh_free(w->mesh);
    arena_fini(&w->arena);
}

/* ---- the client ---- */

/* A connection to a port, for a name. */
struct client {
    struct client *next;
    uint16_t port;
    struct str sni; /* STR_NONE: clear text, or no name */
    bool is_tls;
    int fd;
    SSL *ssl;
    char got[65536];
    size_t n;
};

static bool client_connect(struct client *c, const struct ask *q, uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 5 };
    char name[256];

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        return false;
    if (!q->is_tls)
        return true;
    c->ssl = SSL_new(shared.client);
    SSL_set_fd(c->ssl, c->fd);
    if (str_is_set(q->sni))
        SSL_set_tlsext_host_name(c->ssl, str_copy(q->sni, name, sizeof(name)));
    return SSL_connect(c->ssl) == 1;
}

static bool client_fits(const struct client *c, const struct ask *q, uint16_t port)
{
    return c->port == port && c->is_tls == q->is_tls && str_is_set(c->sni) == str_is_set(q->sni) &&
           str_eq(c->sni, q->sni);
}

/* NULL: none can be made. `ret_fresh`: it was made for this. */
static struct client *client_get(struct world *w, const struct ask *q, bool *ret_fresh)
{
    uint16_t port = world_port(w, q->port);
    struct client *c = w->clients;

    while (c && !client_fits(c, q, port))
        c = c->next;
    *ret_fresh = !c;
    if (c)
        return c;
    c = must_alloc(sizeof(*c));
    c->next = w->clients;
    c->port = port;
    c->sni = q->sni;
    c->is_tls = q->is_tls;
    w->clients = c;
    return client_connect(c, q, port) ? c : NULL;
}

static void client_drop(struct world *w, struct client *c)
{
    struct client **at = &w->clients;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    SSL_free(c->ssl);
    close(c->fd);
    free(c);
}

static void clients_close(struct world *w)
{
    while (w->clients)
        client_drop(w, w->clients);
}

static bool client_send(struct client *c, struct str text)
{
    if (c->ssl)
        return SSL_write(c->ssl, text.p, (int)text.n) == (int)text.n;
    return send(c->fd, text.p, text.n, MSG_NOSIGNAL) == (ssize_t)text.n;
}

static bool client_read(struct client *c)
{
    char *to = c->got + c->n;
    size_t room = sizeof(c->got) - c->n;
    ssize_t got = c->ssl ? SSL_read(c->ssl, to, (int)room) : recv(c->fd, to, room, 0);

    if (got <= 0)
        return false;
    c->n += (size_t)got;
    return true;
}

static struct str field(struct str head, struct str name)
{
    while (str_is_set(head)) {
        struct str line = str_cut(&head, '\n');
        struct str key = str_cut(&line, ':');

        if (str_eq_nocase(key, name) && str_is_set(line))
            return str_trim(str_sub(line, 0, line.n - 1));
    }
    return STR_NONE;
}

static bool client_answer(struct client *c, struct arena *a, struct world_answer *ret)
{
    uint64_t status = 0, length = 0;
    struct str head;
    size_t end;

    for (;;) {
        head = str_make(c->got, c->n);
        end = str_find_str(head, STR("\r\n\r\n"));
        if (end < head.n)
            break;
        if (!client_read(c))
            return false;
    }
    head.n = end + 2;
    CHECK(str_u64(str_sub(head, 9, 3), &status));
    CHECK(!str_is_set(field(head, STR("content-length"))) ||
          str_u64(field(head, STR("content-length")), &length));
    ret->status = (uint16_t)status;
    ret->location = arena_dup(a, field(head, STR("location")));
    while (c->n < end + 4 + length) {
        if (!client_read(c))
            return false;
    }
    c->n -= end + 4 + length;
    memmove(c->got, c->got + end + 4 + length, c->n);
    return true;
}

static struct str request_text(struct arena *a, const struct ask *q, const char *id)
{
    struct str text = arena_printf(a, "%.*s %.*s HTTP/1.1\r\nHost: %.*s\r\nx-n: %s\r\n",
                                   STRF(q->method), STRF(q->target), STRF(q->authority), id);

    for (uint32_t i = 0; i < q->headers.n; i++)
        text = arena_printf(a, "%.*s%.*s: %.*s\r\n", STRF(text), STRF(q->headers.v[i].name),
                            STRF(q->headers.v[i].value));
    if (str_is_set(q->upgrade))
        text = arena_printf(a, "%.*sConnection: upgrade\r\nUpgrade: %.*s\r\n", STRF(text),
                            STRF(q->upgrade));
    return arena_printf(a, "%.*sContent-Length: 0\r\n\r\n", STRF(text));
}

/* As many answers as come; `times` at most. */
static size_t client_ask(struct world *w, struct client *c, struct str text, size_t times,
                         struct world_answer *ret)
{
    size_t answers = 0;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < times; i++)
        buf_add(&b, text);
    if (client_send(c, buf_str(&b))) {
        while (answers < times && client_answer(c, &w->arena, ret))
            answers++;
    }
    buf_fini(&b);
    return answers;
}

void world_ask(struct world *w, const struct ask *q, const char *id, size_t times,
               struct world_answer *ret)
{
    struct str text = request_text(&w->arena, q, id);

    *ret = (struct world_answer){ .closed = true };
    while (times) {
        bool is_fresh;
        struct client *c = client_get(w, q, &is_fresh);
        size_t answers = c ? client_ask(w, c, text, times, ret) : 0;

        times -= answers;
        ret->closed &= !answers;
        if (times)
            client_drop(w, c ? c : w->clients);
        if (is_fresh && !answers)
            return;
    }
}
