#include "event/loop.h"
#include "unit/check.h"

/* A thread whose clocks the test moves: what a task costs is what it adds to both. */
static uint64_t now_ns, cpu_now_ns;
static int cpu_reads;

static uint64_t mono(void *arg)
{
    (void)arg;
    return now_ns;
}

static uint64_t cpu(void *arg)
{
    (void)arg;
    cpu_reads++;
    return cpu_now_ns;
}

static void wait_a_little(struct loop *l, int timeout_ms, void *arg)
{
    (void)l;
    (void)arg;
    (void)timeout_ms;
    now_ns += 1000;
}

struct job {
    struct task task;
    uint64_t wall_us, cpu_us;
    int runs;
};

static void job_run(struct task *t)
{
    struct job *j = CONTAINER_OF(t, struct job, task);
    uint64_t from_ns = now_ns;

    j->runs++;
    now_ns += j->wall_us * 1000;
    cpu_now_ns += j->cpu_us * 1000;
    loop_note(t->loop, "job", from_ns);
}

static struct turn_report last;
static struct turn_note last_note;
static int reports;

static void was_long(const struct turn_report *r, void *arg)
{
    (void)arg;
    last = *r;
    last_note = r->note_n ? r->notes[0] : (struct turn_note){ 0 };
    reports++;
}

static struct loop *loop_for(struct job *j, uint64_t wall_us, uint64_t cpu_us)
{
    struct loop_env env = { .mono_ns = mono, .cpu_ns = cpu, .wait = wait_a_little };
    struct loop *l;

    now_ns = 1000000000;
    cpu_now_ns = 77000000;
    l = loop_new(&env);
    loop_on_long_turn(l, was_long, NULL);
    *j = (struct job){ .wall_us = wall_us, .cpu_us = cpu_us };
    task_init(&j->task, l, job_run);
    reports = cpu_reads = 0;
    return l;
}

static void turn(struct loop *l, struct job *j)
{
    task_wake(&j->task);
    loop_turn(l, 0);
}

static uint64_t counted(const _Atomic uint64_t buckets[static TURN_BOUNDS + 1], uint32_t bound_us)
{
    for (size_t i = 0; i < TURN_BOUNDS; i++) {
        if (turn_bounds_us[i] == bound_us)
            return atomic_load(&buckets[i]);
    }
    return 0;
}

TEST(a_turn_is_counted_by_the_clock_and_a_long_one_by_processor_time)
{
    static const struct {
        uint32_t wall_us, cpu_us, in_wall, in_cpu; /* 0: not measured */
        bool is_long;
    } cases[] = {
        { 40, 40, 50, 0, false },
        { 50, 50, 50, 0, false },
        { 51, 51, 100, 0, false },
        { 999, 999, 1000, 0, false },
        { 1000, 1000, 1000, 1000, false },
        { 2000, 400, 2500, 500, false },
        { 5000, 5000, 5000, 5000, false },
        { 5001, 5001, 7500, 7500, true },
        { 90000, 4000, 100000, 5000, false },
        { 90000, 6000, 100000, 7500, true },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct job j;
        struct loop *l = loop_for(&j, cases[i].wall_us, cases[i].cpu_us);
        const struct turns *t = loop_turns(l);

        CASE(i);
        turn(l, &j);
        CHECK_EQ(counted(t->wall, cases[i].in_wall), 1);
        CHECK_EQ(counted(t->cpu, cases[i].in_cpu), cases[i].in_cpu != 0);
        CHECK_EQ(reports, cases[i].is_long);
        CHECK_EQ(atomic_load(&t->cpu_max_ns), cases[i].in_cpu ? cases[i].cpu_us * 1000 : 0);
        loop_free(l);
    }
}

TEST(a_long_turn_tells_what_ran)
{
    struct job j, other;
    struct loop *l = loop_for(&j, 4000, 4000);

    other = j;
    task_init(&other.task, l, job_run);
    task_wake(&other.task);
    turn(l, &j);
    CHECK_EQ(reports, 1);
    CHECK_EQ(last.cpu_ns, 8000000);
    CHECK_EQ(last.tasks, 2);
    CHECK_EQ(last.note_n, 1);
    CHECK_STR(str_of(last_note.what), STR("job"));
    CHECK_EQ(last_note.times, 2);
    CHECK_EQ(last_note.wall_ns, 8000000);
    loop_free(l);
}

TEST(the_processor_clock_is_read_twice_in_half_a_millisecond_at_most)
{
    struct job j;
    struct loop *l = loop_for(&j, 10, 10);
    uint64_t from_ns = now_ns;

    for (int i = 0; i < 10000; i++)
        turn(l, &j);
    CHECK(cpu_reads <= (int)((now_ns - from_ns) / 500000) + 1);
    CHECK(cpu_reads > 100);
    loop_free(l);
}

TEST(short_turns_before_a_long_one_add_half_a_millisecond_at_most)
{
    struct job j;
    struct loop *l = loop_for(&j, 10, 10);

    for (int i = 0; i < 1000; i++)
        turn(l, &j);
    j.wall_us = 9000;
    j.cpu_us = 4600;
    turn(l, &j);
    CHECK(atomic_load(&loop_turns(l)->cpu_max_ns) >= 4600000);
    CHECK(atomic_load(&loop_turns(l)->cpu_max_ns) <= 5100000);
    loop_free(l);
}

TEST(tasks_stop_for_a_look_at_the_descriptors_after_a_millisecond)
{
    struct job j[64];
    struct loop *l = loop_for(&j[0], 100, 100);
    int runs = 0;

    for (size_t i = 0; i < LEN(j); i++) {
        j[i] = (struct job){ .wall_us = 100, .cpu_us = 100 };
        task_init(&j[i].task, l, job_run);
        task_wake(&j[i].task);
    }
    loop_turn(l, 0);
    for (size_t i = 0; i < LEN(j); i++)
        runs += j[i].runs;
    CHECK_EQ(runs, 16);
    for (int i = 0; i < 3; i++)
        loop_turn(l, 0);
    for (size_t i = 0; i < LEN(j); i++)
        CHECK_EQ(j[i].runs, 1);
    loop_free(l);
}
