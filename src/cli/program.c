/*
 * cli/program - the keeper's part: sockets, signals, systemd, and when it is over. It parses
 * nothing from the network.
 */
#include "cli/program_int.h"

#include "base/log.h"
#include "cli/exit.h"
#include "cli/host.h"
#include "cli/input.h"
#include "cli/notify.h"
#include "cli/say.h"
#include "live/host.h"

#include <errno.h>

static void watchdog_due(struct timer *t)
{
    notify_send(STR("WATCHDOG=1"));
    timer_set(t, notify_watchdog_ms());
}

static bool start(struct program *p)
{
    uint32_t adopted;

    if (!signals_start(&p->signals, p->loop, program_signal)) {
        say_err("lateen run: signals: %s\n", strerror(errno));
        return false;
    }
    if (!pages_open(&p->pages, p->o))
        return false;
    adopted = keeper_adopt(p->keeper);
    if (adopted)
        log_info("keeper", "sockets passed by systemd", KVN("count", adopted));
    if (notify_watchdog_ms())
        timer_set(&p->watchdog, notify_watchdog_ms());
    return p->parts->start(p->parts);
}

void program_told(struct program *p)
{
    if (p->state != STARTING) {
        notify_send(STR("READY=1"));
        return;
    }
    p->state = SERVING;
    notify_send(STR("READY=1\nSTATUS=serving"));
}

int program_run(const struct run_options *o, const char *const *argv)
{
    struct program p = { .o = o,
                         .signals = { .fd = -1 },
                         .pages = { .fds = { -1, -1, -1 } },
                         .exit_code = EXIT_FAILED };

    if (!input_keep(o))
        return EXIT_FAILED;
    p.workers = MIN(o->workers ? o->workers : host_cpus(), LIVE_WORKERS_MAX);
    signals_block();
    p.loop = loop_new(NULL);
    p.started_ns = loop_now_ns(p.loop);
    timer_init(&p.watchdog, p.loop, watchdog_due);
    p.keeper = keeper_new(p.workers);
    p.parts = argv ? processes_new(&p, argv) : threads_new(&p);
    if (start(&p))
        loop_run(p.loop);
    signals_stop(&p.signals);
    p.parts->free(p.parts);
    pages_close(&p.pages);
    keeper_free(p.keeper);
    timer_fini(&p.watchdog);
    loop_free(p.loop);
    return p.exit_code;
}
