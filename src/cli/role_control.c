/*
 * cli/role_control - the control process: what control tells goes to the keeper, roots as
 * images.
 */
#include "base/log.h"
#include "cli/confine.h"
#include "cli/control.h"
#include "cli/exit.h"
#include "cli/hooks.h"
#include "cli/role_int.h"
#include "cli/sealed.h"
#include "model/image.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct role_control {
    struct station station;
    const struct run_options *o;
    struct feed feed;
    struct keeper *keeper;
    struct control *control;
};

/* ---- roots ---- */

struct image_mail {
    struct mail mail;
    struct role_control *role;
    uint64_t round;
    int fd;
};

static void image_deliver(struct mail *m, struct loop *to)
{
    struct image_mail *im = CONTAINER_OF(m, struct image_mail, mail);
    struct message publish = { .kind = MSG_PUBLISH, .round = im->round };

    (void)to;
    station_tell(&im->role->station, &publish, &im->fd, 1);
    close(im->fd);
    free(im);
}

static void publish_image(struct feed *f, struct root *take_root, uint64_t round)
{
    struct role_control *r = CONTAINER_OF(f, struct role_control, feed);
    struct image_mail *im;
    struct buf octets;
    int fd;

    buf_init(&octets, SIZE_MAX);
    image_write(take_root, &octets);
    root_unref(take_root);
    fd = sealed_new(buf_str(&octets));
    buf_fini(&octets);
    if (fd < 0) {
        log_error("control", "a snapshot cannot be handed over", KVZ("reason", strerror(errno)));
        return;
    }
    im = must_alloc(sizeof(*im));
    *im = (struct image_mail){ { .deliver = image_deliver }, r, round, fd };
    mail_post(r->station.loop, &im->mail);
}

/* ---- what control tells ---- */

static void begin(void *arg, const struct log_wish *wish)
{
    const struct role_control *r = arg;
    struct message m = { .kind = MSG_BEGIN, .number = wish->json };
    struct buf text;
    int fd;

    buf_init(&text, SIZE_MAX);
    buf_add(&text, wish->file);
    buf_addc(&text, '\0');
    buf_add(&text, wish->format);
    fd = sealed_new(buf_str(&text));
    buf_fini(&text);
    MUST(fd >= 0); /* nothing runs without it: the keeper tries again */
    station_tell(&r->station, &m, &fd, 1);
    close(fd);
}

static void round_done(void *arg, uint64_t round)
{
    const struct role_control *r = arg;
    struct message m = { .kind = MSG_ROUND, .round = round };

    station_tell(&r->station, &m, NULL, 0);
}

static void told(void *arg)
{
    const struct role_control *r = arg;
    struct message m = { .kind = MSG_TOLD };

    station_tell(&r->station, &m, NULL, 0);
}

static void refused(void *arg)
{
    struct role_control *r = arg;

    station_leave(&r->station, EXIT_FAILED);
}

/* ---- orders ---- */

static void start(struct role_control *r, const struct message *m)
{
    struct control_options control = {
        .run = r->o,
        .loop = r->station.loop,
        .feed = &r->feed,
        .workers = m->number,
        .started_ns = m->started_ns,
        .rounds_before = m->round,
        .is_back = m->is_back,
        .host = { begin, round_done, told, refused, r },
    };

    memcpy(control.page_addrs, m->addrs, sizeof(control.page_addrs));
    control.keeper = r->keeper = keeper_far(r->station.asks, m->number);
    r->control = control_new(&control);
    if (!r->control)
        station_leave(&r->station, EXIT_FAILED);
}

static void arrived(struct link *l, const struct message *m, struct message_fds *fds)
{
    struct role_control *r = CONTAINER_OF(l, struct role_control, station.orders);

    (void)fds;
    if (m->kind == MSG_START)
        start(r, m);
    else if (m->kind == MSG_STOP)
        station_leave(&r->station, EXIT_FINE);
    else if (r->control && m->kind == MSG_LIVE)
        control_live(r->control, m->round);
    else if (r->control && m->kind == MSG_RESCAN)
        control_rescan(r->control);
}

int role_control_run(const struct role *role, const struct run_options *o)
{
    struct role_control r = { .o = o };

    confine_memory();
    hooks_set();
    r.feed.publish = publish_image;
    r.station.orders.arrived = arrived;
    if (!station_open(&r.station, role))
        return EXIT_FAILED;
    loop_run(r.station.loop);
    control_stop(r.control);
    control_free(r.control);
    keeper_free(r.keeper);
    station_close(&r.station);
    return r.station.exit_code;
}
