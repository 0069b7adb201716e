#include "event/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 256
/* What may run between two looks at the descriptors: a busy stream cannot starve the others, and
 * what waits for the thread does not wait long. */
#define TASKS_PER_TURN 2048
#define TURN_BUDGET_NS 1000000u
#define TASKS_PER_LOOK 8 /* at the clock */

struct loop {
    struct loop_env env;
    int epoll_fd, mail_fd;
    struct list ready; /* tasks */
    struct heap timers;
    uint64_t now_ns;
    int64_t wall_ms;
    bool stopped;
    void (*on_idle)(void *arg);
    void (*on_long_turn)(const struct turn_report *r, void *arg);
    void *idle_arg, *long_arg;
    struct turn_clock turns;
    struct watch mail_watch;
    struct task mail_task;
    struct task last;     /* stands behind all that waited when it was queued, */
    uint64_t last_ns;     /* and when that was */
    uint64_t last_lag_ns; /* it ran in this turn: how long it waited */
    uint64_t lag_ns;
    _Atomic(struct mail *) mail; /* newest first */
};

static uint64_t real_mono_ns(void *arg)
{
    struct timespec t;

    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t real_cpu_ns(void *arg)
{
    struct timespec t;

    (void)arg;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int64_t real_wall_ms(void *arg)
{
    struct timespec t;

    (void)arg;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- tasks ---- */

void task_init(struct task *t, struct loop *loop, void (*run)(struct task *t))
{
    list_init(&t->node);
    t->loop = loop;
    t->run = run;
}

void task_wake(struct task *t)
{
    if (list_is_empty(&t->node))
        list_push_back(&t->loop->ready, &t->node);
}

void task_cancel(struct task *t)
{
    if (t->loop)
        list_remove(&t->node);
}

static void tasks_run(struct loop *l)
{
    uint32_t n = 0;

    while (n < TASKS_PER_TURN && !list_is_empty(&l->ready)) {
        struct task *t = LIST_ITEM(l->ready.next, struct task, node);

        list_remove(&t->node);
        t->run(t);
        if (++n % TASKS_PER_LOOK == 0 && loop_clock_ns(l) - l->now_ns > TURN_BUDGET_NS)
            break;
    }
    l->turns.tasks = n;
}

/* What it stood behind has run. */
static void last_run(struct task *t)
{
    struct loop *l = CONTAINER_OF(t, struct loop, last);

    l->last_lag_ns = loop_clock_ns(l) - l->last_ns;
}

/* How long tasks wait: those that no turn had time for until they run, and where none is left, what
 * woke meanwhile until now. */
static void lag_measure(struct loop *l, uint64_t clock_ns)
{
    if (list_is_empty(&l->ready))
        l->lag_ns = MAX(clock_ns - l->now_ns, l->last_lag_ns);
    else if (l->last_lag_ns)
        l->lag_ns = l->last_lag_ns;
    l->last_lag_ns = 0;
    if (!list_is_empty(&l->ready) && list_is_empty(&l->last.node)) {
        l->last_ns = l->now_ns;
        task_wake(&l->last);
    }
}

uint64_t loop_lag_ns(const struct loop *l)
{
    return l->lag_ns;
}

/* ---- timers ---- */

void timer_init(struct timer *t, struct loop *loop, void (*fire)(struct timer *t))
{
    *t = (struct timer){ .loop = loop, .fire = fire };
}

void timer_set(struct timer *t, uint64_t delay_ms)
{
    t->deadline_ms = MAX(loop_now_ms(t->loop) + delay_ms, 1);
    if (!heap_has(&t->node) || t->node.key > t->deadline_ms)
        heap_set(&t->loop->timers, &t->node, t->deadline_ms);
}

void timer_off(struct timer *t)
{
    t->deadline_ms = 0;
}

void timer_fini(struct timer *t)
{
    t->deadline_ms = 0;
    if (t->loop)
        heap_remove(&t->loop->timers, &t->node);
}

static void timers_fire(struct loop *l)
{
    uint64_t now = loop_now_ms(l);
    struct heap_node *first;

    while ((first = heap_first(&l->timers)) != NULL && first->key <= now) {
        struct timer *t = CONTAINER_OF(first, struct timer, node);

        if (t->deadline_ms > now) { /* was moved away: look again then */
            heap_set(&l->timers, &t->node, t->deadline_ms);
            continue;
        }
        heap_remove(&l->timers, &t->node);
        if (t->deadline_ms) {
            t->deadline_ms = 0;
            t->fire(t);
        }
    }
}

/* Until the heap is to be looked at. What was moved or switched off since is found out then, not
 * now: most deadlines are moved with each request, and wake the thread in vain once at most. */
static int timers_wait_ms(const struct loop *l)
{
    const struct heap_node *first = heap_first(&l->timers);
    uint64_t now = loop_now_ms(l);

    if (!first)
        return -1;
    return first->key <= now ? 0 : (int)MIN(first->key - now, 3600000);
}

/* ---- watches ---- */

static bool watch_add(struct watch *w, struct loop *loop, int fd, struct task *task,
                      uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = w };

    *w = (struct watch){ .fd = fd, .task = task, .loop = loop };
    if (loop->env.wait)
        return true;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0)
        return true;
    w->fd = -1;
    return false;
}

bool watch_start(struct watch *w, struct loop *loop, int fd, struct task *task)
{
    return watch_add(w, loop, fd, task, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

bool watch_listen(struct watch *w, struct loop *loop, int fd, struct task *task, bool exclusive)
{
    return watch_add(w, loop, fd, task, EPOLLIN | (exclusive ? EPOLLEXCLUSIVE : 0u));
}

void watch_stop(struct watch *w)
{
    if (w->fd < 0 || !w->loop)
        return;
    if (!w->loop->env.wait)
        epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->fd = -1;
    w->ready = 0;
}

void watch_mark(struct watch *w, uint8_t ready)
{
    w->ready |= ready;
    if (w->task)
        task_wake(w->task);
}

static uint8_t ready_of(uint32_t events)
{
    uint8_t ready = 0;

    if (events & EPOLLIN)
        ready |= READY_READ;
    if (events & EPOLLOUT)
        ready |= READY_WRITE;
    if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR))
        ready |= READY_HUP | READY_READ | READY_WRITE;
    return ready;
}

static void epoll_look(struct loop *l, int timeout_ms)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    int n = epoll_wait(l->epoll_fd, events, LEN(events), timeout_ms);

    MUST(n >= 0 || errno == EINTR);
    for (int i = 0; i < n; i++)
        watch_mark(events[i].data.ptr, ready_of(events[i].events));
}

/* ---- mail ---- */

void mail_post(struct loop *to, struct mail *m)
{
    struct mail *head = atomic_load_explicit(&to->mail, memory_order_relaxed);
    uint64_t one = 1;

    do
        m->next = head;
    while (!atomic_compare_exchange_weak_explicit(&to->mail, &head, m, memory_order_release,
                                                  memory_order_relaxed));
    if (head != NULL)
        return;
    while (write(to->mail_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ; /* a full counter wakes as well */
}

static void mail_run(struct task *t)
{
    struct loop *l = CONTAINER_OF(t, struct loop, mail_task);
    struct mail *m, *in_order = NULL;
    uint64_t count;
    ssize_t n = read(l->mail_fd, &count, sizeof(count));

    (void)n;
    m = atomic_exchange_explicit(&l->mail, NULL, memory_order_acquire);
    while (m) {
        struct mail *next = m->next;

        m->next = in_order;
        in_order = m;
        m = next;
    }
    while (in_order) {
        struct mail *next = in_order->next;

        in_order->deliver(in_order, l);
        in_order = next;
    }
}

/* ---- the loop ---- */

static void clock_update(struct loop *l)
{
    l->now_ns = l->env.mono_ns(l->env.arg);
    l->wall_ms = l->env.wall_ms(l->env.arg);
}

struct loop *loop_new(const struct loop_env *env)
{
    struct loop *l = must_alloc(sizeof(*l));

    if (env)
        l->env = *env;
    if (!l->env.mono_ns)
        l->env.mono_ns = real_mono_ns;
    if (!l->env.wall_ms)
        l->env.wall_ms = real_wall_ms;
    l->turns.read_cpu = l->env.cpu_ns ? l->env.cpu_ns : real_cpu_ns;
    l->turns.arg = l->env.arg;
    list_init(&l->ready);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->mail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    MUST(l->epoll_fd >= 0 && l->mail_fd >= 0);
    task_init(&l->mail_task, l, mail_run);
    task_init(&l->last, l, last_run);
    MUST(watch_add(&l->mail_watch, l, l->mail_fd, &l->mail_task, EPOLLIN | EPOLLET));
    clock_update(l);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    heap_fini(&l->timers);
    close(l->epoll_fd);
    close(l->mail_fd);
    free(l);
}

static void loop_wait(struct loop *l, int max_wait_ms)
{
    int timeout = timers_wait_ms(l);

    if (max_wait_ms >= 0 && (timeout < 0 || timeout > max_wait_ms))
        timeout = max_wait_ms;
    if (!list_is_empty(&l->ready))
        timeout = 0;
    if (l->env.wait)
        l->env.wait(l, timeout, l->env.arg);
    else
        epoll_look(l, timeout);
}

void loop_turn(struct loop *l, int max_wait_ms)
{
    struct turn_report report;
    uint64_t clock_ns;

    loop_wait(l, max_wait_ms);
    clock_update(l);
    turn_begin(&l->turns, l->now_ns);
    timers_fire(l);
    tasks_run(l);
    if (l->on_idle)
        l->on_idle(l->idle_arg);
    clock_ns = loop_clock_ns(l);
    lag_measure(l, clock_ns);
    if (turn_end(&l->turns, clock_ns, &report) && l->on_long_turn)
        l->on_long_turn(&report, l->long_arg);
}

void loop_run(struct loop *l)
{
    l->stopped = false;
    while (!l->stopped)
        loop_turn(l, -1);
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
}

uint64_t loop_now_ms(const struct loop *l)
{
    return l->now_ns / 1000000;
}

uint64_t loop_now_ns(const struct loop *l)
{
    return l->now_ns;
}

int64_t loop_wall_ms(const struct loop *l)
{
    return l->wall_ms;
}

uint64_t loop_clock_ns(const struct loop *l)
{
    return l->env.mono_ns(l->env.arg);
}

void loop_on_idle(struct loop *l, void (*fn)(void *arg), void *arg)
{
    l->on_idle = fn;
    l->idle_arg = arg;
}

const struct turns *loop_turns(const struct loop *l)
{
    return &l->turns.seen;
}

void loop_note(struct loop *l, const char *what, uint64_t from_ns)
{
    turn_note(&l->turns, what, loop_clock_ns(l) - from_ns);
}

void loop_on_long_turn(struct loop *l, void (*fn)(const struct turn_report *r, void *arg),
                       void *arg)
{
    l->on_long_turn = fn;
    l->long_arg = arg;
}
