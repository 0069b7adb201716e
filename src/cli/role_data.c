/*
 * cli/role_data - the data process: roots come as images, sockets from the keeper.
 */
#include "cli/confine.h"
#include "cli/data.h"
#include "cli/exit.h"
#include "cli/hooks.h"
#include "cli/input.h"
#include "cli/intake.h"
#include "cli/role_int.h"
#include "cli/sealed.h"

struct role_data {
    struct station station;
    const struct run_options *o;
    struct keeper *keeper;
    struct pages pages;
    struct data *data;
    struct intake *intake;
    bool has_begun;
};

/* ---- what data tells ---- */

static void tell(const struct role_data *r, enum message_kind kind, uint64_t round)
{
    struct message m = { .kind = kind, .round = round };

    station_tell(&r->station, &m, NULL, 0);
}

static void live(void *arg, uint64_t round)
{
    tell(arg, MSG_LIVE, round);
}

static void drained(void *arg)
{
    tell(arg, MSG_DRAINED, 0);
}

static void drain_asked(void *arg, bool at_once)
{
    const struct role_data *r = arg;
    struct message m = { .kind = MSG_DRAIN, .number = at_once };

    station_tell(&r->station, &m, NULL, 0);
}

static void quit_asked(void *arg)
{
    tell(arg, MSG_QUIT, 0);
}

static void log_level(void *arg, enum log_level level)
{
    const struct role_data *r = arg;
    struct message m = { .kind = MSG_LOG, .number = level };

    station_tell(&r->station, &m, NULL, 0);
}

/* ---- orders ---- */

static void round_done(void *arg, uint64_t round)
{
    const struct role_data *r = arg;

    if (r->has_begun)
        data_round(r->data, round);
}

static void pages_take(struct role_data *r, const struct message *m, struct message_fds *fds)
{
    size_t n = 0;

    for (size_t i = 0; i < ADMIN_PORTS; i++) {
        r->pages.addrs[i] = m->addrs[i];
        r->pages.fds[i] = -1;
        if (!addr_is_set(&m->addrs[i]))
            continue;
        MUST(n < fds->n);
        r->pages.fds[i] = fds->v[n];
        fds->v[n++] = -1;
    }
}

static void start(struct role_data *r, const struct message *m, struct message_fds *fds)
{
    struct data_options data = {
        .run = r->o,
        .loop = r->station.loop,
        .workers = m->number,
        .pages = &r->pages,
        .is_back = m->is_back,
        .host = { live, drained, drain_asked, quit_asked, log_level, r },
    };
    struct intake_options intake = { .main = r->station.loop, .round = round_done, .arg = r };

    log_level_set(m->log_level);
    pages_take(r, m, fds);
    data.keeper = r->keeper = keeper_far(r->station.asks, m->number);
    r->data = data_new(&data);
    if (!r->data) {
        station_leave(&r->station, EXIT_FAILED);
        return;
    }
    intake.feed = data_feed(r->data);
    r->intake = intake_start(&intake);
}

static void begin(struct role_data *r, const struct message *m, const struct message_fds *fds)
{
    struct log_wish wish = { .json = m->number };
    struct str text;

    MUST(fds->n == 1 && sealed_map(fds->v[0], &text));
    wish.format = text;
    wish.file = str_cut(&wish.format, '\0');
    r->has_begun = data_begin(r->data, &wish);
    sealed_unmap(text);
    if (!r->has_begun)
        station_leave(&r->station, EXIT_FAILED);
}

static void publish(struct role_data *r, const struct message *m, struct message_fds *fds)
{
    MUST(fds->n == 1);
    (m->kind == MSG_CHANGE ? intake_change : intake_image)(r->intake, fds->v[0], m->round);
    fds->v[0] = -1;
}

static void arrived(struct link *l, const struct message *m, struct message_fds *fds)
{
    struct role_data *r = CONTAINER_OF(l, struct role_data, station.orders);

    if (m->kind == MSG_START)
        start(r, m, fds);
    else if (m->kind == MSG_STOP)
        station_leave(&r->station, EXIT_FINE);
    else if (!r->data)
        return; /* on the way out */
    else if (m->kind == MSG_BEGIN)
        begin(r, m, fds);
    else if (m->kind == MSG_PUBLISH || m->kind == MSG_CHANGE)
        publish(r, m, fds);
    else if (m->kind == MSG_ROUND)
        intake_round(r->intake, m->round);
    else if (m->kind == MSG_DRAIN)
        data_drain(r->data, m->min_ms, m->max_ms);
    else if (m->kind == MSG_REOPEN)
        data_reopen(r->data);
}

int role_data_run(const struct role *role, const struct run_options *o)
{
    struct role_data r = { .o = o };

    confine_memory();
    confine_rights();
    input_drop(); /* manifests, where -f - asked for them */
    hooks_set();
    r.station.orders.arrived = arrived;
    if (!station_open(&r.station, role))
        return EXIT_FAILED;
    loop_run(r.station.loop);
    r.has_begun = false;
    data_stop(r.data);
    intake_stop(r.intake);
    loop_turn(r.station.loop, 0); /* roots that were under way */
    data_free(r.data);
    keeper_free(r.keeper);
    station_close(&r.station);
    return r.station.exit_code;
}
