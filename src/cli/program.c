/*
 * cli/program - main's thread: puts the three parts together (design 2), hears signals,
 * tells people and systemd what happens.
 */
#include "cli/program_int.h"

#include "base/log.h"
#include "ca/ca.h"
#include "cli/exit.h"
#include "cli/file.h"
#include "cli/host.h"
#include "cli/notify.h"
#include "cli/say.h"
#include "echo/standin.h"
#include "filter/filter.h"
#include "live/host.h"
#include "net/net.h"
#include "telemetry/telemetry.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define TICKETS_ROTATE_MS (6u * 3600 * 1000)
#define MESH_CONFIG_MAX (4u << 20)

/* ---- starting ---- */

static void hooks_set(void)
{
    part_hooks.host_get = live_host_get;
    part_hooks.host_unref = live_host_unref;
    part_hooks.block_of_cluster = metrics_block_of_cluster;
    part_hooks.block_of_endpoint = metrics_block_of_endpoint;
    part_hooks.filter_parse = filter_config_parse;
}

static struct str label_of(const struct program *p, const char *const *names)
{
    for (; *names; names++) {
        for (size_t i = 0; i < p->o->labels.n; i++) {
            if (str_eq(p->o->labels.v[i].key, str_of(*names)))
                return p->o->labels.v[i].value;
        }
    }
    return STR_NONE;
}

#define LABEL_OF(p, ...) label_of((p), (const char *const[]){ __VA_ARGS__, NULL })

/* The gateway's own side of Istio's metrics: what --labels and --namespace say of it. */
static void metrics_source_set(const struct program *p)
{
    struct metrics_source source = {
        .namespace = p->o->namespace,
        .app = LABEL_OF(p, "app", "app.kubernetes.io/name"),
        .version = LABEL_OF(p, "version", "app.kubernetes.io/version"),
        .canonical_service = LABEL_OF(p, "service.istio.io/canonical-name",
                                      "app.kubernetes.io/name", "app"),
        .canonical_revision = LABEL_OF(p, "service.istio.io/canonical-revision",
                                       "app.kubernetes.io/version", "version"),
    };

    source.workload = source.canonical_service;
    metrics_set_source(&source);
}

static bool read_mesh_config(struct program *p, struct str *ret)
{
    struct str why;

    *ret = STR_NONE;
    if (!p->o->mesh_config.n)
        return true;
    if (file_read(p->o->mesh_config, MESH_CONFIG_MAX, p->arena, ret, &why))
        return true;
    say_err("lateen run: %.*s: %.*s\n", STRF(p->o->mesh_config), STRF(why));
    return false;
}

static struct str_map labels_map(struct program *p)
{
    const struct flag_pairs *labels = &p->o->labels;
    struct str_map map = { ARENA_ARRAY(p->arena, struct str_entry, labels->n + 1), labels->n };

    for (size_t i = 0; i < labels->n; i++)
        map.v[i] = (struct str_entry){ labels->v[i].key, labels->v[i].value };
    return map;
}

static struct addr bind_of(const struct run_options *o)
{
    if (addr_is_set(&o->bind) || !o->dev)
        return o->bind;
    return (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
}

static void start_front(struct program *p)
{
    struct front_options front = {
        .main = p->loop,
        .keeper = p->keeper,
        .workers = p->workers,
        .max_descriptors = host_descriptors(),
        .live = program_live,
        .drained = program_drained,
        .arg = p,
    };

    p->front = front_new(&front);
    if (str_eq(str_of(getenv("LATEEN_FEED")), STR("image")))
        p->image_feed = feed_image_new(front_feed(p->front));
}

static void start_compiler(struct program *p, struct str mesh_config)
{
    p->compiler_options = (struct compiler_options){
        .run = p->o,
        .labels = labels_map(p),
        .mesh_config = mesh_config,
        .bind = bind_of(p->o),
        .state_dir = p->state_dir,
        .ca_path = p->ca_path,
        .keeper = p->keeper,
        .standins = p->standins,
        .ca = p->ca,
        .feed = p->image_feed ? p->image_feed : front_feed(p->front),
        .main = p->loop,
        .arrived = program_report,
        .arg = p,
    };
    p->compiler = compiler_start(&p->compiler_options);
}

static void watchdog_due(struct timer *t)
{
    notify_send(STR("WATCHDOG=1"));
    timer_set(t, notify_watchdog_ms());
}

static void tickets_due(struct timer *t)
{
    net_tickets_rotate();
    timer_set(t, TICKETS_ROTATE_MS);
}

static bool start(struct program *p)
{
    struct str mesh_config, why;
    uint32_t adopted;

    if (!read_mesh_config(p, &mesh_config))
        return false;
    if (!host_state_dir(p->o->state, p->arena, &p->state_dir, &why)) {
        say_err("lateen run: %.*s\n", STRF(why));
        return false;
    }
    if (!signals_start(&p->signals, p->loop, program_signal)) {
        say_err("lateen run: signals: %s\n", strerror(errno));
        return false;
    }
    if (!program_pages(p) || (p->o->dev && !program_dev(p)))
        return false;
    adopted = keeper_adopt(p->keeper);
    if (adopted)
        log_info("keeper", "sockets passed by systemd", KVN("count", adopted));
    metrics_source_set(p);
    tickets_due(&p->tickets);
    if (notify_watchdog_ms())
        timer_set(&p->watchdog, notify_watchdog_ms());
    start_front(p);
    start_compiler(p, mesh_config);
    return true;
}

/* ---- the end ---- */

static void finish(struct program *p)
{
    signals_stop(&p->signals);
    if (p->front)
        front_stop(p->front);
    access_log_close(p->log);
    compiler_stop(p->compiler);
    loop_turn(p->loop, 0); /* reports and roots that were under way */
    program_forget_reports(p);
    feed_image_free(p->image_feed);
    front_free(p->front);
    standins_free(p->standins);
    admin_free(p->admin);
    ca_free(p->ca);
    keeper_free(p->keeper);
    timer_fini(&p->watchdog);
    timer_fini(&p->tickets);
    turns_unwatch(&p->turns);
    loop_free(p->loop);
}

int program_run(const struct run_options *o, struct arena *arena)
{
    struct program p = { .o = o, .arena = arena, .signals = { .fd = -1 } };

    p.workers = MIN(o->workers ? o->workers : host_cpus(), LIVE_WORKERS_MAX);
    signals_block();
    hooks_set();
    p.loop = loop_new(NULL);
    turns_watch(&p.turns, p.loop, "main");
    p.started_ns = loop_now_ns(p.loop);
    timer_init(&p.watchdog, p.loop, watchdog_due);
    timer_init(&p.tickets, p.loop, tickets_due);
    p.keeper = keeper_new(p.workers);
    p.exit_code = EXIT_FAILED;
    if (start(&p))
        loop_run(p.loop);
    finish(&p);
    return p.exit_code;
}
