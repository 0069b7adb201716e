/*
 * cli/role_control - the control process: what control tells goes to the keeper, roots as
 * images.
 */
#include "cli/confine.h"
#include "cli/control.h"
#include "cli/exit.h"
#include "cli/hooks.h"
#include "cli/role_int.h"
#include "cli/sealed.h"
#include "model/image.h"

#include <stdlib.h>
#include <unistd.h>

struct role_control {
    struct station station;
    const struct run_options *o;
    struct feed feed;
    struct root *published; /* a reference, the compiler thread's; NULL: nothing yet */
    _Atomic uint64_t whole; /* generation of an image that was sent */
    struct keeper *keeper;
    struct control *control;
};

/* ---- roots ---- */

struct image_mail {
    struct mail mail;
    struct role_control *role;
    struct message message;
    int fd;
};

static void image_deliver(struct mail *m, struct loop *to)
{
    struct image_mail *im = CONTAINER_OF(m, struct image_mail, mail);

    (void)to;
    station_tell(&im->role->station, &im->message, &im->fd, 1);
    close(im->fd);
    free(im);
}

static void image_post(struct role_control *r, enum message_kind kind, const struct root *root,
                       uint64_t round, struct str octets)
{
    struct image_mail *im = must_alloc(sizeof(*im));

    im->mail.deliver = image_deliver;
    im->role = r;
    im->message = (struct message){ .kind = kind,
                                    .round = round,
                                    .generation = root_generation(root) };
    im->fd = sealed_new(octets);
    MUST(im->fd >= 0); /* without memory for it this process cannot go on: the next one tries */
    mail_post(r->station.loop, &im->mail);
}

/* In place of the changes so far, so that a new data process has few to read. Any thread. */
static void image_made(void *arg, struct str octets, const struct root *root)
{
    struct role_control *r = arg;

    image_post(r, MSG_WHOLE, root, 0, octets);
    /* behind it: changes that count from it are to follow it */
    atomic_store_explicit(&r->whole, root_generation(root), memory_order_release);
}

/* Where none comes from the state directory's writer: it lies in another program's hands. */
static void image_make(struct role_control *r)
{
    struct buf octets;

    buf_init(&octets, SIZE_MAX);
    image_write(r->published, &octets);
    image_made(r, buf_str(&octets), r->published);
    buf_fini(&octets);
}

/* What a change costs is what it touches. */
static void publish(struct feed *f, struct root *take_root, uint64_t round)
{
    struct role_control *r = CONTAINER_OF(f, struct role_control, feed);
    struct root *before = r->published;
    struct buf octets;

    buf_init(&octets, SIZE_MAX);
    if (before)
        image_write_change(before, take_root, &octets);
    else
        image_write(take_root, &octets);
    image_post(r, before ? MSG_CHANGE : MSG_PUBLISH, take_root, round, buf_str(&octets));
    buf_fini(&octets);
    root_unref(before);
    r->published = take_root;
    if (!before)
        atomic_store_explicit(&r->whole, root_generation(take_root), memory_order_relaxed);
    else if (root_generation(take_root) - r->whole >= LINK_CHANGES_MAX)
        image_make(r);
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
    MUST(fd >= 0);
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
        .images = { image_made, r },
        .workers = m->number,
        .started_ns = m->started_ns,
        .rounds_before = m->round,
        .is_back = m->is_back,
        .host = { begin, round_done, told, refused, r },
    };

    log_level_set(m->log_level);
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
    else if (m->kind == MSG_LOG)
        log_level_set(m->number);
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
    r.feed.publish = publish;
    r.station.orders.arrived = arrived;
    if (!station_open(&r.station, role))
        return EXIT_FAILED;
    loop_run(r.station.loop);
    control_stop(r.control);
    root_unref(r.published);
    control_free(r.control);
    keeper_free(r.keeper);
    station_close(&r.station);
    return r.station.exit_code;
}
