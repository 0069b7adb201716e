/*
 * cli/program_leave - signals, draining and leaving.
 */
#include "cli/program_int.h"

#include "base/log.h"
#include "cli/exit.h"
#include "cli/notify.h"

#include <signal.h>

void program_leave(struct program *p, int exit_code)
{
    p->exit_code = exit_code;
    p->state = LEAVING;
    p->parts->leave(p->parts);
}

void program_drained(struct program *p)
{
    p->is_drained = true;
    if (p->state == DRAINING && !p->stays)
        program_leave(p, EXIT_FINE);
}

void program_drain(struct program *p, bool at_once)
{
    uint64_t min_ms = at_once ? 0 : p->o->drain_min.ms;
    uint64_t max_ms = MAX(p->o->drain.ms, min_ms);

    if (p->state != SERVING)
        return;
    p->state = DRAINING;
    p->stays = true;
    log_info("run", "draining; a second signal leaves at once", KVN("least_ms", min_ms),
             KVN("most_ms", max_ms));
    p->parts->drain(p->parts, (uint32_t)MIN(min_ms, UINT32_MAX), (uint32_t)MIN(max_ms, UINT32_MAX));
}

/* The first signal drains and leaves behind it, the second one leaves at once. */
static void leave_in_order(struct program *p)
{
    bool again = p->state != SERVING && !p->stays;

    notify_send(STR("STOPPING=1"));
    program_drain(p, false);
    p->stays = false;
    if (again || p->is_drained) {
        log_info("run", "leaving at once");
        program_leave(p, EXIT_FINE);
    }
}

static void reload(struct program *p)
{
    notify_reloading();
    p->parts->rescan(p->parts);
}

static void reopen(struct program *p)
{
    p->parts->reopen(p->parts);
}

static void reap(struct program *p)
{
    if (p->parts->reap)
        p->parts->reap(p->parts);
}

static const struct {
    int number;
    const char *name;
    void (*act)(struct program *p); /* NULL: not built yet, or nothing to do */
    bool is_quiet;
} acts[] = {
    { SIGTERM, "SIGTERM", leave_in_order, false },
    { SIGINT, "SIGINT", leave_in_order, false },
    { SIGHUP, "SIGHUP", reload, false },
    { SIGUSR1, "SIGUSR1", reopen, false },
    { SIGCHLD, "SIGCHLD", reap, false },
    { SIGUSR2, "SIGUSR2", NULL, false },
    { SIGQUIT, "SIGQUIT", NULL, false },
    { SIGWINCH, "SIGWINCH", NULL, true }, /* of a terminal: means nothing here */
    { SIGTTIN, "SIGTTIN", NULL, false },
    { SIGTTOU, "SIGTTOU", NULL, false },
};

void program_signal(struct signals *s, int number)
{
    struct program *p = CONTAINER_OF(s, struct program, signals);

    for (size_t i = 0; i < LEN(acts); i++) {
        if (acts[i].number != number)
            continue;
        if (acts[i].act)
            acts[i].act(p);
        else if (!acts[i].is_quiet)
            log_warn("run", "a signal that is not built yet is ignored",
                     KVZ("signal", acts[i].name));
        return;
    }
}
