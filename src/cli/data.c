#include "cli/data.h"

#include "answer/explain.h"
#include "base/log.h"
#include "cli/expiry.h"
#include "cli/front.h"
#include "cli/host.h"
#include "cli/memory.h"
#include "cli/overload.h"
#include "cli/say.h"
#include "live/crowd.h"
#include "net/net.h"
#include "telemetry/telemetry.h"
#include "telemetry/turns.h"

#include <stdlib.h>

#define TICKETS_ROTATE_MS (6u * 3600 * 1000)

struct data {
    struct data_options o;
    struct arena arena;
    struct front *front;
    struct admin *admin;
    struct access_log *log;
    struct timer tickets;
    struct turns_watch turns;
    struct overload *overload;
    struct expiry *expiry;
    enum admin_state state;
};

/* ---- what the service ports ask ---- */

static enum admin_state host_state(void *arg)
{
    const struct data *d = arg;

    return d->state;
}

static const struct root *host_root(void *arg)
{
    const struct data *d = arg;

    return front_root(d->front);
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

static void data_not_live(struct data *d)
{
    d->state = ADMIN_DRAINING;
    metrics_set_live(false);
}

static void host_drain(void *arg, enum admin_drain how)
{
    struct data *d = arg;

    if (!front_is_started(d->front))
        return;
    if (how != ADMIN_DRAIN_TELL) {
        d->o.host.drain_asked(d->o.host.arg, how == ADMIN_DRAIN_AT_ONCE);
        return;
    }
    data_not_live(d);
    front_tell_to_go(d->front);
}

static void host_quit(void *arg)
{
    const struct data *d = arg;

    d->o.host.quit_asked(d->o.host.arg);
}

static void host_reopen(void *arg)
{
    data_reopen(arg);
}

_Static_assert(MEMORY_ROWS <= ADMIN_MEMORY_ROWS, "a page shows all rows");

static size_t host_memory(void *arg, struct tally ret[ADMIN_MEMORY_ROWS])
{
    (void)arg;
    return memory_rows(ret);
}

static struct worker *host_worker(void *arg, size_t i)
{
    const struct data *d = arg;

    return front_worker(d->front, i);
}

static void host_log_level(void *arg, enum log_level level)
{
    const struct data *d = arg;

    if (d->o.host.log_level)
        d->o.host.log_level(d->o.host.arg, level);
}

static bool pages_serve(struct data *d)
{
    struct admin_host host = {
        .state = host_state,
        .root = host_root,
        .explain = host_explain,
        .drain_listeners = host_drain,
        .quit = host_quit,
        .reopen_logs = host_reopen,
        .memory = host_memory,
        .worker = host_worker,
        .log_level = host_log_level,
        .arg = d,
    };
    bool fine = true;

    d->admin = admin_new(d->o.loop, &host);
    for (enum admin_port which = 0; which < ADMIN_PORTS; which++) {
        int fd = d->o.pages->fds[which];
        enum err e = fd >= 0 ? admin_serve(d->admin, which, fd) : ERR_OK;

        d->o.pages->fds[which] = -1;
        if (e != ERR_OK)
            say_err("lateen run: a service port cannot be served: %s\n", err_text(e));
        fine &= e == ERR_OK;
    }
    return fine;
}

/* ---- the access log ---- */

static const struct log_format *log_format(struct data *d, const struct log_wish *wish)
{
    struct str asked = d->o.run->access_log_format;
    struct str format = asked.n ? asked : wish->format;
    bool json = !asked.n && wish->json;
    const struct log_format *f;
    struct str why;

    if (str_eq(asked, STR("text")) || str_eq(asked, STR("json"))) {
        json = str_eq(asked, STR("json"));
        format = STR_NONE;
    }
    f = log_format_parse(format, json, &d->arena, &why);
    if (!f)
        say_err("lateen run: %.*s\n", STRF(why));
    return f;
}

static struct str log_file(const struct data *d, const struct log_wish *wish)
{
    if (str_eq(d->o.run->access_log, STR("off")))
        return STR("");
    if (str_eq(d->o.run->access_log, STR("-")))
        return STR("/dev/stdout");
    if (d->o.run->access_log.n)
        return d->o.run->access_log;
    return d->o.run->dev ? STR("/dev/stdout") : wish->file;
}

static bool log_open(struct data *d, const struct log_wish *wish)
{
    const struct log_format *format = log_format(d, wish);
    struct str file = log_file(d, wish);
    enum err e;

    if (!format || file.n == 0)
        return format != NULL;
    d->log = access_log_open(file, format, &e);
    if (!d->log)
        say_err("lateen run: access log %.*s: %s\n", STRF(file), err_text(e));
    return d->log != NULL;
}

void data_reopen(struct data *d)
{
    if (d->log)
        access_log_reopen(d->log);
    log_info("run", "log files are opened anew");
}

/* ---- what is served ---- */

static void now_live(struct data *d)
{
    if (d->state == ADMIN_STARTING)
        d->state = ADMIN_LIVE;
}

static void front_live(void *arg, uint64_t round)
{
    struct data *d = arg;

    now_live(d);
    expiry_changed(d->expiry);
    d->o.host.live(d->o.host.arg, round);
}

static void front_drained(void *arg)
{
    struct data *d = arg;

    d->o.host.drained(d->o.host.arg);
}

bool data_begin(struct data *d, const struct log_wish *wish)
{
    if (!log_open(d, wish)) {
        if (!d->o.is_back)
            return false;
        log_error("data", "requests are served and not logged until the next start");
    }
    front_start(d->front, d->log);
    return true;
}

struct feed *data_feed(struct data *d)
{
    return front_feed(d->front);
}

void data_round(struct data *d, uint64_t round)
{
    front_round(d->front, round);
    now_live(d); /* at the start: nothing at all is served */
}

void data_drain(struct data *d, uint32_t min_ms, uint32_t max_ms)
{
    data_not_live(d);
    front_drain(d->front, min_ms, max_ms);
}

/* ---- beginning and end ---- */

static struct str label_of(const struct run_options *o, const char *const *names)
{
    for (; *names; names++) {
        for (size_t i = 0; i < o->labels.n; i++) {
            if (str_eq(o->labels.v[i].key, str_of(*names)))
                return o->labels.v[i].value;
        }
    }
    return STR_NONE;
}

#define LABEL_OF(o, ...) label_of((o), (const char *const[]){ __VA_ARGS__, NULL })

/* The gateway's own side of Istio's metrics: what --labels and --namespace say of it. */
static void metrics_source_set(const struct run_options *o)
{
    struct metrics_source source = {
        .namespace = o->namespace,
        .app = LABEL_OF(o, "app", "app.kubernetes.io/name"),
        .version = LABEL_OF(o, "version", "app.kubernetes.io/version"),
        .canonical_service = LABEL_OF(o, "service.istio.io/canonical-name",
                                      "app.kubernetes.io/name", "app"),
        .canonical_revision = LABEL_OF(o, "service.istio.io/canonical-revision",
                                       "app.kubernetes.io/version", "version"),
    };

    source.workload = source.canonical_service;
    metrics_set_source(&source);
}

static void tickets_due(struct timer *t)
{
    net_tickets_rotate();
    timer_set(t, TICKETS_ROTATE_MS);
}

static void pressure_changed(void *arg)
{
    struct data *d = arg;

    if (d->front)
        front_squeeze(d->front);
}

struct data *data_new(const struct data_options *o)
{
    struct data *d = must_alloc(sizeof(*d));
    struct front_options front = {
        .main = o->loop,
        .keeper = o->keeper,
        .workers = o->workers,
        .max_descriptors = host_descriptors(),
        .live = front_live,
        .drained = front_drained,
        .arg = d,
    };
    struct overload_options overload = {
        .loop = o->loop,
        .limit = o->run->memory_limit,
        .changed = pressure_changed,
        .arg = d,
    };

    d->o = *o;
    arena_init(&d->arena, 4096);
    metrics_source_set(o->run);
    crowd_limit_addresses(o->run->connections_per_address);
    turns_watch(&d->turns, o->loop, "main");
    timer_init(&d->tickets, o->loop, tickets_due);
    tickets_due(&d->tickets);
    d->overload = overload_new(&overload);
    front.memory_limit = overload_limit(d->overload);
    d->front = front_new(&front);
    d->expiry = expiry_new(o->loop, host_root, d);
    if (pages_serve(d))
        return d;
    data_free(d);
    return NULL;
}

void data_stop(struct data *d)
{
    if (!d)
        return;
    front_stop(d->front);
    access_log_close(d->log);
    d->log = NULL;
}

void data_free(struct data *d)
{
    if (!d)
        return;
    expiry_free(d->expiry);
    front_free(d->front);
    admin_free(d->admin);
    overload_free(d->overload);
    timer_fini(&d->tickets);
    turns_unwatch(&d->turns);
    arena_fini(&d->arena);
    free(d);
}
