/*
 * cli/program_start - what stands before the first manifest is read: service ports, the
 * access log, and what --dev brings.
 */
#include "cli/program_int.h"

#include "answer/explain.h"
#include "ca/ca.h"
#include "cli/exit.h"
#include "cli/say.h"
#include "echo/standin.h"
#include "telemetry/telemetry.h"

#define PORT_TRIES 50

/* ---- the service ports ---- */

static const struct {
    const char *flag;
    uint8_t ip[4];
    uint16_t port;
} page_defaults[ADMIN_PORTS] = {
    [ADMIN_PAGES] = { "admin", { 127, 0, 0, 1 }, 15000 },
    [ADMIN_HEALTH] = { "health", { 0, 0, 0, 0 }, 15021 },
    [ADMIN_METRICS] = { "metrics", { 0, 0, 0, 0 }, 15090 },
};

static const struct flag_addr *page_flag(const struct run_options *o, enum admin_port which)
{
    const struct flag_addr *flags[] = {
        [ADMIN_PAGES] = &o->admin, [ADMIN_HEALTH] = &o->health, [ADMIN_METRICS] = &o->metrics
    };

    return flags[which];
}

static struct addr page_default(const struct run_options *o, enum admin_port which)
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };
    struct addr a = { .family = 4, .port = page_defaults[which].port };

    memcpy(a.ip, o->dev ? loopback : page_defaults[which].ip, 4);
    return a;
}

/* In --dev a default port that is taken moves to the next free one (surface.md 2.2). */
static enum err page_listen(struct program *p, enum admin_port which, struct addr *addr, bool moves)
{
    enum err e = admin_listen(p->admin, which, addr);

    for (int i = 0; i < PORT_TRIES && e != ERR_OK && moves; i++) {
        addr->port++;
        e = admin_listen(p->admin, which, addr);
    }
    return e;
}

static bool page_open(struct program *p, enum admin_port which)
{
    const struct flag_addr *flag = page_flag(p->o, which);
    struct addr addr = flag->is_set ? flag->addr : page_default(p->o, which);
    char text[ADDR_TEXT_MAX];
    enum err e;

    if (flag->is_off)
        return true;
    e = page_listen(p, which, &addr, p->o->dev && !flag->is_set);
    if (e != ERR_OK) {
        say_err("lateen run: cannot listen on %.*s: %s; --%s ADDR:PORT binds another, "
                "--%s off none\n",
                STRF(addr_format(&addr, text)), err_text(e), page_defaults[which].flag,
                page_defaults[which].flag);
        return false;
    }
    p->page_addrs[which] = addr;
    return true;
}

static enum admin_state host_state(void *arg)
{
    const struct program *p = arg;

    if (p->state == STARTING)
        return ADMIN_STARTING;
    return p->state == SERVING ? ADMIN_LIVE : ADMIN_DRAINING;
}

static const struct root *host_root(void *arg)
{
    const struct program *p = arg;

    return p->front ? front_root(p->front) : NULL;
}

static bool host_explain(void *arg, const struct admin_question *q, struct buf *out,
                         bool *ret_is_answered)
{
    const struct explanation *x;
    struct ask ask;
    struct str why;

    (void)arg;
    if (!ask_parse(q->method, q->url, q->headers, q->header_count, q->arena, &ask, &why)) {
        buf_add(out, why);
        return false;
    }
    x = explain(q->root, &ask, q->arena);
    (q->json ? explain_json : explain_text)(x, out);
    *ret_is_answered = x->is_answered;
    return true;
}

static void host_drain(void *arg)
{
    program_drain(arg);
}

static void host_quit(void *arg)
{
    program_leave(arg, EXIT_FINE);
}

static void host_reopen(void *arg)
{
    program_reopen(arg);
}

bool program_pages(struct program *p)
{
    struct admin_host host = {
        .state = host_state,
        .root = host_root,
        .explain = host_explain,
        .drain_listeners = host_drain,
        .quit = host_quit,
        .reopen_logs = host_reopen,
        .arg = p,
    };

    p->admin = admin_new(p->loop, &host);
    for (enum admin_port which = 0; which < ADMIN_PORTS; which++) {
        if (!page_open(p, which))
            return false;
    }
    return true;
}

/* ---- the access log ---- */

static const struct log_format *log_format(struct program *p, const struct log_wish *wish)
{
    struct str asked = p->o->access_log_format;
    struct str format = asked.n ? asked : wish->format;
    bool json = !asked.n && wish->json;
    const struct log_format *f;
    struct str why;

    if (str_eq(asked, STR("text")) || str_eq(asked, STR("json"))) {
        json = str_eq(asked, STR("json"));
        format = STR_NONE;
    }
    f = log_format_parse(format, json, p->arena, &why);
    if (!f)
        say_err("lateen run: %.*s\n", STRF(why));
    return f;
}

static struct str log_file(const struct program *p, const struct log_wish *wish)
{
    if (str_eq(p->o->access_log, STR("off")))
        return STR("");
    if (str_eq(p->o->access_log, STR("-")))
        return STR("/dev/stdout");
    if (p->o->access_log.n)
        return p->o->access_log;
    return p->o->dev ? STR("/dev/stdout") : wish->file;
}

bool program_log(struct program *p, const struct log_wish *wish)
{
    const struct log_format *format = log_format(p, wish);
    enum err e;

    if (!format)
        return false;
    p->log_file = arena_dup(p->arena, log_file(p, wish));
    if (p->log_file.n == 0)
        return true;
    p->log = access_log_open(p->log_file, format, &e);
    if (!p->log)
        say_err("lateen run: access log %.*s: %s\n", STRF(p->log_file), err_text(e));
    return p->log != NULL;
}

/* ---- --dev ---- */

bool program_dev(struct program *p)
{
    struct str why;
    enum err e;

    p->ca = ca_open(p->state_dir, loop_wall_ms(p->loop), &e, &why);
    if (!p->ca) {
        say_err("lateen run: the local CA: %.*s\n", STRF(why));
        return false;
    }
    p->ca_path = ca_root_path(p->ca);
    p->standins = standins_new();
    return true;
}
