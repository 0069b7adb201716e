#include "net/net.h"
#include "net/pipe.h"
#include "unit/check.h"

/* Two ends and how often each was woken. */
struct pair {
    struct loop *loop;
    struct task tasks[2];
    int runs[2];
    struct transport *a, *b;
};

static void a_ran(struct task *t)
{
    CONTAINER_OF(t, struct pair, tasks[0])->runs[0]++;
}

static void b_ran(struct task *t)
{
    CONTAINER_OF(t, struct pair, tasks[1])->runs[1]++;
}

static void pair_init(struct pair *p)
{
    *p = (struct pair){ .loop = loop_new(NULL) };
    task_init(&p->tasks[0], p->loop, a_ran);
    task_init(&p->tasks[1], p->loop, b_ran);
    pipe_pair(&p->tasks[0], &p->tasks[1], &p->a, &p->b);
}

static void pair_fini(struct pair *p)
{
    transport_close(p->a, false);
    transport_close(p->b, false);
    task_cancel(&p->tasks[0]);
    task_cancel(&p->tasks[1]);
    loop_free(p->loop);
}

static ssize_t put(struct transport *t, struct str s)
{
    struct iovec iov = { (char *)(uintptr_t)s.p, s.n };

    return t->ops->writev(t, &iov, 1);
}

static ssize_t get(struct transport *t, char *into, size_t n)
{
    return t->ops->read(t, into, n);
}

TEST(a_pipe_carries_octets_and_wakes)
{
    struct pair p;
    char in[16];

    pair_init(&p);
    CHECK(p.b->read_drained);
    CHECK_EQ(put(p.a, STR("hello")), 5);
    CHECK(!p.b->read_drained);
    loop_turn(p.loop, 0);
    CHECK_EQ(p.runs[1], 1);
    CHECK_EQ(get(p.b, in, 3), 3);
    CHECK(!p.b->read_drained);
    CHECK_EQ(get(p.b, in, sizeof(in)), 2);
    CHECK(p.b->read_drained);
    CHECK_EQ(get(p.b, in, sizeof(in)), -ERR_AGAIN);
    pair_fini(&p);
}

TEST(a_pipes_reads_and_writes_are_as_short_as_scripted)
{
    struct pair p;
    char in[16];

    pair_init(&p);
    pipe_script(p.a)->write_max = 2;
    pipe_script(p.b)->read_max = 1;
    CHECK_EQ(put(p.a, STR("hello")), 2);
    CHECK_EQ(get(p.b, in, sizeof(in)), 1);
    CHECK(!p.b->read_drained);
    CHECK_EQ(get(p.b, in, sizeof(in)), 1);
    pipe_script(p.a)->capacity = 3;
    CHECK_EQ(put(p.a, STR("ab")), 2);
    CHECK_EQ(put(p.a, STR("cd")), 1);
    CHECK_EQ(put(p.a, STR("d")), -ERR_AGAIN);
    loop_turn(p.loop, 0);
    CHECK_EQ(p.runs[0], 0);
    CHECK_EQ(get(p.b, in, sizeof(in)), 1);
    loop_turn(p.loop, 0);
    CHECK_EQ(p.runs[0], 1);
    CHECK_EQ(put(p.a, STR("d")), 1);
    pair_fini(&p);
}

TEST(a_pipe_ends_halves_and_breaks_like_a_socket)
{
    struct pair p;
    char in[16];

    pair_init(&p);
    CHECK_EQ(put(p.a, STR("x")), 1);
    p.a->ops->finish(p.a);
    CHECK(pipe_is_finished(p.a));
    CHECK_EQ(get(p.b, in, sizeof(in)), 1);
    CHECK(!p.b->read_drained);
    CHECK_EQ(get(p.b, in, sizeof(in)), -ERR_EOF);
    CHECK_EQ(put(p.b, STR("still")), 5);
    CHECK_EQ(get(p.a, in, sizeof(in)), 5);
    transport_close(p.b, true);
    p.b = NULL;
    CHECK_EQ(get(p.a, in, sizeof(in)), -ERR_RESET);
    CHECK_EQ(put(p.a, STR("x")), -ERR_RESET);
    pair_fini(&p);

    pair_init(&p);
    CHECK_EQ(put(p.a, STR("x")), 1);
    pipe_break(p.b, ERR_TIMEOUT);
    CHECK_EQ(put(p.b, STR("x")), -ERR_TIMEOUT);
    CHECK_EQ(get(p.b, in, sizeof(in)), 1);
    CHECK_EQ(get(p.b, in, sizeof(in)), -ERR_TIMEOUT);
    pair_fini(&p);
}

TEST(what_a_pipe_holds_waits_for_flush)
{
    struct pair p;

    pair_init(&p);
    pipe_script(p.a)->needs_flush = true;
    CHECK_EQ(put(p.a, STR("abc")), 3);
    CHECK_EQ(pipe_waiting(p.b), 0);
    p.a->ops->finish(p.a);
    CHECK(!pipe_is_finished(p.a));
    CHECK_EQ(p.a->ops->flush(p.a), ERR_OK);
    CHECK_EQ(pipe_waiting(p.b), 3);
    CHECK(pipe_is_finished(p.a));
    pair_fini(&p);
}

TEST(a_pipe_opens_or_fails_when_told)
{
    static const enum err ends[] = { ERR_OK, ERR_REFUSED };

    for (size_t i = 0; i < LEN(ends); i++) {
        struct pair p;

        CASE(i);
        pair_init(&p);
        pipe_opening(p.a);
        CHECK_EQ(p.a->ops->advance(p.a), TRANSPORT_OPENING);
        CHECK_EQ(put(p.a, STR("x")), -ERR_AGAIN);
        pipe_opened(p.a, ends[i]);
        loop_turn(p.loop, 0);
        CHECK_EQ(p.runs[0], 1);
        CHECK_EQ(p.a->ops->advance(p.a), ends[i] ? TRANSPORT_FAILED : TRANSPORT_OPEN);
        CHECK_EQ(p.a->info.failure, ends[i]);
        pair_fini(&p);
    }
}

static struct transport *dial_pipe(void *arg, const struct addr *to, struct task *task,
                                   enum err *reterr)
{
    struct transport **other = arg, *near;

    (void)reterr;
    pipe_pair(task, NULL, &near, other);
    near->info.remote = *to;
    return near;
}

TEST(a_simulation_may_dial_instead_of_the_kernel)
{
    struct loop *l = loop_new(NULL);
    struct net *n = net_new(l, 1);
    struct addr to = { .family = 4, .port = 80, .ip = { 10, 0, 0, 1 } };
    struct transport *near, *far = NULL;
    enum err e = ERR_OK;

    net_set_dialler(n, dial_pipe, &far);
    near = net_dial(n, &to, NULL, &e);
    CHECK(near && far);
    CHECK_EQ(put(near, STR("x")), 1);
    CHECK_EQ(pipe_waiting(far), 1);
    transport_close(near, false);
    transport_close(far, false);
    net_free(n);
    loop_free(l);
}
