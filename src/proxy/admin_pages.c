/*
 * proxy/admin_pages - the table of pages, who may ask for them, and the small ones.
 *
 * A page that changes something is a POST. Browsers let foreign pages send those, so the
 * Host must be loopback (no rebinding of names) and an Origin must be the port's own.
 */
#include "proxy/admin_int.h"

#include "base/jsontext.h"
#include "base/nearest.h"
#include "codec/regex.h"
#include "codec/url.h"
#include "telemetry/telemetry.h"

#include <stdarg.h>

#define TEXT_PLAIN "text/plain; charset=UTF-8"
#define TEXT_HTML "text/html; charset=UTF-8"
#define JSON "application/json"

/* ---- helpers of pages ---- */

void admin_say(struct admin_call *c, uint16_t status, const char *fmt, ...)
{
    va_list args;

    c->status = status;
    c->type = TEXT_PLAIN;
    buf_reset(&c->body);
    va_start(args, fmt);
    buf_vprintf(&c->body, fmt, args);
    va_end(args);
    buf_addc(&c->body, '\n');
}

static int hex_of(char c)
{
    c = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str admin_decode(const struct admin_call *c, struct str raw)
{
    char *out = arena_raw(c->arena, raw.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < raw.n; i++) {
        int high = raw.p[i] == '%' && i + 2 < raw.n ? hex_of(raw.p[i + 1]) : -1;
        int low = high >= 0 ? hex_of(raw.p[i + 2]) : -1;

        out[n++] = (char)(low >= 0 ? high << 4 | low : raw.p[i] == '+' ? ' ' : raw.p[i]);
        i += low >= 0 ? 2 : 0;
    }
    return str_make(out, n);
}

struct str admin_param(const struct admin_call *c, struct str name)
{
    struct str raw = url_query_get(c->query, name);

    return str_is_set(raw) ? admin_decode(c, raw) : STR_NONE;
}

bool admin_has_param(const struct admin_call *c, struct str name)
{
    return url_query_get(c->query, name).p != NULL;
}

bool admin_wants_json(const struct admin_call *c)
{
    return str_eq(admin_param(c, STR("format")), STR("json"));
}

const struct root *admin_root(struct admin_call *c)
{
    const struct admin_host *h = &c->admin->host;
    const struct root *root = h->root ? h->root(h->arg) : NULL;

    if (!root)
        admin_say(c, 503, "no configuration serves yet");
    return root;
}

enum admin_state admin_state_of(const struct admin *a)
{
    enum admin_state state = a->host.state ? a->host.state(a->host.arg) : ADMIN_LIVE;

    return state == ADMIN_LIVE && a->failed ? ADMIN_DRAINING : state;
}

const char *admin_state_name(const struct admin *a)
{
    static const char *const names[] = {
        [ADMIN_STARTING] = "PRE_INITIALIZING",
        [ADMIN_LIVE] = "LIVE",
        [ADMIN_DRAINING] = "DRAINING",
    };

    return names[admin_state_of(a)];
}

static void html_add(struct buf *b, struct str s)
{
    static const struct str marks = STR_INIT("&<>\"'");
    static const char *const names[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

    for (size_t i = 0; i < s.n; i++) {
        size_t at = str_find(marks, s.p[i]);

        if (at < marks.n)
            buf_add(b, str_of(names[at]));
        else
            buf_addc(b, s.p[i]);
    }
}

/* ---- index, help ---- */

static void index_row(struct buf *b, const struct admin_page *p)
{
    buf_add(b, STR("<tr><td>"));
    if (p->is_change && p->answer) {
        buf_add(b, STR("<form method=\"post\" action=\""));
        html_add(b, p->path);
        buf_add(b, STR("\"><button>"));
        html_add(b, p->path);
        buf_add(b, STR("</button></form>"));
    } else if (p->answer) {
        buf_add(b, STR("<a href=\""));
        html_add(b, p->path);
        buf_add(b, STR("\">"));
        html_add(b, p->path);
        buf_add(b, STR("</a>"));
    } else {
        html_add(b, p->path);
    }
    buf_add(b, STR("</td><td>"));
    html_add(b, str_of(p->help));
    buf_add(b, p->answer ? STR("</td></tr>\n") : STR(" (not built yet)</td></tr>\n"));
}

static void page_index(struct admin_call *c)
{
    struct buf *b = &c->body;

    c->type = TEXT_HTML;
    buf_add(b, STR("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                   "<title>Lateen admin</title>\n<style>body{font:16px sans-serif;margin:2em}"
                   "td{padding:.2em 1em .2em 0}form{margin:0}</style></head>\n"
                   "<body><h1>Lateen</h1>\n<p>"));
    html_add(b, str_of(admin_state_name(c->admin)));
    buf_add(b, STR("</p>\n<table>\n"));
    for (size_t i = 0; i < admin_page_count; i++) {
        if (admin_pages[i].port == ADMIN_PAGES && admin_pages[i].path.n > 1)
            index_row(b, &admin_pages[i]);
    }
    buf_add(b, STR("</table></body></html>\n"));
}

static void page_help(struct admin_call *c)
{
    buf_add(&c->body, STR("admin commands are:\n"));
    for (size_t i = 0; i < admin_page_count; i++) {
        const struct admin_page *p = &admin_pages[i];

        if (p->port == ADMIN_PAGES)
            buf_printf(&c->body, "  %.*s%s: %s%s\n", STRF(p->path), p->is_change ? " (POST)" : "",
                       p->help, p->answer ? "" : " (not built yet)");
    }
}

/* ---- state ---- */

static void page_ready(struct admin_call *c)
{
    admin_say(c, admin_state_of(c->admin) == ADMIN_LIVE ? 200 : 503, "%s",
              admin_state_name(c->admin));
}

static void page_healthcheck_fail(struct admin_call *c)
{
    c->admin->failed = true;
    admin_say(c, 200, "OK");
}

static void page_healthcheck_ok(struct admin_call *c)
{
    c->admin->failed = false;
    admin_say(c, 200, "OK");
}

static void not_built(struct admin_call *c)
{
    admin_say(c, 501, "%.*s: not built yet", STRF(c->path));
}

struct drain_wish {
    bool graceful, skip_exit, inbound_only;
};

/* The parameters of Envoy's page; false: one that is not known. */
static bool drain_params(struct admin_call *c, struct drain_wish *ret)
{
    struct str rest = c->query;

    while (str_is_set(rest)) {
        struct str one = str_cut(&rest, '&');

        if (str_eq(one, STR("graceful"))) {
            ret->graceful = true;
        } else if (str_eq(one, STR("skip_exit"))) {
            ret->skip_exit = true;
        } else if (str_eq(one, STR("inboundonly"))) {
            ret->inbound_only = true;
        } else if (one.n) {
            admin_say(c, 501, "/drain_listeners?%.*s: not built yet", STRF(one));
            return false;
        }
    }
    return true;
}

static void page_drain(struct admin_call *c)
{
    const struct admin_host *host = &c->admin->host;
    struct drain_wish wish = { 0 };
    enum admin_drain how = ADMIN_DRAIN_AT_ONCE;

    if (!drain_params(c, &wish))
        return;
    if (!host->drain_listeners) {
        not_built(c);
        return;
    }
    if (wish.skip_exit && !wish.graceful) {
        admin_say(c, 400, "skip_exit requires graceful");
        return;
    }
    if (wish.graceful)
        how = wish.skip_exit ? ADMIN_DRAIN_TELL : ADMIN_DRAIN_GRACEFUL;
    if (!wish.inbound_only) /* a gateway's listeners are not */
        host->drain_listeners(host->arg, how);
    admin_say(c, 200, "OK");
}

static void quit_now(struct admin *a)
{
    a->host.quit(a->host.arg);
}

static void page_quit(struct admin_call *c)
{
    if (!c->admin->host.quit) {
        not_built(c);
        return;
    }
    c->after = quit_now;
    admin_say(c, 200, "OK");
}

static void page_reopen_logs(struct admin_call *c)
{
    if (!c->admin->host.reopen_logs) {
        not_built(c);
        return;
    }
    c->admin->host.reopen_logs(c->admin->host.arg);
    admin_say(c, 200, "OK");
}

/* ---- numbers ---- */

/* Does the request accept that media type, named as such? */
static bool accepts(const struct admin_call *c, struct str type)
{
    struct str value = headers_get(&c->request->headers, HDR_ACCEPT);

    return str_find_str(value, type) < value.n;
}

static bool numbers_more(struct admin_call *c)
{
    return scrape_more(c->page_state, &c->body);
}

static void numbers_end(struct admin_call *c)
{
    scrape_free(c->page_state);
}

static void numbers_answer(struct admin_call *c, enum scrape_form form)
{
    struct scrape_ask ask = { .form = (uint8_t)form,
                              .used_only = admin_has_param(c, STR("usedonly")),
                              .filter = admin_param(c, STR("filter")) };
    struct buf error;

    buf_init(&error, 1000);
    c->page_state = scrape_new(&ask, &error);
    if (c->page_state) {
        c->more = numbers_more;
        c->end = numbers_end;
    } else {
        admin_say(c, 400, "filter: %.*s", STRF(buf_str(&error)));
    }
    buf_fini(&error);
}

static void page_prometheus(struct admin_call *c)
{
    bool openmetrics = accepts(c, STR("application/openmetrics-text"));

    c->type = openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                          : "text/plain; version=0.0.4; charset=utf-8";
    numbers_answer(c, openmetrics ? SCRAPE_OPENMETRICS : SCRAPE_TEXT);
}

static void page_stats(struct admin_call *c)
{
    struct str format = admin_param(c, STR("format"));

    if (str_eq(format, STR("prometheus"))) {
        page_prometheus(c);
    } else if (str_eq(format, STR("json"))) {
        c->type = JSON;
        numbers_answer(c, SCRAPE_STATS_JSON);
    } else if (format.n && !str_eq(format, STR("text"))) {
        admin_say(c, 400, "format is one of text, json, prometheus");
    } else {
        numbers_answer(c, SCRAPE_STATS);
    }
}

/* ---- the table ---- */

#define GET(at, fn, text)                                                                          \
    {                                                                                              \
        STR_INIT(at), ADMIN_PAGES, false, text, fn                                                 \
    }
#define POST(at, fn, text)                                                                         \
    {                                                                                              \
        STR_INIT(at), ADMIN_PAGES, true, text, fn                                                  \
    }

const struct admin_page admin_pages[] = {
    GET("/", page_index, "this page"),
    GET("/help", page_help, "the pages as text"),
    GET("/ready", page_ready, "200 LIVE once the first configuration serves, 503 before and after"),
    GET("/server_info", admin_server_info, "version, state, uptime; which snapshot serves"),
    GET("/stats", page_stats,
        "counters and gauges by Envoy's names; ?filter=REGEX&usedonly&format=json|prometheus"),
    GET("/stats/prometheus", page_prometheus, "all metrics for Prometheus"),
    GET("/listeners", admin_show_listeners, "what is listened on; ?format=json"),
    GET("/clusters", admin_show_clusters, "clusters and their endpoints; ?format=json"),
    GET("/certs", admin_show_certs, "certificates served"),
    GET("/config_dump", admin_show_dump,
        "the snapshot in Envoy's form; ?resource=&name_regex=&include_eds"),
    GET("/memory", admin_memory, "octets of the heap, and what the configuration takes"),
    GET("/connections", admin_connections, "open connections of all workers"),
    GET("/explain", admin_explain, "why a request is answered as it is: ?url=&method=&header="),
    GET("/logging", admin_logging_show, "the level of the program's own log"),
    POST("/logging", admin_logging, "sets it; ?level=debug"),
    POST("/healthcheck/fail", page_healthcheck_fail, "be not ready from now on"),
    POST("/healthcheck/ok", page_healthcheck_ok, "be ready again"),
    POST("/drain_listeners", page_drain,
         "stop accepting, finish what is under way; ?graceful: after --drain-min; "
         "?graceful&skip_exit: only tell clients to go; ?inboundonly: none"),
    POST("/reopen_logs", page_reopen_logs, "open log files again"),
    POST("/quitquitquit", page_quit, "leave now"),
    { STR_INIT("/healthz/ready"), ADMIN_HEALTH, false, "readiness", page_ready },
    { STR_INIT("/stats/prometheus"), ADMIN_METRICS, false, "metrics", page_prometheus },
    /* Envoy's, for those who look for them */
    GET("/contention", NULL, "contention of locks"),
    GET("/hot_restart_version", NULL, "compatibility of upgrades"),
    GET("/init_dump", NULL, "what a start waits for"),
    GET("/runtime", NULL, "runtime values"),
    GET("/stats/recentlookups", NULL, "names looked up"),
    POST("/cpuprofiler", NULL, "profiling"),
    POST("/heapprofiler", NULL, "profiling"),
    POST("/reset_counters", NULL, "counters back to zero"),
    POST("/runtime_modify", NULL, "runtime values"),
    POST("/tap", NULL, "traffic as it passes"),
};
const size_t admin_page_count = LEN(admin_pages);

/* ---- who may ---- */

static bool host_is_loopback(struct str authority)
{
    struct url_authority a;
    struct addr ip;

    if (!url_authority_parse(authority, &a))
        return false;
    if (str_eq_nocase(a.host, STR("localhost")))
        return true;
    if (!addr_parse_ip(a.host, &ip))
        return false;
    if (ip.family == 4)
        return ip.ip[0] == 127;
    return memcmp(ip.ip, (uint8_t[16]){ [15] = 1 }, 16) == 0;
}

/* Our own pages' origin, whatever name of the loopback they were asked by. */
static bool origin_is_own(const struct admin_call *c)
{
    const struct header *h = headers_find(&c->request->headers, HDR_ORIGIN);
    struct str origin = h ? h->value : STR_NONE;

    if (!h)
        return true;
    return headers_count(&c->request->headers, HDR_ORIGIN) == 1 &&
           str_starts_nocase(origin, STR("http://")) &&
           str_eq_nocase(str_from(origin, 7), c->request->authority);
}

static bool change_is_allowed(struct admin_call *c)
{
    if (!str_eq(c->request->method, STR("POST"))) {
        c->allow = STR("POST");
        admin_say(c, 405, "%.*s changes something: POST it", STRF(c->path));
        return false;
    }
    if (!host_is_loopback(c->request->authority)) {
        admin_say(c, 403, "a change needs a loopback Host: localhost, 127.0.0.1 or [::1]");
        return false;
    }
    if (!origin_is_own(c)) {
        admin_say(c, 403, "a change is not taken from another site's page");
        return false;
    }
    return true;
}

static bool read_is_allowed(struct admin_call *c)
{
    struct str method = c->request->method;

    if (str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")))
        return true;
    c->allow = STR("GET, HEAD");
    admin_say(c, 405, "%.*s is read with GET", STRF(c->path));
    return false;
}

/* Where a path has two pages, the one for the method. */
static const struct admin_page *page_of(struct str path, enum admin_port port, bool is_change)
{
    const struct admin_page *found = NULL;

    for (size_t i = 0; i < admin_page_count; i++) {
        const struct admin_page *p = &admin_pages[i];

        if (p->port == port && str_eq(p->path, path) && (!found || p->is_change == is_change))
            found = p;
    }
    return found;
}

static void no_such_page(struct admin_call *c, enum admin_port port)
{
    struct nearest near = { 0 };

    for (size_t i = 0; i < admin_page_count; i++) {
        if (admin_pages[i].port == port)
            nearest_offer(&near, c->path, admin_pages[i].path);
    }
    if (near.name.n > 1)
        admin_say(c, 404, "no such page; did you mean %.*s?%s", STRF(near.name),
                  port == ADMIN_PAGES ? " /help lists them" : "");
    else
        admin_say(c, 404, port == ADMIN_PAGES ? "no such page; /help lists them" : "no such page");
}

void admin_answer(struct admin_call *c, enum admin_port port)
{
    url_path_split(c->request->path, &c->path, &c->query);
    c->page = page_of(c->path, port, str_eq(c->request->method, STR("POST")));
    c->status = 200;
    c->type = TEXT_PLAIN;
    if (!c->page) {
        no_such_page(c, port);
        return;
    }
    if (!(c->page->is_change ? change_is_allowed(c) : read_is_allowed(c)))
        return;
    if (c->page->answer)
        c->page->answer(c);
    else
        not_built(c);
    if (c->body.full)
        admin_say(c, 500, "%.*s: more than 1 GiB", STRF(c->path));
}
