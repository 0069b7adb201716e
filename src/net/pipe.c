#include "net/pipe.h"

#include "base/buf.h"

#include <stdlib.h>

#define CAPACITY 65536
#define MEMORY_MAX ((size_t)1 << 30)

struct pipe_end {
    struct transport t;
    struct pipe_end *other; /* NULL once its owner has closed it */
    struct buf in;          /* received */
    struct buf held;        /* written, waiting for flush */
    struct pipe_script script;
    enum err broken;  /* behind what is in `in` */
    bool eof;         /* the other end's FIN, likewise */
    bool finished;    /* ours */
    bool finish_held; /* FIN waits behind `held` */
    bool wants_room;  /* a write said AGAIN */
    bool opens;       /* the next advance opens or fails */
    enum err opens_with;
    uint32_t writes; /* by its owner */
};

static struct pipe_end *end_of(const struct transport *t)
{
    return CONTAINER_OF(t, struct pipe_end, t);
}

static void end_wake(struct pipe_end *p)
{
    if (p && p->t.task)
        task_wake(p->t.task);
}

/* Something new can be read, be it the end. */
static void end_arrived(struct pipe_end *p)
{
    if (!p)
        return;
    p->t.read_drained = false;
    end_wake(p);
}

static enum transport_state pipe_advance(struct transport *t)
{
    struct pipe_end *p = end_of(t);

    if (t->state != TRANSPORT_OPENING || !p->opens)
        return t->state;
    t->state = p->opens_with ? TRANSPORT_FAILED : TRANSPORT_OPEN;
    t->info.failure = p->opens_with;
    if (p->opens_with)
        t->info.failure_text = str_of(err_text(p->opens_with));
    return t->state;
}

static ssize_t read_nothing(struct pipe_end *p)
{
    if (p->broken)
        return -(ssize_t)p->broken;
    return p->eof ? -ERR_EOF : -ERR_AGAIN;
}

static ssize_t pipe_read(struct transport *t, char *into, size_t n)
{
    struct pipe_end *p = end_of(t);
    size_t asked = n;

    if (p->script.read_max)
        n = MIN(n, p->script.read_max);
    n = MIN(n, p->in.n);
    if (n == 0 || t->state != TRANSPORT_OPEN) {
        t->read_drained = true;
        return read_nothing(p);
    }
    memcpy(into, p->in.p, n);
    buf_drop(&p->in, n);
    t->read_drained = n < asked && p->in.n == 0 && !p->eof && !p->broken;
    if (p->other && p->other->wants_room) {
        p->other->wants_room = false;
        end_wake(p->other);
    }
    return (ssize_t)n;
}

/* Octets under way from this end. */
static size_t under_way(const struct pipe_end *p)
{
    return p->held.n + (p->other ? p->other->in.n : 0);
}

static size_t take(struct buf *to, const struct iovec *iov, size_t n, size_t room)
{
    size_t all = 0;

    for (size_t i = 0; i < n && all < room; i++) {
        size_t piece = MIN(iov[i].iov_len, room - all);

        MUST(buf_add(to, str_make(iov[i].iov_base, piece)));
        all += piece;
    }
    return all;
}

static ssize_t pipe_writev(struct transport *t, const struct iovec *iov, size_t n)
{
    struct pipe_end *p = end_of(t);
    size_t used = under_way(p);
    size_t room = p->script.capacity > used ? p->script.capacity - used : 0;
    size_t taken;

    if (t->state == TRANSPORT_OPENING)
        return -ERR_AGAIN;
    if (p->broken || !p->other || p->finished)
        return -(ssize_t)(p->broken ? p->broken : ERR_RESET);
    if (p->script.write_max)
        room = MIN(room, p->script.write_max);
    if (room == 0) {
        p->wants_room = true;
        return -ERR_AGAIN;
    }
    taken = take(p->script.needs_flush ? &p->held : &p->other->in, iov, n, room);
    p->writes++;
    if (!p->script.needs_flush)
        end_arrived(p->other);
    return (ssize_t)taken;
}

static void send_fin(struct pipe_end *p)
{
    p->finish_held = false;
    if (!p->other)
        return;
    p->other->eof = true;
    end_arrived(p->other);
}

static enum err pipe_flush(struct transport *t)
{
    struct pipe_end *p = end_of(t);

    if (p->held.n && (p->broken || !p->other))
        return p->broken ? p->broken : ERR_RESET;
    if (p->held.n) {
        MUST(buf_add(&p->other->in, buf_str(&p->held)));
        buf_reset(&p->held);
        end_arrived(p->other);
    }
    if (p->finish_held)
        send_fin(p);
    return ERR_OK;
}

static void pipe_finish(struct transport *t)
{
    struct pipe_end *p = end_of(t);

    if (p->finished)
        return;
    p->finished = true;
    if (p->held.n)
        p->finish_held = true;
    else
        send_fin(p);
}

static void pipe_close(struct transport *t, bool reset)
{
    struct pipe_end *p = end_of(t);

    if (!reset)
        (void)pipe_flush(t);
    if (p->other) {
        p->other->other = NULL;
        p->other->eof = true;
        if (reset)
            p->other->broken = ERR_RESET;
        end_arrived(p->other);
    }
    buf_fini(&p->in);
    buf_fini(&p->held);
    free(p);
}

static const struct transport_ops pipe_ops = {
    .name = "pipe",
    .advance = pipe_advance,
    .read = pipe_read,
    .writev = pipe_writev,
    .flush = pipe_flush,
    .finish = pipe_finish,
    .close = pipe_close,
};

static struct pipe_end *end_new(struct task *task, uint16_t local, uint16_t remote)
{
    struct pipe_end *p = must_alloc(sizeof(*p));

    p->t.ops = &pipe_ops;
    p->t.state = TRANSPORT_OPEN;
    p->t.task = task;
    p->t.read_drained = true;
    p->t.info.chain = SLOT_NONE;
    p->t.info.local = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = local };
    p->t.info.remote = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = remote };
    p->script.capacity = CAPACITY;
    buf_init(&p->in, MEMORY_MAX);
    buf_init(&p->held, MEMORY_MAX);
    return p;
}

void pipe_pair(struct task *a_task, struct task *b_task, struct transport **ret_a,
               struct transport **ret_b)
{
    struct pipe_end *a = end_new(a_task, 1, 2), *b = end_new(b_task, 2, 1);

    a->other = b;
    b->other = a;
    *ret_a = &a->t;
    *ret_b = &b->t;
}

struct pipe_script *pipe_script(struct transport *t)
{
    return &end_of(t)->script;
}

void pipe_opening(struct transport *t)
{
    t->state = TRANSPORT_OPENING;
    end_of(t)->opens = false;
}

void pipe_opened(struct transport *t, enum err failure)
{
    struct pipe_end *p = end_of(t);

    p->opens = true;
    p->opens_with = failure;
    t->read_drained = p->in.n == 0 && !p->eof;
    end_wake(p);
}

void pipe_break(struct transport *t, enum err e)
{
    end_of(t)->broken = e;
    end_arrived(end_of(t));
}

size_t pipe_waiting(const struct transport *t)
{
    return end_of(t)->in.n;
}

uint32_t pipe_writes(const struct transport *t)
{
    return end_of(t)->writes;
}

bool pipe_is_finished(const struct transport *t)
{
    return end_of(t)->finished && !end_of(t)->finish_held;
}
