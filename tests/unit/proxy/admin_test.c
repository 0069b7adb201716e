#include "proxy/admin_int.h"

#include "base/log.h"
#include "net/listen.h"
#include "telemetry/telemetry.h"
#include "unit/check.h"
#include "unit/tls/certs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a program to look at ---- */

static struct {
    enum admin_state state;
    struct root *root;
    enum admin_drain how;
    int drains, quits, reopens;
} program;

static enum admin_state program_state(void *arg)
{
    (void)arg;
    return program.state;
}

static const struct root *program_root(void *arg)
{
    (void)arg;
    return program.root;
}

static void program_drain(void *arg, enum admin_drain how)
{
    (void)arg;
    program.drains++;
    program.how = how;
}

static void program_quit(void *arg)
{
    (void)arg;
    program.quits++;
}

static const struct admin_host host = {
    .state = program_state,
    .root = program_root,
    .drain_listeners = program_drain,
    .quit = program_quit,
};

static void put(struct root_edit *e, struct slots *slots, void *part)
{
    struct part *p = part;
    struct str error = STR_NONE;

    p->slot = slots_of(slots, p->kind, p->name);
    CHECK(part_finish(p, &error));
    root_edit_set(e, p);
}

/* People put the key beside the certificate. */
static struct secret *secret_build(void)
{
    struct secret *s = part_new(PART_SECRET, STR("kubernetes://ns/cred"));
    struct cert c = cert_make("a.test", NULL, ISSUE_EC_P256);

    s->key_pem = arena_dup(s->part.arena, buf_str(&c.key_pem));
    s->chain_pem = arena_printf(s->part.arena, "do not show\n%.*s%.*s", STRF(s->key_pem),
                                STRF(buf_str(&c.chain_pem)));
    cert_fini(&c);
    return s;
}

static struct root *root_build(struct slots *slots)
{
    struct root_edit *e = root_edit_new(NULL);
    struct listener *l = part_new(PART_LISTENER, STR("0.0.0.0_8080"));
    struct cluster *c = part_new(PART_CLUSTER, STR("outbound|80||<b>a</b>"));
    struct hosts *h = part_new(PART_HOSTS, STR("outbound|80||<b>a</b>"));

    l->port = 8080;
    part_origin(&l->part, (struct origin){ .kind = ORIGIN_FILE,
                                           .line = 3,
                                           .col = 5,
                                           .file = STR("gw.yaml"),
                                           .object = STR("Gateway ns/gw"),
                                           .path = STR("spec.servers[0]") });
    c->lb = LB_ROUND_ROBIN;
    c->connect_ms = 10000;
    c->hosts = slots_of(slots, PART_HOSTS, h->part.name);
    h->source = STR("EndpointSlice ns/a");
    h->endpoints.v = ARENA_ARRAY(h->part.arena, struct endpoint, 1);
    h->endpoints.n = 1;
    h->endpoints.v[0] = (struct endpoint){ .addr = { 4, 80, { 10, 0, 0, 1 } },
                                           .weight = 1,
                                           .healthy = true,
                                           .workload = STR("a-v1"),
                                           .namespace = STR("ns"),
                                           .version = STR("v1") };
    put(e, slots, l);
    put(e, slots, c);
    put(e, slots, h);
    put(e, slots, secret_build());
    return root_edit_finish(e);
}

/* ---- the rig ---- */

static struct rig {
    struct loop *loop;
    struct slots *slots;
    struct admin *admin;
    uint16_t port[ADMIN_PORTS];
    char answer[1 << 18];
} rig;

static void rig_start(void)
{
    memset(&program, 0, sizeof(program));
    program.state = ADMIN_LIVE;
    rig.slots = slots_new();
    program.root = root_build(rig.slots);
    rig.loop = loop_new(NULL);
    rig.admin = admin_new(rig.loop, &host);
    for (int i = 0; i < ADMIN_PORTS; i++) {
        struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
        int fd;

        CHECK_EQ(listen_open(&at, &fd, 1), ERR_OK);
        CHECK_EQ(admin_serve(rig.admin, (enum admin_port)i, fd), ERR_OK);
        CHECK(at.port != 0);
        rig.port[i] = at.port;
    }
}

static void rig_stop(void)
{
    admin_free(rig.admin);
    loop_free(rig.loop);
    root_unref(program.root);
    slots_free(rig.slots);
}

/* The whole answer to a raw request on one of the ports; the loop runs meanwhile. */
static struct str ask_raw(enum admin_port which, const char *text)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(rig.port[which]) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = 0;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    CHECK_EQ(send(fd, text, strlen(text), 0), strlen(text));
    for (int turn = 0; turn < 500; turn++) {
        ssize_t got = recv(fd, rig.answer + n, sizeof(rig.answer) - n, MSG_DONTWAIT);

        if (got == 0)
            break;
        if (got > 0)
            n += (size_t)got;
        else
            loop_turn(rig.loop, 10);
    }
    close(fd);
    return str_make(rig.answer, n);
}

static struct str ask(enum admin_port which, const char *method, const char *path,
                      const char *headers)
{
    static char text[2048];

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", method, path,
             headers);
    return ask_raw(which, text);
}

#define LOCAL "Host: localhost:15000\r\n"

static struct str get(const char *path)
{
    return ask(ADMIN_PAGES, "GET", path, LOCAL);
}

static int code_of(struct str answer)
{
    uint64_t v = 0;

    return str_starts(answer, STR("HTTP/1.1 ")) && str_u64(str_sub(answer, 9, 3), &v) ? (int)v : -1;
}

/* Of a chunked answer, its chunks put together in place. */
static struct str body_of(struct str answer)
{
    struct str rest = str_from(answer, str_find_str(answer, STR("\r\n\r\n")) + 4);
    char *body = rig.answer + (rest.p - rig.answer);
    size_t n = 0;

    if (str_find_str(answer, STR("transfer-encoding: chunked")) == answer.n)
        return rest;
    while (rest.n) {
        size_t octets = strtoul(str_cut(&rest, '\n').p, NULL, 16);

        memmove(body + n, rest.p, octets);
        n += octets;
        rest = str_from(rest, octets + 2);
    }
    return str_make(body, n);
}

static bool has(struct str text, const char *what)
{
    return str_find_str(text, str_of(what)) < text.n;
}

/* ---- reading ---- */

TEST(every_page_answers_and_those_not_built_say_so)
{
    static const struct {
        const char *path;
        int code;
        const char *type, *part;
    } cases[] = {
        { "/", 200, "text/html", "<a href=\"/config_dump\">" },
        { "/help", 200, "text/plain", "/quitquitquit (POST): leave now\n" },
        { "/ready", 200, "text/plain", "LIVE\n" },
        { "/server_info", 200, "application/json", "\"state\":\"LIVE\"" },
        { "/stats", 200, "text/plain", "server.live: 1\n" },
        { "/stats?filter=^server%5C.l", 200, "text/plain", "server.live: 1\n" },
        { "/stats?filter=(", 400, "text/plain", "filter: " },
        { "/stats?format=json&filter=server.live", 200, "application/json",
          "{\"stats\":[\n{\"name\":\"server.live\",\"value\":1}]}\n" },
        { "/stats?format=xml", 400, "text/plain", "format is one of text, json, prometheus" },
        { "/stats?filter=live&usedonly", 200, "text/plain", "server.live: 1\n" },
        { "/stats?format=prometheus", 200, "text/plain; version=0.0.4", "\nistio_build{" },
        { "/stats/prometheus", 200, "text/plain; version=0.0.4", "# TYPE istio_requests_total" },
        { "/listeners", 200, "text/plain", "0.0.0.0_8080::[::]:8080\n" },
        { "/listeners?format=json", 200, "application/json",
          "{\"listener_statuses\":[{\"name\":\"0.0.0.0_8080\",\"local_address\":{\"socket_"
          "address\":{\"address\":\"::\",\"port_value\":8080}}}]}" },
        { "/clusters", 200, "text/plain",
          "outbound|80||<b>a</b>::endpoints_from::EndpointSlice ns/a\n"
          "outbound|80||<b>a</b>::10.0.0.1:80::rq_active::0\n"
          "outbound|80||<b>a</b>::10.0.0.1:80::health_flags::healthy\n" },
        { "/clusters?format=json", 200, "application/json",
          "\"host_statuses\":[{\"address\":{\"socket_address\":{\"address\":\"10.0.0.1\","
          "\"port_value\":80}},\"stats\":[" },
        { "/certs", 200, "application/json", "{\"certificates\":[" },
        { "/config_dump", 200, "application/json", "envoy.admin.v3.BootstrapConfigDump" },
        { "/config_dump", 200, "application/json",
          "{\"lateen\":{\"object\":\"Gateway ns/gw\",\"field\":\"spec.servers[0]\",\"at\":"
          "\"gw.yaml:3:5\"}}" },
        { "/config_dump?include_eds", 200, "application/json",
          "\"endpoints\":[{\"locality\":{},\"lb_endpoints\":[{\"endpoint\":{\"address\":" },
        { "/config_dump?resource=dynamic_listeners", 200, "application/json",
          "{\"configs\":[\n{\"@type\":\"type.googleapis.com/envoy.admin.v3.ListenersConfigDump."
          "DynamicListener\",\"name\":\"0.0.0.0_8080\",\"active_state\":{" },
        { "/config_dump?resource=dynamic_listeners&name_regex=x.*", 200, "application/json",
          "{\"configs\":[\n]}\n" },
        { "/config_dump?name_regex=(", 400, "text/plain", "name_regex: " },
        { "/config_dump?resource=nothing", 404, "text/plain", "nothing not found in config dump" },
        { "/config_dump?mask=a", 501, "text/plain", "not built yet" },
        { "/server_info", 200, "application/json", "\"snapshot\":{\"generation\":1,\"hash\":\"" },
        { "/logging", 200, "text/plain", "active loggers:\n  all: " },
        { "/memory", 200, "application/json", "{\"allocated\":\"" },
        { "/connections", 501, "text/plain", "/connections: not built yet\n" },
        { "/explain", 501, "text/plain", "/explain: not built yet\n" },
        { "/no<such>", 404, "text/plain", "no such page" },
        { "/cluster", 404, "text/plain", "did you mean /clusters?" },
        { "/healthz/ready", 404, "text/plain", "no such page" }, /* on its own port */
    };

    rig_start();
    for (size_t i = 0; i < LEN(cases); i++) {
        struct str answer = get(cases[i].path);

        CASE(i);
        CHECK_EQ(code_of(answer), cases[i].code);
        CHECK(has(answer, cases[i].type));
        CHECK(has(answer, "x-content-type-options: nosniff\r\n"));
        CHECK(has(body_of(answer), cases[i].part));
    }
    rig_stop();
}

TEST(no_dump_shows_a_key)
{
    rig_start();
    CHECK(has(get("/config_dump"), "\"private_key\":{\"inline_string\":\"[redacted]\"}"));
    CHECK(has(get("/config_dump"), "\"inline_string\":\"-----BEGIN CERTIFICATE-----\\n"));
    for (size_t i = 0; i < admin_page_count; i++) {
        struct str path = admin_pages[i].path;

        CASE(i);
        CHECK(path.n < 100);
        if (!admin_pages[i].is_change)
            CHECK(!has(get(path.p), "do not show") && !has(get(path.p), "PRIVATE KEY"));
    }
    rig_stop();
}

TEST(health_and_metrics_ports_have_their_page_alone)
{
    rig_start();
    CHECK_EQ(code_of(ask(ADMIN_HEALTH, "GET", "/healthz/ready", LOCAL)), 200);
    CHECK_EQ(code_of(ask(ADMIN_HEALTH, "GET", "/config_dump", LOCAL)), 404);
    CHECK_EQ(code_of(ask(ADMIN_HEALTH, "POST", "/quitquitquit", LOCAL)), 404);
    CHECK_EQ(code_of(ask(ADMIN_METRICS, "GET", "/stats/prometheus", LOCAL)), 200);
    CHECK_EQ(code_of(ask(ADMIN_METRICS, "GET", "/", LOCAL)), 404);
    CHECK(has(ask(ADMIN_METRICS, "GET", "/stats/prometheus",
                  LOCAL "Accept: application/openmetrics-text;version=1.0.0,*/*\r\n"),
              "application/openmetrics-text"));
    CHECK(has(buf_str(&(struct buf){ .p = rig.answer, .n = strlen(rig.answer) }), "# EOF\n"));
    rig_stop();
}

TEST(readiness_follows_the_state_and_the_health_check)
{
    static const struct {
        enum admin_state state;
        int code;
        const char *body;
    } cases[] = {
        { ADMIN_STARTING, 503, "PRE_INITIALIZING\n" },
        { ADMIN_LIVE, 200, "LIVE\n" },
        { ADMIN_DRAINING, 503, "DRAINING\n" },
    };

    rig_start();
    for (size_t i = 0; i < LEN(cases); i++) {
        struct str answer;

        CASE(i);
        program.state = cases[i].state;
        answer = ask(ADMIN_HEALTH, "GET", "/healthz/ready", LOCAL);
        CHECK_EQ(code_of(answer), cases[i].code);
        CHECK_STRZ(body_of(answer), cases[i].body);
        CHECK_EQ(code_of(get("/ready")), cases[i].code);
    }
    program.state = ADMIN_LIVE;
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/healthcheck/fail", LOCAL)), 200);
    CHECK_EQ(code_of(get("/ready")), 503);
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/healthcheck/ok", LOCAL)), 200);
    CHECK_EQ(code_of(get("/ready")), 200);
    rig_stop();
}

TEST(before_the_first_configuration_there_is_nothing_to_show)
{
    struct root *root;

    rig_start();
    root = program.root;
    program.root = NULL;
    CHECK_EQ(code_of(get("/config_dump")), 503);
    CHECK_EQ(code_of(get("/clusters")), 503);
    program.root = root;
    rig_stop();
}

TEST(head_has_the_length_and_no_body)
{
    struct str answer;

    rig_start();
    answer = ask(ADMIN_PAGES, "HEAD", "/ready", LOCAL);
    CHECK_EQ(code_of(answer), 200);
    CHECK(has(answer, "content-length: 5\r\n"));
    CHECK_EQ(body_of(answer).n, 0);
    rig_stop();
}

/* ---- changing ---- */

TEST(changes_are_posts_with_a_loopback_host_and_no_foreign_origin)
{
    static const struct {
        const char *method, *headers;
        int code;
    } cases[] = {
        { "POST", "Host: localhost:15000\r\n", 200 },
        { "POST", "Host: LOCALHOST\r\n", 200 },
        { "POST", "Host: 127.0.0.1:15000\r\n", 200 },
        { "POST", "Host: 127.8.9.1\r\n", 200 },
        { "POST", "Host: [::1]:15000\r\n", 200 },
        { "POST", "Host: localhost:1\r\nOrigin: http://localhost:1\r\n", 200 },
        { "POST", "Host: localhost:1\r\nOrigin: http://localhost:2\r\n", 403 },
        { "POST", "Host: localhost:1\r\nOrigin: https://localhost:1\r\n", 403 },
        { "POST", "Host: localhost\r\nOrigin: http://evil.test\r\n", 403 },
        { "POST", "Host: localhost\r\nOrigin: null\r\n", 403 },
        { "POST", "Host: localhost\r\nOrigin: \r\n", 403 },
        { "POST", "Host: evil.test\r\nOrigin: http://evil.test\r\n", 403 },
        { "POST", "Host: evil.test:15000\r\n", 403 },
        { "POST", "Host: localhost.evil.test\r\n", 403 },
        { "POST", "Host: 10.0.0.1:15000\r\n", 403 },
        { "POST", "Host: [::2]:15000\r\n", 403 },
        { "GET", "Host: localhost\r\n", 405 },
        { "HEAD", "Host: localhost\r\n", 405 },
        { "PUT", "Host: localhost\r\n", 405 },
    };

    rig_start();
    for (size_t i = 0; i < LEN(cases); i++) {
        int before = program.drains;

        CASE(i);
        CHECK_EQ(code_of(ask(ADMIN_PAGES, cases[i].method, "/drain_listeners", cases[i].headers)),
                 cases[i].code);
        CHECK_EQ(program.drains - before, cases[i].code == 200);
    }
    rig_stop();
}

TEST(no_get_of_any_page_changes_anything)
{
    static const char *const paths[] = { "/healthcheck/fail", "/drain_listeners", "/quitquitquit",
                                         "/logging?level=debug", "/reopen_logs" };
    enum log_level before = log_threshold;

    rig_start();
    for (size_t i = 0; i < LEN(paths); i++) {
        CASE(i);
        CHECK_EQ(code_of(get(paths[i])), 405);
        CHECK(has(get(paths[i]), "allow: POST\r\n"));
    }
    CHECK_EQ(program.drains + program.quits, 0);
    CHECK_EQ(log_threshold, before);
    CHECK_EQ(code_of(get("/ready")), 200);
    rig_stop();
}

TEST(pages_that_are_read_take_no_post)
{
    rig_start();
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/config_dump", LOCAL)), 405);
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "DELETE", "/", LOCAL)), 405);
    rig_stop();
}

TEST(quit_answers_before_the_program_leaves)
{
    rig_start();
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/quitquitquit", LOCAL)), 200);
    CHECK_EQ(program.quits, 1);
    rig_stop();
}

TEST(the_level_of_the_log_is_set_and_shown)
{
    enum log_level before = log_threshold;

    rig_start();
    CHECK_STRZ(body_of(ask(ADMIN_PAGES, "POST", "/logging?level=debug", LOCAL)),
               "active loggers:\n  all: debug\n");
    CHECK_EQ(log_threshold, LOG_DEBUG);
    CHECK_EQ(code_of(get("/logging?level=error")), 405);
    CHECK_STRZ(body_of(get("/logging")), "active loggers:\n  all: debug\n");
    CHECK_STRZ(body_of(ask(ADMIN_PAGES, "POST", "/logging", LOCAL)),
               "active loggers:\n  all: debug\n");
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/logging?level=loud", LOCAL)), 400);
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/logging?paths=a:b", LOCAL)), 501);
    log_threshold = before;
    rig_stop();
}

TEST(what_a_program_cannot_do_is_501)
{
    rig_start();
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/reopen_logs", LOCAL)), 501);
    CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", "/drain_listeners?slowly", LOCAL)), 501);
    CHECK_EQ(program.drains, 0);
    rig_stop();
}

TEST(listeners_drain_as_envoys_page_asks)
{
    static const struct {
        const char *query;
        int code, drains;
        enum admin_drain how;
    } cases[] = {
        { "", 200, 1, ADMIN_DRAIN_AT_ONCE },
        { "?graceful", 200, 1, ADMIN_DRAIN_GRACEFUL },
        { "?graceful&skip_exit", 200, 1, ADMIN_DRAIN_TELL },
        { "?skip_exit&graceful&", 200, 1, ADMIN_DRAIN_TELL },
        { "?skip_exit", 400, 0, ADMIN_DRAIN_AT_ONCE },
        { "?inboundonly", 200, 0, ADMIN_DRAIN_AT_ONCE },
        { "?inboundonly&graceful", 200, 0, ADMIN_DRAIN_AT_ONCE },
    };
    char path[64];

    rig_start();
    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        program.drains = 0;
        program.how = ADMIN_DRAIN_AT_ONCE;
        snprintf(path, sizeof(path), "/drain_listeners%s", cases[i].query);
        CHECK_EQ(code_of(ask(ADMIN_PAGES, "POST", path, LOCAL)), cases[i].code);
        CHECK_EQ(program.drains, cases[i].drains);
        CHECK_EQ(program.how, cases[i].how);
    }
    rig_stop();
}

TEST(broken_requests_and_bodies_end_in_an_answer)
{
    rig_start();
    CHECK_EQ(code_of(ask_raw(ADMIN_PAGES, "GET / HTTP/1.1\r\nbad header\r\n\r\n")), 400);
    CHECK_EQ(code_of(ask_raw(ADMIN_PAGES, "POST /healthcheck/ok HTTP/1.1\r\nHost: localhost\r\n"
                                          "Content-Length: 3\r\nConnection: close\r\n\r\nabc")),
             200);
    rig_stop();
}

/* An answer larger than any buffer leaves in pieces. */
/* In one turn, with its length, or in several, in chunks. */
TEST(a_large_answer_arrives_whole)
{
    struct metrics *m = metrics_new();
    struct str body;

    rig_start();
    for (int i = 0; i < 300; i++) {
        char name[40];
        struct cluster c = { .part.name = STR_NONE };

        snprintf(name, sizeof(name), "outbound|80||large-%d", i);
        c.part.name = str_of(name);
        metrics_cluster_stat(m, &c, STAT_UPSTREAM_CX_TOTAL, 1);
    }
    body = body_of(get("/stats?filter=large.*upstream_cx_total"));
    for (int i = 0; i < 300; i++) {
        char line[80];
        int n = snprintf(line, sizeof(line), "cluster.outbound|80||large-%d.upstream_cx_total: 1",
                         i);

        CASE(i);
        CHECK_STR(str_cut(&body, '\n'), str_make(line, (size_t)n));
    }
    CHECK_EQ(body.n, 0);
    rig_stop();
    metrics_free(m);
}
