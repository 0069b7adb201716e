/*
 * cli/processes - control and data as processes, under --supervise: the keeper starts them,
 * passes on what one tells the other, and keeps what a new one needs to go on: listening
 * sockets, service ports, the access log's name and the last snapshot.
 */
#include "cli/child.h"
#include "cli/confine.h"
#include "cli/exit.h"
#include "cli/input.h"
#include "cli/keeper_far.h"
#include "cli/program_int.h"
#include "cli/snapshots.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAVE_MS 10000 /* for a child to end; then it is killed */

struct processes {
    struct parts parts;
    struct child control, data;
    const char *const *argv; /* of control and data, behind the name */
    struct message begin;    /* what data begins with; kind 0: not known yet */
    int begin_fd;
    struct snapshots snapshots;
    uint64_t round; /* the last that control spoke of */
    struct timer leave;
};

static struct program *program_of(const struct processes *ps)
{
    return ps->parts.program;
}

static void tell(struct child *c, enum message_kind kind)
{
    struct message m = { .kind = kind };

    child_send(c, &m, NULL, 0);
}

/* ---- starting ---- */

static bool spawn(struct processes *ps, struct child *c)
{
    if (child_start(c, program_of(ps)->loop, ps->argv))
        return true;
    log_error("keeper", "a process cannot be started", KVZ("process", role_name(c->role)),
              KVZ("reason", strerror(errno)));
    return false;
}

static struct message start_of(const struct processes *ps)
{
    const struct program *p = program_of(ps);
    struct message m = {
        .kind = MSG_START,
        .number = p->workers,
        .round = ps->round,
        .started_ns = p->started_ns,
        .is_back = p->state != STARTING,
        .log_level = log_threshold,
    };

    memcpy(m.addrs, p->pages.addrs, sizeof(m.addrs));
    return m;
}

static bool control_start(struct processes *ps)
{
    struct message m = start_of(ps);

    input_rewind(program_of(ps)->o);
    if (!spawn(ps, &ps->control))
        return false;
    child_send(&ps->control, &m, NULL, 0);
    return true;
}

/* A new one is told all that the one before knew. */
static bool data_start(struct processes *ps)
{
    const struct program *p = program_of(ps);
    struct message m = start_of(ps);
    int fds[ADMIN_PORTS];
    size_t n = 0;

    if (!spawn(ps, &ps->data))
        return false;
    for (size_t i = 0; i < ADMIN_PORTS; i++) {
        if (p->pages.fds[i] >= 0)
            fds[n++] = p->pages.fds[i];
    }
    child_send(&ps->data, &m, fds, n);
    if (!ps->begin.kind)
        return true;
    child_send(&ps->data, &ps->begin, &ps->begin_fd, 1);
    if (ps->snapshots.image >= 0) {
        snapshots_send(&ps->snapshots, &ps->data);
    } else if (ps->round) {
        struct message none = { .kind = MSG_ROUND, .round = ps->round };

        child_send(&ps->data, &none, NULL, 0);
    }
    if (p->state == DRAINING) {
        struct message drain = { .kind = MSG_DRAIN };

        child_send(&ps->data, &drain, NULL, 0);
    }
    return true;
}

/* ---- what they tell ---- */

static void bad_message(struct child *c)
{
    log_error("keeper", "a process says what is no message and is ended",
              KVZ("process", role_name(c->role)));
    child_kill(c);
}

/* A control that is back says it again. */
static void begin_told(struct processes *ps, const struct message *m, struct message_fds *fds)
{
    bool data_knows = ps->begin.kind;

    ps->begin = *m;
    message_file_keep(&ps->begin_fd, fds);
    if (!data_knows)
        child_send(&ps->data, m, &ps->begin_fd, 1);
}

/* Data has them in this order, too. */
static void snapshot_told(struct processes *ps, const struct message *m, struct message_fds *fds)
{
    ps->round = MAX(ps->round, m->round);
    if (m->kind != MSG_WHOLE)
        child_send(&ps->data, m, fds->v, 1);
    if (!snapshots_keep(&ps->snapshots, m, fds))
        bad_message(&ps->control);
}

static void control_told(struct processes *ps, const struct message *m, struct message_fds *fds)
{
    switch (m->kind) {
    case MSG_BEGIN:
        begin_told(ps, m, fds);
        break;
    case MSG_PUBLISH:
    case MSG_CHANGE:
    case MSG_WHOLE:
        snapshot_told(ps, m, fds);
        break;
    case MSG_ROUND:
        ps->round = m->round;
        child_send(&ps->data, m, NULL, 0);
        break;
    default: /* MSG_TOLD */
        ps->control.has_served = true;
        program_told(program_of(ps));
    }
}

static void control_arrived(struct link *l, const struct message *m, struct message_fds *fds)
{
    struct processes *ps = CONTAINER_OF(l, struct processes, control.orders);
    bool has_file = m->kind == MSG_BEGIN || m->kind == MSG_PUBLISH || m->kind == MSG_CHANGE ||
                    m->kind == MSG_WHOLE;

    if (fds->n == has_file && (has_file || m->kind == MSG_ROUND || m->kind == MSG_TOLD))
        control_told(ps, m, fds);
    else
        bad_message(&ps->control);
}

static void log_level_told(struct processes *ps, const struct message *m)
{
    if (m->number > LOG_DEBUG) {
        bad_message(&ps->data);
        return;
    }
    log_level_set(m->number);
    child_send(&ps->control, m, NULL, 0);
}

static void data_arrived(struct link *l, const struct message *m, struct message_fds *fds)
{
    struct processes *ps = CONTAINER_OF(l, struct processes, data.orders);

    (void)fds;
    switch (m->kind) {
    case MSG_LIVE:
        ps->data.has_served = true;
        child_send(&ps->control, m, NULL, 0);
        break;
    case MSG_DRAINED:
        program_drained(program_of(ps));
        break;
    case MSG_DRAIN:
        program_drain(program_of(ps), m->number);
        break;
    case MSG_LOG:
        log_level_told(ps, m);
        break;
    case MSG_QUIT:
        program_leave(program_of(ps), EXIT_FINE);
        break;
    default:
        bad_message(&ps->data);
    }
}

static void control_asks(struct link *l, const struct message *m, struct message_fds *fds)
{
    struct processes *ps = CONTAINER_OF(l, struct processes, control.asks);

    if (!keeper_answer(program_of(ps)->keeper, l->fd, m, fds, true))
        bad_message(&ps->control);
}

static void data_asks(struct link *l, const struct message *m, struct message_fds *fds)
{
    struct processes *ps = CONTAINER_OF(l, struct processes, data.asks);

    if (!keeper_answer(program_of(ps)->keeper, l->fd, m, fds, false))
        bad_message(&ps->data);
}

/* Its own end is met by waitpid(). */
static void control_silent(struct link *l, enum err why)
{
    if (why == ERR_SYNTAX)
        bad_message(&CONTAINER_OF(l, struct processes, control.orders)->control);
}

static void data_silent(struct link *l, enum err why)
{
    if (why == ERR_SYNTAX)
        bad_message(&CONTAINER_OF(l, struct processes, data.orders)->data);
}

static void asks_silent(struct link *l, enum err why)
{
    (void)why; /* a question that is no message is never answered */
    link_close(l);
}

/* ---- their end ---- */

static void start_again(struct processes *ps, struct child *c)
{
    bool fine = c == &ps->data ? data_start(ps) : control_start(ps);

    if (!fine) /* the system has no process or descriptor to give: later */
        timer_set(&c->again,
                  respawn_wait_ms(&c->respawn, loop_now_ms(program_of(ps)->loop), false) + 100);
}

static void control_again(struct timer *t)
{
    struct processes *ps = CONTAINER_OF(t, struct processes, control.again);

    start_again(ps, &ps->control);
}

static void data_again(struct timer *t)
{
    struct processes *ps = CONTAINER_OF(t, struct processes, data.again);

    start_again(ps, &ps->data);
}

static void respawn(struct processes *ps, struct child *c)
{
    uint64_t now_ms = loop_now_ms(program_of(ps)->loop);
    uint64_t wait_ms = respawn_wait_ms(&c->respawn, now_ms, c->has_served);

    if (wait_ms == 0) {
        start_again(ps, c);
        return;
    }
    log_error("keeper", "a process crashes again and again: it is started anew after a wait",
              KVZ("process", role_name(c->role)), KVN("wait_ms", wait_ms));
    timer_set(&c->again, wait_ms);
}

static bool all_gone(const struct processes *ps)
{
    return ps->control.pid == 0 && ps->data.pid == 0;
}

static void ended(struct processes *ps, struct child *c, int status)
{
    struct program *p = program_of(ps);

    child_ended(c);
    if (p->state == LEAVING) {
        if (all_gone(ps))
            loop_stop(p->loop);
        return;
    }
    if (p->state == STARTING && WIFEXITED(status)) { /* it has said why it cannot */
        program_leave(p, EXIT_FAILED);
        return;
    }
    c->crashes++;
    child_say_ended(c, status);
    if (p->state != DRAINING || p->stays)
        respawn(ps, c);
    else if (c == &ps->data) /* nothing is left that could drain */
        program_leave(p, EXIT_FAILED);
}

/* ---- what the keeper asks ---- */

static bool processes_start(struct parts *parts)
{
    struct processes *ps = CONTAINER_OF(parts, struct processes, parts);

    confine_memory(); /* snapshots hold keys */
    return data_start(ps) && control_start(ps);
}

static void processes_rescan(struct parts *parts)
{
    tell(&CONTAINER_OF(parts, struct processes, parts)->control, MSG_RESCAN);
}

static void processes_reopen(struct parts *parts)
{
    tell(&CONTAINER_OF(parts, struct processes, parts)->data, MSG_REOPEN);
}

static void processes_drain(struct parts *parts, uint32_t min_ms, uint32_t max_ms)
{
    struct processes *ps = CONTAINER_OF(parts, struct processes, parts);
    struct message m = { .kind = MSG_DRAIN, .min_ms = min_ms, .max_ms = max_ms };

    child_send(&ps->data, &m, NULL, 0);
}

static void processes_kill(struct processes *ps)
{
    child_kill(&ps->control);
    child_kill(&ps->data);
}

static void leave_due(struct timer *t)
{
    log_warn("keeper", "processes that do not end are killed");
    processes_kill(CONTAINER_OF(t, struct processes, leave));
}

static void processes_leave(struct parts *parts)
{
    struct processes *ps = CONTAINER_OF(parts, struct processes, parts);

    timer_off(&ps->control.again);
    timer_off(&ps->data.again);
    if (all_gone(ps))
        loop_stop(program_of(ps)->loop);
    if (ps->leave.deadline_ms) /* asked again */
        processes_kill(ps);
    tell(&ps->data, MSG_STOP);
    tell(&ps->control, MSG_STOP);
    timer_set(&ps->leave, LEAVE_MS);
}

static void processes_reap(struct parts *parts)
{
    struct processes *ps = CONTAINER_OF(parts, struct processes, parts);
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) { /* as process 1 others' as well */
        if (pid == ps->control.pid)
            ended(ps, &ps->control, status);
        else if (pid == ps->data.pid)
            ended(ps, &ps->data, status);
    }
}

static void processes_free(struct parts *parts)
{
    struct processes *ps = CONTAINER_OF(parts, struct processes, parts);

    child_fini(&ps->control);
    child_fini(&ps->data);
    snapshots_fini(&ps->snapshots);
    timer_fini(&ps->leave);
    if (ps->begin_fd >= 0)
        close(ps->begin_fd);
    free(ps);
}

static void child_init(struct processes *ps, struct child *c, enum role_kind role,
                       void (*again)(struct timer *t))
{
    c->role = role;
    c->orders.fd = c->asks.fd = -1;
    c->asks.ended = asks_silent;
    timer_init(&c->again, program_of(ps)->loop, again);
}

struct parts *processes_new(struct program *p, const char *const *argv)
{
    static const struct parts kind = {
        .start = processes_start,
        .rescan = processes_rescan,
        .reopen = processes_reopen,
        .drain = processes_drain,
        .leave = processes_leave,
        .reap = processes_reap,
        .free = processes_free,
    };
    struct processes *ps = must_alloc(sizeof(*ps));

    ps->parts = kind;
    ps->parts.program = p;
    ps->argv = argv;
    ps->begin_fd = -1;
    snapshots_init(&ps->snapshots);
    child_init(ps, &ps->control, ROLE_CONTROL, control_again);
    child_init(ps, &ps->data, ROLE_DATA, data_again);
    ps->control.orders.arrived = control_arrived;
    ps->control.orders.ended = control_silent;
    ps->control.asks.arrived = control_asks;
    ps->data.orders.arrived = data_arrived;
    ps->data.orders.ended = data_silent;
    ps->data.asks.arrived = data_asks;
    timer_init(&ps->leave, p->loop, leave_due);
    return &ps->parts;
}
