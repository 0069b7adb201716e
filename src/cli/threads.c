/*
 * cli/threads - control and data as threads of this process: without --supervise.
 */
#include "cli/control.h"
#include "cli/data.h"
#include "cli/exit.h"
#include "cli/hooks.h"
#include "cli/program_int.h"

#include <stdlib.h>

struct threads {
    struct parts parts;
    struct data *data;
    struct control *control;
};

/* ---- what control and data tell ---- */

static void control_begin(void *arg, const struct log_wish *wish)
{
    struct threads *t = arg;

    if (!data_begin(t->data, wish))
        program_leave(t->parts.program, EXIT_FAILED);
}

static void control_round(void *arg, uint64_t round)
{
    const struct threads *t = arg;

    data_round(t->data, round);
}

static void control_told(void *arg)
{
    const struct threads *t = arg;

    program_told(t->parts.program);
}

static void control_refused(void *arg)
{
    const struct threads *t = arg;

    program_leave(t->parts.program, EXIT_FAILED);
}

static void data_live(void *arg, uint64_t round)
{
    const struct threads *t = arg;

    control_live(t->control, round);
}

static void data_drained(void *arg)
{
    const struct threads *t = arg;

    program_drained(t->parts.program);
}

static void data_drain_asked(void *arg, bool at_once)
{
    const struct threads *t = arg;

    program_drain(t->parts.program, at_once);
}

static void data_quit_asked(void *arg)
{
    const struct threads *t = arg;

    program_leave(t->parts.program, EXIT_FINE);
}

/* ---- what the keeper asks ---- */

static bool threads_start(struct parts *parts)
{
    struct threads *t = CONTAINER_OF(parts, struct threads, parts);
    struct program *p = parts->program;
    struct data_options data = {
        .run = p->o,
        .loop = p->loop,
        .keeper = p->keeper,
        .workers = p->workers,
        .pages = &p->pages,
        .host = { data_live, data_drained, data_drain_asked, data_quit_asked, .arg = t },
    };
    struct control_options control = {
        .run = p->o,
        .loop = p->loop,
        .keeper = p->keeper,
        .workers = p->workers,
        .started_ns = p->started_ns,
        .host = { control_begin, control_round, control_told, control_refused, t },
    };

    t->data = data_new(&data);
    if (!t->data)
        return false;
    control.feed = data_feed(t->data);
    memcpy(control.page_addrs, p->pages.addrs, sizeof(control.page_addrs));
    t->control = control_new(&control);
    return t->control != NULL;
}

static void threads_rescan(struct parts *parts)
{
    control_rescan(CONTAINER_OF(parts, struct threads, parts)->control);
}

static void threads_reopen(struct parts *parts)
{
    data_reopen(CONTAINER_OF(parts, struct threads, parts)->data);
}

static void threads_drain(struct parts *parts, uint32_t min_ms, uint32_t max_ms)
{
    data_drain(CONTAINER_OF(parts, struct threads, parts)->data, min_ms, max_ms);
}

static void threads_leave(struct parts *parts)
{
    loop_stop(parts->program->loop);
}

static void threads_free(struct parts *parts)
{
    struct threads *t = CONTAINER_OF(parts, struct threads, parts);

    data_stop(t->data);
    control_stop(t->control);
    data_free(t->data);
    control_free(t->control);
    free(t);
}

struct parts *threads_new(struct program *p)
{
    static const struct parts kind = {
        .start = threads_start,
        .rescan = threads_rescan,
        .reopen = threads_reopen,
        .drain = threads_drain,
        .leave = threads_leave,
        .free = threads_free,
    };
    struct threads *t = must_alloc(sizeof(*t));

    hooks_set();
    t->parts = kind;
    t->parts.program = p;
    return &t->parts;
}
