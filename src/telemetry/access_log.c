/*
 * telemetry/access_log - lines from the workers to one thread that writes them.
 *
 * Each end has two rings of one writer and one reader: full chunks go to the thread, empty
 * ones come back. A worker without a chunk drops its lines and counts them; it never waits.
 */
#include "telemetry/telemetry.h"

#include "telemetry/log_count.h"
#include "telemetry/log_file.h"

#include "base/list.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CHUNK_FULL (32 << 10)     /* octets: handed over at once */
#define CHUNK_KEEP (64 << 10)     /* a chunk that grew beyond is not used again */
#define LINE_MAX_OCTETS (1 << 20) /* longer lines are dropped */
#define CHUNKS_MAX 64             /* of one end: 2 MiB wait at most */
#define RING (CHUNKS_MAX * 2)
#define AGE_MS 100
#define CLOSE_NS UINT64_C(2000000000)

struct log_chunk {
    struct buf text;
    uint32_t lines;
};

/* One writer, one reader. Never full: there are fewer chunks than places. */
struct chunk_ring {
    _Alignas(64) _Atomic uint32_t head; /* the writer's */
    _Alignas(64) _Atomic uint32_t tail; /* the reader's */
    struct log_chunk *at[RING];
};

struct log_writer_end {
    struct access_log *log; /* NULL: nothing is logged */
    struct log_chunk *chunk;
    bool has_age;
    uint64_t born_ms; /* when the waiting lines were first seen by log_end_turn */
    struct chunk_ring full, empty;
    _Atomic uint32_t chunks;
    _Atomic bool closed; /* by the worker; the thread frees the end */
    struct list node;    /* log->ends, under log->lock */
};

struct access_log {
    const struct log_format *format;
    struct log_file file; /* the thread's */
    int wake_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* the list of ends; never taken on the path */
    struct list ends;
    _Atomic bool stop, reopen;
    _Atomic uint64_t deadline_ns;
    _Atomic uint64_t dropped;
};

/* ---- counting ---- */

static _Atomic uint64_t lines_written, lines_dropped;

uint64_t log_lines_written(void)
{
    return atomic_load_explicit(&lines_written, memory_order_relaxed);
}

uint64_t log_lines_dropped(void)
{
    return atomic_load_explicit(&lines_dropped, memory_order_relaxed);
}

static void count_dropped(struct access_log *log, uint64_t lines)
{
    atomic_fetch_add_explicit(&log->dropped, lines, memory_order_relaxed);
    atomic_fetch_add_explicit(&lines_dropped, lines, memory_order_relaxed);
}

uint64_t access_log_dropped(const struct access_log *log)
{
    return atomic_load_explicit(&log->dropped, memory_order_relaxed);
}

/* ---- rings ---- */

static void ring_put(struct chunk_ring *r, struct log_chunk *c)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    r->at[head % RING] = c;
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

static struct log_chunk *ring_take(struct chunk_ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    struct log_chunk *c;

    if (tail == atomic_load_explicit(&r->head, memory_order_acquire))
        return NULL;
    c = r->at[tail % RING];
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return c;
}

static void chunk_free(struct log_chunk *c)
{
    if (!c)
        return;
    buf_fini(&c->text);
    free(c);
}

/* ---- the worker's side ---- */

static struct log_chunk *end_chunk(struct log_writer_end *e)
{
    if (e->chunk)
        return e->chunk;
    e->chunk = ring_take(&e->empty);
    if (!e->chunk && atomic_load_explicit(&e->chunks, memory_order_relaxed) < CHUNKS_MAX) {
        e->chunk = must_alloc(sizeof(*e->chunk));
        buf_init(&e->chunk->text, LINE_MAX_OCTETS);
        atomic_fetch_add_explicit(&e->chunks, 1, memory_order_relaxed);
    }
    return e->chunk;
}

/* False: the line does not fit behind what the chunk holds. */
static bool chunk_add(struct log_chunk *c, const struct log_format *f, const struct record *r)
{
    size_t before = c->text.n;

    log_format_write(f, r, &c->text);
    if (!c->text.full) {
        c->lines++;
        return true;
    }
    c->text.full = false;
    c->text.n = before;
    return false;
}

struct log_writer_end *log_end_new(struct access_log *log)
{
    struct log_writer_end *e = NULL;

    MUST(posix_memalign((void **)&e, _Alignof(struct log_writer_end), sizeof(*e)) == 0);
    memset(e, 0, sizeof(*e));
    e->log = log;
    list_init(&e->node);
    if (!log)
        return e;
    pthread_mutex_lock(&log->lock);
    list_push_back(&log->ends, &e->node);
    pthread_mutex_unlock(&log->lock);
    return e;
}

void log_end_add(struct log_writer_end *e, const struct record *r)
{
    struct log_chunk *c;

    if (!e->log)
        return;
    c = end_chunk(e);
    if (c && !chunk_add(c, e->log->format, r)) {
        log_end_flush(e);
        c = end_chunk(e);
        if (c && !chunk_add(c, e->log->format, r))
            c = NULL;
    }
    if (!c)
        count_dropped(e->log, 1);
    else if (c->text.n >= CHUNK_FULL)
        log_end_flush(e);
}

static void log_wake(struct access_log *log)
{
    /* A counter that cannot be added to is not zero: the thread is awake. */
    (void)!eventfd_write(log->wake_fd, 1);
}

void log_end_flush(struct log_writer_end *e)
{
    e->has_age = false;
    if (!e->log || !e->chunk || e->chunk->text.n == 0)
        return;
    ring_put(&e->full, e->chunk);
    e->chunk = NULL;
    log_wake(e->log);
}

uint32_t log_end_turn(struct log_writer_end *e, uint64_t now_ms)
{
    if (!e->chunk || e->chunk->text.n == 0)
        return 0;
    if (!e->has_age) {
        e->has_age = true;
        e->born_ms = now_ms;
    }
    if (now_ms - e->born_ms < AGE_MS)
        return (uint32_t)(AGE_MS - (now_ms - e->born_ms));
    log_end_flush(e);
    return 0;
}

void log_end_free(struct log_writer_end *e)
{
    struct access_log *log;

    if (!e)
        return;
    log = e->log;
    if (!log) {
        free(e);
        return;
    }
    log_end_flush(e);
    atomic_store_explicit(&e->closed, true, memory_order_release);
    log_wake(log);
}

/* ---- the thread's side ---- */

static uint32_t lines_in(struct str s)
{
    uint32_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

static void write_chunk(struct access_log *log, struct log_chunk *c)
{
    struct str text = buf_str(&c->text);
    size_t done = log_file_write(&log->file, text, &log->deadline_ns);
    uint32_t lines = done == text.n ? c->lines : MIN(lines_in(str_sub(text, 0, done)), c->lines);

    atomic_fetch_add_explicit(&lines_written, lines, memory_order_relaxed);
    if (lines < c->lines)
        count_dropped(log, c->lines - lines);
}

/* Back to the worker, unless it has some already or it grew too large. */
static void chunk_return(struct log_writer_end *e, struct log_chunk *c)
{
    uint32_t waiting = atomic_load_explicit(&e->empty.head, memory_order_relaxed) -
                       atomic_load_explicit(&e->empty.tail, memory_order_relaxed);

    if (c->text.cap > CHUNK_KEEP || waiting >= 2) {
        chunk_free(c);
        atomic_fetch_sub_explicit(&e->chunks, 1, memory_order_relaxed);
        return;
    }
    buf_reset(&c->text);
    c->lines = 0;
    ring_put(&e->empty, c);
}

static void drain_end(struct access_log *log, struct log_writer_end *e)
{
    struct log_chunk *c;

    while ((c = ring_take(&e->full)) != NULL) {
        write_chunk(log, c);
        chunk_return(e, c);
    }
}

static void end_destroy(struct log_writer_end *e)
{
    struct log_chunk *c;

    while ((c = ring_take(&e->empty)) != NULL)
        chunk_free(c);
    chunk_free(e->chunk);
    free(e);
}

static struct log_writer_end *next_end(struct access_log *log, struct log_writer_end *after)
{
    struct list *node;

    pthread_mutex_lock(&log->lock);
    node = after ? after->node.next : log->ends.next;
    pthread_mutex_unlock(&log->lock);
    return node == &log->ends ? NULL : LIST_ITEM(node, struct log_writer_end, node);
}

/* Only this thread takes ends out of the list, so an end stays valid between the locks. */
static void drain_all(struct access_log *log)
{
    struct log_writer_end *e = next_end(log, NULL);

    while (e) {
        bool closed = atomic_load_explicit(&e->closed, memory_order_acquire);
        struct log_writer_end *next;

        drain_end(log, e);
        next = next_end(log, e);
        if (closed) {
            pthread_mutex_lock(&log->lock);
            list_remove(&e->node);
            pthread_mutex_unlock(&log->lock);
            end_destroy(e);
        }
        e = next;
    }
}

static void *log_thread(void *arg)
{
    struct access_log *log = arg;
    bool stop = false;

    while (!stop) {
        struct pollfd p = { .fd = log->wake_fd, .events = POLLIN };
        eventfd_t count;

        if (poll(&p, 1, -1) > 0)
            (void)!eventfd_read(log->wake_fd, &count);
        stop = atomic_load_explicit(&log->stop, memory_order_acquire);
        if (atomic_exchange_explicit(&log->reopen, false, memory_order_acq_rel))
            (void)!log_file_reopen(&log->file);
        drain_all(log);
    }
    return NULL;
}

/* ---- opening and closing ---- */

/* Signals are for main; EPIPE instead of SIGPIPE. */
static bool start_thread(struct access_log *log)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&log->thread, NULL, log_thread, log);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        pthread_setname_np(log->thread, "access-log");
    return !failed;
}

struct access_log *access_log_open(struct str path, const struct log_format *format,
                                   enum err *reterr)
{
    struct access_log *log = must_alloc(sizeof(*log));
    enum err e = log_file_open(&log->file, path);

    log->format = format;
    log->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&log->lock, NULL);
    list_init(&log->ends);
    if (e == ERR_OK && log->wake_fd >= 0 && start_thread(log))
        return log;
    *reterr = e == ERR_OK ? ERR_LIMIT : e;
    log_file_close(&log->file);
    if (log->wake_fd >= 0)
        close(log->wake_fd);
    pthread_mutex_destroy(&log->lock);
    free(log);
    return NULL;
}

void access_log_reopen(struct access_log *log)
{
    atomic_store_explicit(&log->reopen, true, memory_order_release);
    log_wake(log);
}

void access_log_close(struct access_log *log)
{
    if (!log)
        return;
    atomic_store_explicit(&log->deadline_ns, log_clock_ns() + CLOSE_NS, memory_order_relaxed);
    atomic_store_explicit(&log->stop, true, memory_order_release);
    log_wake(log);
    pthread_join(log->thread, NULL);
    MUST(list_is_empty(&log->ends)); /* an end was not freed before */
    log_file_close(&log->file);
    close(log->wake_fd);
    pthread_mutex_destroy(&log->lock);
    free(log);
}
