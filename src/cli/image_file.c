#include "cli/image_file.h"

#include "base/log.h"
#include "cli/file.h"
#include "event/loop.h"
#include "model/image.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define IMAGE_MAX (1u << 30)
#define NICE 10 /* it holds the lock of slot names for moments: not the lowest */

struct image_file {
    pthread_t thread;
    struct loop *loop;
    struct str state_dir;
    _Atomic uint32_t waiting; /* snapshots given and not written yet */
};

struct image_mail {
    struct mail mail;
    struct image_file *file;
    struct root *root; /* NULL: the end */
};

static void save(const struct image_file *f, const struct root *root)
{
    struct arena a;
    struct buf image;

    arena_init(&a, 4096);
    buf_init(&image, IMAGE_MAX);
    image_write(root, &image);
    if (image.full)
        log_warn("state", "the last good configuration is too large to be kept");
    else if (!file_write_atomic(arena_printf(&a, "%.*s/last-good", STRF(f->state_dir)),
                                buf_str(&image)))
        log_warn("state", "the last good configuration cannot be written", KV("dir", f->state_dir),
                 KVZ("reason", strerror(errno)));
    buf_fini(&image);
    arena_fini(&a);
}

static void image_deliver(struct mail *m, struct loop *to)
{
    struct image_mail *im = CONTAINER_OF(m, struct image_mail, mail);

    if (im->root) {
        save(im->file, im->root);
        root_unref(im->root);
        atomic_fetch_sub_explicit(&im->file->waiting, 1, memory_order_relaxed);
    } else {
        loop_stop(to);
    }
    free(im);
}

static void image_post(struct image_file *f, struct root *take_root)
{
    struct image_mail *im = must_alloc(sizeof(*im));

    *im = (struct image_mail){ { .deliver = image_deliver }, f, take_root };
    mail_post(f->loop, &im->mail);
}

static void *image_run(void *arg)
{
    struct image_file *f = arg;

    pthread_setname_np(pthread_self(), "lateen-state");
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    loop_run(f->loop);
    return NULL;
}

struct image_file *image_file_start(struct str state_dir)
{
    struct image_file *f = must_alloc(sizeof(*f));

    f->loop = loop_new(NULL);
    f->state_dir = state_dir;
    MUST(pthread_create(&f->thread, NULL, image_run, f) == 0);
    return f;
}

void image_file_write(struct image_file *f, struct root *take_root)
{
    atomic_fetch_add_explicit(&f->waiting, 1, memory_order_relaxed);
    image_post(f, take_root);
}

bool image_file_is_busy(const struct image_file *f)
{
    return atomic_load_explicit(&f->waiting, memory_order_relaxed) > 0;
}

void image_file_stop(struct image_file *f)
{
    if (!f)
        return;
    image_post(f, NULL);
    pthread_join(f->thread, NULL);
    loop_free(f->loop);
    free(f);
}
