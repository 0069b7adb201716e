#include "cli/intake.h"

#include "cli/memory.h"
#include "cli/retire.h"
#include "cli/sealed.h"
#include "cli/trim.h"
#include "model/image_reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct intake {
    struct intake_options o;
    pthread_t thread;
    struct loop *loop;
    struct image_reader *reader;
    struct trim trim;
};

struct intake_mail {
    struct mail mail;
    struct intake_options to; /* as the intake's: it may be gone when main is reached */
    struct intake *intake;
    uint64_t round;
    int fd;
};

static void intake_post(struct loop *to, struct intake *in, int fd, uint64_t round,
                        void (*deliver)(struct mail *m, struct loop *to))
{
    struct intake_mail *im = must_alloc(sizeof(*im));

    *im = (struct intake_mail){ { .deliver = deliver }, in->o, in, round, fd };
    mail_post(to, &im->mail);
}

static void octets_deliver(struct intake_mail *im,
                           struct root *(*read)(struct image_reader *r, struct str octets,
                                                struct str *reterr))
{
    struct str octets, err;
    struct tally parts;
    struct root *root;

    MUST(sealed_map(im->fd, &octets));
    root = read(im->intake->reader, octets, &err);
    MUST(root != NULL); /* what control wrote can be read */
    sealed_unmap(octets);
    close(im->fd);
    parts = root_tally(root);
    memory_tell(&parts, 1);
    if (im->round)
        im->to.feed->publish(im->to.feed, root, im->round);
    else
        root_unref(root);
    trim_changed(&im->intake->trim);
    free(im);
}

static void image_deliver(struct mail *m, struct loop *to)
{
    (void)to;
    octets_deliver(CONTAINER_OF(m, struct intake_mail, mail), image_reader_next);
}

static void change_deliver(struct mail *m, struct loop *to)
{
    (void)to;
    octets_deliver(CONTAINER_OF(m, struct intake_mail, mail), image_reader_change);
}

static void round_arrived(struct mail *m, struct loop *main)
{
    struct intake_mail *im = CONTAINER_OF(m, struct intake_mail, mail);

    (void)main;
    im->to.round(im->to.arg, im->round);
    free(im);
}

static void round_deliver(struct mail *m, struct loop *to)
{
    struct intake_mail *im = CONTAINER_OF(m, struct intake_mail, mail);

    (void)to;
    intake_post(im->to.main, im->intake, -1, im->round, round_arrived);
    free(im);
}

static void stop_deliver(struct mail *m, struct loop *to)
{
    free(CONTAINER_OF(m, struct intake_mail, mail));
    loop_stop(to);
}

static void *intake_run(void *arg)
{
    struct intake *in = arg;

    pthread_setname_np(pthread_self(), "lateen-intake");
    loop_run(in->loop);
    return NULL;
}

struct intake *intake_start(const struct intake_options *o)
{
    struct intake *in = must_alloc(sizeof(*in));

    in->o = *o;
    in->loop = loop_new(NULL);
    in->reader = image_reader_new();
    trim_init(&in->trim, in->loop);
    retire_to(in->loop);
    MUST(pthread_create(&in->thread, NULL, intake_run, in) == 0);
    return in;
}

void intake_image(struct intake *in, int take_fd, uint64_t round)
{
    intake_post(in->loop, in, take_fd, round, image_deliver);
}

void intake_change(struct intake *in, int take_fd, uint64_t round)
{
    intake_post(in->loop, in, take_fd, round, change_deliver);
}

void intake_round(struct intake *in, uint64_t round)
{
    intake_post(in->loop, in, -1, round, round_deliver);
}

void intake_stop(struct intake *in)
{
    if (!in)
        return;
    intake_post(in->loop, in, -1, 0, stop_deliver);
    pthread_join(in->thread, NULL);
    retire_stop();
    loop_turn(in->loop, 0); /* what was retired before */
    image_reader_free(in->reader);
    trim_fini(&in->trim);
    loop_free(in->loop);
    free(in);
}
