/*
 * event/loop - a thread's loop: readiness, timers, a run queue and a mailbox.
 *
 * One loop belongs to one thread; only mail_post() may be called from others. Events and
 * timers never act: they note readiness and wake a task. Tasks run from the run queue, one
 * at a time, so nothing re-enters and a task may free itself (style 3.8). Clock and waiting
 * are handed in, so that a simulation can drive both (design 5.9).
 */
#pragma once

#include "base/heap.h"
#include "base/list.h"
#include "event/turns.h"

#include <stdatomic.h>

struct loop;

/* ---- tasks ---- */

struct task {
    struct list node;
    struct loop *loop;
    void (*run)(struct task *t);
};

void task_init(struct task *t, struct loop *loop, void (*run)(struct task *t));
void task_wake(struct task *t);   /* queues it once; harmless while queued */
void task_cancel(struct task *t); /* before its memory goes away */

/* ---- timers: milliseconds of the loop's monotonic clock ---- */

struct timer {
    struct heap_node node; /* key: when the heap looks at it, never after `deadline_ms` */
    struct loop *loop;
    uint64_t deadline_ms; /* 0: off */
    void (*fire)(struct timer *t);
};

void timer_init(struct timer *t, struct loop *loop, void (*fire)(struct timer *t));
/* Fires once, `delay_ms` from now. Moving a deadline further away costs nothing. */
void timer_set(struct timer *t, uint64_t delay_ms);
void timer_off(struct timer *t);  /* costs nothing; the heap forgets it later */
void timer_fini(struct timer *t); /* before its memory goes away */

/* ---- descriptors, edge-triggered, registered once ---- */

enum { READY_READ = 1, READY_WRITE = 2, READY_HUP = 4 /* FIN or error: read to the end */ };

struct watch {
    int fd;            /* -1: none */
    uint8_t ready;     /* READY_*: set by the loop; cleared by whoever met EAGAIN */
    struct task *task; /* woken on every new readiness */
    struct loop *loop;
};

/* Watches `fd` for reading and writing. False: the kernel refused (errno). */
MUST_USE bool watch_start(struct watch *w, struct loop *loop, int fd, struct task *task);
/* A listening socket: only reading; `exclusive` shares it between loops (EPOLLEXCLUSIVE).
 * Level-triggered. */
MUST_USE bool watch_listen(struct watch *w, struct loop *loop, int fd, struct task *task,
                           bool exclusive);
void watch_stop(struct watch *w); /* does not close */

/* ---- mail from other threads ---- */

struct mail {
    struct mail *next;
    /* Runs on the receiving loop's thread; owns the mail from then on. */
    void (*deliver)(struct mail *m, struct loop *to);
};

/* Any thread. Mail of one sender arrives in order. After loop_free it is delivered never. */
void mail_post(struct loop *to, struct mail *m);

/* ---- the loop ---- */

/* What a loop is given: NULL members take the real thing. */
struct loop_env {
    uint64_t (*mono_ns)(void *arg);
    int64_t (*wall_ms)(void *arg);
    uint64_t (*cpu_ns)(void *arg); /* processor time of the thread */
    /* Waits up to `timeout_ms` (-1: for ever) and marks watches ready; instead of epoll. */
    void (*wait)(struct loop *l, int timeout_ms, void *arg);
    void *arg;
};

struct loop *loop_new(const struct loop_env *env); /* env may be NULL; aborts without descriptors */
void loop_free(struct loop *l);
void loop_run(struct loop *l);                   /* until loop_stop */
void loop_turn(struct loop *l, int max_wait_ms); /* one turn; -1: wait for ever */
void loop_stop(struct loop *l);                  /* this thread only */

/* The clock as of this turn. */
uint64_t loop_now_ms(const struct loop *l);
uint64_t loop_now_ns(const struct loop *l);
int64_t loop_wall_ms(const struct loop *l);
/* The clock now: a system call's worth. */
uint64_t loop_clock_ns(const struct loop *l);

/* Called at the end of each turn, before waiting. One per loop. */
void loop_on_idle(struct loop *l, void (*fn)(void *arg), void *arg);

/* How long what is ready waits for the thread, as measured last: by the clock, so that what others
 * take of the processor counts. Told apart from turn to turn; 0 at first. */
uint64_t loop_lag_ns(const struct loop *l);

/* ---- what turns cost ---- */

/* Lives as long as the loop; any thread may read it. */
const struct turns *loop_turns(const struct loop *l);
/* Notes what has run since `from_ns` (loop_clock_ns), for the report of a long turn. `what` is a
 * literal. Costs a look at the clock; for work that may be long. */
void loop_note(struct loop *l, const char *what, uint64_t from_ns);
/* Called at the end of a turn that took more than TURN_LONG_NS of processor time. One per loop. */
void loop_on_long_turn(struct loop *l, void (*fn)(const struct turn_report *r, void *arg),
                       void *arg);

/* Marks a watch ready and wakes its task: for a simulated `wait`. */
void watch_mark(struct watch *w, uint8_t ready);
