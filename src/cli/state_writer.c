#include "cli/state_writer.h"

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

struct state_writer {
    pthread_t thread;
    struct loop *loop;
    struct str dir;
    struct image_sink sink;
    _Atomic uint32_t waiting; /* files given and not written yet */
    atomic_bool failed;
};

struct job {
    struct mail mail;
    struct state_writer *writer;
    struct str name; /* STR_NONE: the end */
    struct root *root;
    struct buf octets; /* where there is no root */
};

/* A file that cannot be removed is one that cannot be written. */
static bool put(const char *path, const struct buf *octets)
{
    if (octets->n)
        return file_write_atomic(str_of(path), buf_str(octets));
    return unlink(path) == 0 || errno == ENOENT;
}

static void write_file(struct state_writer *w, struct job *j)
{
    struct arena a;

    arena_init(&a, 4096);
    if (j->root)
        image_write(j->root, &j->octets);
    if (j->root && !j->octets.full && w->sink.made)
        w->sink.made(w->sink.arg, buf_str(&j->octets), j->root);
    if (j->octets.full ||
        !put(arena_printf(&a, "%.*s/%.*s", STRF(w->dir), STRF(j->name)).p, &j->octets)) {
        log_warn("state", "what was last good cannot be kept", KV("dir", w->dir),
                 KV("file", j->name),
                 KVZ("reason", j->octets.full ? "it is too large" : strerror(errno)));
        atomic_store_explicit(&w->failed, true, memory_order_relaxed);
    }
    arena_fini(&a);
}

static void job_deliver(struct mail *m, struct loop *to)
{
    struct job *j = CONTAINER_OF(m, struct job, mail);

    if (str_is_set(j->name)) {
        write_file(j->writer, j);
        atomic_fetch_sub_explicit(&j->writer->waiting, 1, memory_order_relaxed);
    } else {
        loop_stop(to);
    }
    root_unref(j->root);
    buf_fini(&j->octets);
    free(j);
}

static struct job *job_new(struct state_writer *w, struct str name)
{
    struct job *j = must_alloc(sizeof(*j));

    *j = (struct job){ .mail = { .deliver = job_deliver }, .writer = w, .name = name };
    buf_init(&j->octets, IMAGE_MAX);
    atomic_fetch_add_explicit(&w->waiting, 1, memory_order_relaxed);
    return j;
}

static void *writer_run(void *arg)
{
    struct state_writer *w = arg;

    pthread_setname_np(pthread_self(), "lateen-state");
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    loop_run(w->loop);
    return NULL;
}

struct state_writer *state_writer_start(struct str dir, const struct image_sink *sink)
{
    struct state_writer *w = must_alloc(sizeof(*w));

    w->loop = loop_new(NULL);
    w->dir = dir;
    w->sink = *sink;
    MUST(pthread_create(&w->thread, NULL, writer_run, w) == 0);
    return w;
}

void state_writer_image(struct state_writer *w, struct root *take_root)
{
    struct job *j = job_new(w, STR("last-good"));

    j->root = take_root;
    mail_post(w->loop, &j->mail);
}

void state_writer_octets(struct state_writer *w, struct str name, struct buf *take_octets)
{
    struct job *j = job_new(w, name);

    buf_fini(&j->octets);
    j->octets = *take_octets;
    mail_post(w->loop, &j->mail);
}

bool state_writer_is_busy(const struct state_writer *w)
{
    return atomic_load_explicit(&w->waiting, memory_order_relaxed) > 0;
}

bool state_writer_has_failed(struct state_writer *w)
{
    return atomic_exchange_explicit(&w->failed, false, memory_order_relaxed);
}

void state_writer_stop(struct state_writer *w)
{
    if (!w)
        return;
    mail_post(w->loop, &job_new(w, STR_NONE)->mail);
    pthread_join(w->thread, NULL);
    loop_free(w->loop);
    free(w);
}
