#include "event/loop.h"
#include "unit/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t fake_now_ns = 1000000000;

static uint64_t fake_mono(void *arg)
{
    (void)arg;
    return fake_now_ns;
}

static void fake_wait(struct loop *l, int timeout_ms, void *arg)
{
    (void)l;
    (void)arg;
    if (timeout_ms > 0)
        fake_now_ns += (uint64_t)timeout_ms * 1000000;
}

static int fired;

static void on_fire(struct timer *t)
{
    (void)t;
    fired++;
}

TEST(a_timer_fires_at_its_last_deadline_only)
{
    struct loop_env env = { .mono_ns = fake_mono, .wait = fake_wait };
    struct loop *l = loop_new(&env);
    struct timer t;
    uint64_t start = loop_now_ms(l);

    fired = 0;
    timer_init(&t, l, on_fire);
    timer_set(&t, 100);
    timer_set(&t, 500);
    timer_set(&t, 300);
    while (!fired)
        loop_turn(l, -1);
    CHECK_EQ(loop_now_ms(l) - start, 300);
    timer_set(&t, 50);
    timer_off(&t);
    for (int i = 0; i < 3; i++)
        loop_turn(l, 100);
    CHECK_EQ(fired, 1);
    timer_fini(&t);
    loop_free(l);
}

/* A task that takes 2 ms, more than a turn's share for 8 of them. */
static void run_slowly(struct task *t)
{
    (void)t;
    fake_now_ns += 2000000;
}

TEST(the_lag_is_what_ready_tasks_wait)
{
    struct loop_env env = { .mono_ns = fake_mono, .wait = fake_wait };
    struct loop *l = loop_new(&env);
    struct task t[64];

    CHECK_EQ(loop_lag_ns(l), 0);
    for (size_t i = 0; i < LEN(t); i++) {
        task_init(&t[i], l, run_slowly);
        task_wake(&t[i]);
    }
    loop_turn(l, 0); /* runs 8 of them, so the others wait */
    CHECK_EQ(loop_lag_ns(l), 0);
    for (int i = 0; i < 20; i++)
        loop_turn(l, 0);
    CHECK_EQ(loop_lag_ns(l), 0); /* the last turns had nothing to do */
    for (size_t i = 0; i < LEN(t); i++)
        task_wake(&t[i]);
    for (int i = 0; i < 9; i++)
        loop_turn(l, 0);
    CHECK_EQ(loop_lag_ns(l), 128000000); /* 64 tasks of 2 ms */
    task_wake(&t[0]);
    loop_turn(l, 0);
    CHECK_EQ(loop_lag_ns(l), 2000000); /* the whole turn: what woke as it began waited that long */
    loop_free(l);
}

static int runs;

static void run_twice(struct task *t)
{
    if (++runs < 2)
        task_wake(t);
    task_wake(t);
    if (runs >= 2)
        task_cancel(t);
}

TEST(a_woken_task_runs_once_and_may_wake_itself)
{
    struct loop *l = loop_new(NULL);
    struct task t;

    runs = 0;
    task_init(&t, l, run_twice);
    task_wake(&t);
    task_wake(&t);
    loop_turn(l, 0);
    CHECK_EQ(runs, 2);
    loop_free(l);
}

static void count_run(struct task *t)
{
    (void)t;
    runs++;
}

TEST(a_watch_reports_new_readiness_and_hang_up)
{
    struct loop *l = loop_new(NULL);
    int fds[2];
    struct watch w;
    struct task t;

    runs = 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    task_init(&t, l, count_run);
    CHECK(watch_start(&w, l, fds[0], &t));
    loop_turn(l, 0);
    CHECK_EQ(w.ready, READY_WRITE);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    loop_turn(l, 0);
    CHECK(w.ready & READY_READ);
    close(fds[1]);
    loop_turn(l, 0);
    CHECK(w.ready & READY_HUP);
    CHECK_EQ(runs, 3);
    watch_stop(&w);
    close(fds[0]);
    loop_free(l);
}

struct numbered {
    struct mail mail;
    int number;
};

static int next_number;

static void in_order(struct mail *m, struct loop *to)
{
    struct numbered *n = CONTAINER_OF(m, struct numbered, mail);

    if (n->number == next_number)
        next_number++;
    if (next_number == 1000)
        loop_stop(to);
    free(n);
}

static void *post_thousand(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        struct numbered *n = malloc(sizeof(*n));

        n->number = i;
        n->mail.deliver = in_order;
        mail_post(arg, &n->mail);
    }
    return NULL;
}

TEST(mail_of_one_sender_arrives_in_order)
{
    struct loop *l = loop_new(NULL);
    pthread_t thread;

    next_number = 0;
    CHECK_EQ(pthread_create(&thread, NULL, post_thousand, l), 0);
    loop_run(l);
    pthread_join(thread, NULL);
    CHECK_EQ(next_number, 1000);
    loop_free(l);
}
