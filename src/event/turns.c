#include "event/turns.h"

#define CPU_UNREAD_NS 500000u /* turns may have taken, by the clock, since it was read */

#define WAIT_CPU_NS 5000u /* that a wait takes at most, besides sleeping */

const uint32_t turn_bounds_us[TURN_BOUNDS] = { 50,   100,   250,   500,   1000,   2500,   5000,
                                               7500, 10000, 25000, 50000, 100000, 250000, 1000000 };

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

static void count(_Atomic uint64_t buckets[static TURN_BOUNDS + 1], uint64_t ns)
{
    size_t i = 0;

    while (i < TURN_BOUNDS && ns > turn_bounds_us[i] * UINT64_C(1000))
        i++;
    add(&buckets[i], 1);
}

/* The processor time since it was read last. */
static uint64_t cpu_read(struct turn_clock *c)
{
    uint64_t before = c->cpu_ns;

    c->cpu_ns = c->read_cpu(c->arg);
    c->unread_ns = 0;
    atomic_store_explicit(&c->seen.cpu_ns, c->cpu_ns, memory_order_relaxed);
    return c->cpu_ns > before ? c->cpu_ns - before : 0;
}

void turn_begin(struct turn_clock *c, uint64_t now_ns)
{
    c->began_ns = now_ns;
    c->note_n = 0;
    c->tasks = 0;
    c->unread_ns += MIN(now_ns - c->ended_ns, WAIT_CPU_NS);
    if (c->cpu_ns == 0 || c->unread_ns > CPU_UNREAD_NS)
        (void)cpu_read(c);
}

void turn_note(struct turn_clock *c, const char *what, uint64_t wall_ns)
{
    size_t i = 0;

    while (i < c->note_n && c->notes[i].what != what)
        i++;
    if (i == TURN_NOTES)
        return;
    if (i == c->note_n)
        c->notes[c->note_n++] = (struct turn_note){ .what = what };
    c->notes[i].wall_ns += wall_ns;
    c->notes[i].times++;
}

bool turn_end(struct turn_clock *c, uint64_t now_ns, struct turn_report *ret)
{
    uint64_t wall_ns = now_ns - c->began_ns, cpu_ns;

    count(c->seen.wall, wall_ns);
    add(&c->seen.wall_ns, wall_ns);
    c->unread_ns += wall_ns;
    c->ended_ns = now_ns;
    if (wall_ns < TURN_MEASURED_NS)
        return false;
    cpu_ns = cpu_read(c);
    cpu_ns = MIN(cpu_ns, wall_ns);
    count(c->seen.cpu, cpu_ns);
    if (cpu_ns > atomic_load_explicit(&c->seen.cpu_max_ns, memory_order_relaxed))
        atomic_store_explicit(&c->seen.cpu_max_ns, cpu_ns, memory_order_relaxed);
    if (cpu_ns <= TURN_LONG_NS)
        return false;
    *ret = (struct turn_report){ wall_ns, cpu_ns, c->tasks, c->notes, c->note_n };
    return true;
}
