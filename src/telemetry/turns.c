#include "telemetry/turns.h"

#include "base/log.h"
#include "telemetry/scrape_int.h"

#include <pthread.h>
#include <stdio.h>

#define WARN_EVERY_MS 1000
#define THREADS_MAX 4 /* names */

/* The lock is taken when a loop comes or goes and by the scraper. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list loops = { &loops, &loops };

/* ---- the warning ---- */

static void say_notes(const struct turn_report *r, struct buf *out)
{
    uint64_t named_ns = 0;

    for (size_t i = 0; i < r->note_n; i++) {
        const struct turn_note *n = &r->notes[i];

        named_ns += n->wall_ns;
        buf_printf(out, "%s (%u, %llu us), ", n->what, n->times,
                   (unsigned long long)n->wall_ns / 1000);
    }
    buf_printf(out, "the rest of %u tasks and the timers (%llu us)", r->tasks,
               (unsigned long long)(r->wall_ns > named_ns ? r->wall_ns - named_ns : 0) / 1000);
}

static void turn_was_long(const struct turn_report *r, void *arg)
{
    struct turns_watch *t = arg;
    uint64_t now_ms = loop_now_ms(t->loop);
    struct buf ran;

    if (t->warned_ms && now_ms - t->warned_ms < WARN_EVERY_MS)
        return;
    t->warned_ms = now_ms;
    buf_init(&ran, 1000);
    say_notes(r, &ran);
    log_warn("turn", "a turn took more than 5 ms of processor time", KVZ("thread", t->thread),
             KVN("cpu_us", r->cpu_ns / 1000), KVN("wall_us", r->wall_ns / 1000),
             KV("ran", buf_str(&ran)));
    buf_fini(&ran);
}

void turns_watch(struct turns_watch *t, struct loop *loop, const char *thread)
{
    t->loop = loop;
    t->thread = thread;
    loop_on_long_turn(loop, turn_was_long, t);
    pthread_mutex_lock(&lock);
    list_push_back(&loops, &t->node);
    pthread_mutex_unlock(&lock);
}

void turns_unwatch(struct turns_watch *t)
{
    pthread_mutex_lock(&lock);
    list_remove(&t->node);
    pthread_mutex_unlock(&lock);
    loop_on_long_turn(t->loop, NULL, NULL);
}

/* ---- adding up ---- */

struct turns_sum {
    const char *thread;
    uint64_t wall[TURN_BOUNDS + 1], cpu[TURN_BOUNDS + 1], turns, long_turns;
    uint64_t wall_ns, cpu_ns, cpu_max_ns;
};

static uint64_t get(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

static void sum_add(struct turns_sum *s, const struct turns *t)
{
    for (size_t i = 0; i <= TURN_BOUNDS; i++) {
        uint64_t cpu = get(&t->cpu[i]), wall = get(&t->wall[i]);

        s->turns += wall;
        s->wall[i] += wall;
        s->cpu[i] += cpu;
        s->cpu[0] += wall - cpu; /* those not measured took less, even by the clock */
        if (i > 0 && turn_bounds_us[i - 1] * UINT64_C(1000) >= TURN_LONG_NS)
            s->long_turns += cpu;
    }
    s->wall_ns += get(&t->wall_ns);
    s->cpu_ns += get(&t->cpu_ns);
    s->cpu_max_ns = MAX(s->cpu_max_ns, get(&t->cpu_max_ns));
}

static size_t sums(struct turns_sum s[static THREADS_MAX])
{
    size_t n = 0, i;

    pthread_mutex_lock(&lock);
    LIST_EACH (node, &loops, next) {
        const struct turns_watch *t = LIST_ITEM(node, struct turns_watch, node);

        for (i = 0; i < n && strcmp(s[i].thread, t->thread) != 0; i++)
            ;
        MUST(i < THREADS_MAX);
        if (i == n)
            s[n++] = (struct turns_sum){ .thread = t->thread };
        sum_add(&s[i], loop_turns(t->loop));
    }
    pthread_mutex_unlock(&lock);
    return n;
}

/* ---- printing ---- */

static void histogram_add(struct buf *out, const char *name, const struct turns_sum *s,
                          const uint64_t *buckets, uint64_t sum_ns)
{
    unsigned long long below = 0;

    for (size_t i = 0; i < TURN_BOUNDS; i++) {
        below += buckets[i];
        /* what is below TURN_MEASURED_NS is counted, not told apart */
        if (buckets == s->cpu && turn_bounds_us[i] * UINT64_C(1000) < TURN_MEASURED_NS)
            continue;
        buf_printf(out, "%s_bucket{thread=\"%s\",le=\"%g\"} %llu\n", name, s->thread,
                   turn_bounds_us[i] / 1e6, below);
    }
    below += buckets[TURN_BOUNDS];
    buf_printf(out, "%s_bucket{thread=\"%s\",le=\"+Inf\"} %llu\n", name, s->thread, below);
    buf_printf(out, "%s_sum{thread=\"%s\"} %.9g\n", name, s->thread, (double)sum_ns / 1e9);
    buf_printf(out, "%s_count{thread=\"%s\"} %llu\n", name, s->thread, below);
}

static void family_add(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
}

void turns_scrape(const struct scrape *page, struct buf *out)
{
    struct turns_sum s[THREADS_MAX];
    size_t n = sums(s);
    bool wall = scrape_wants(page, STR("lateen_turn_seconds"));
    bool cpu = scrape_wants(page, STR("lateen_turn_cpu_seconds"));
    bool max = scrape_wants(page, STR("lateen_turn_cpu_max_seconds"));

    if (wall)
        family_add(out, "lateen_turn_seconds", "histogram",
                   "Turns of the threads' loops, between two waits, by the clock");
    for (size_t i = 0; wall && i < n; i++)
        histogram_add(out, "lateen_turn_seconds", &s[i], s[i].wall, s[i].wall_ns);
    if (cpu)
        family_add(out, "lateen_turn_cpu_seconds", "histogram",
                   "The same in processor time; the sum is the thread's");
    for (size_t i = 0; cpu && i < n; i++)
        histogram_add(out, "lateen_turn_cpu_seconds", &s[i], s[i].cpu, s[i].cpu_ns);
    if (max)
        family_add(out, "lateen_turn_cpu_max_seconds", "gauge",
                   "The longest turn since the start, in processor time; 0: none over 1 ms");
    for (size_t i = 0; max && i < n; i++)
        buf_printf(out, "lateen_turn_cpu_max_seconds{thread=\"%s\"} %.9g\n", s[i].thread,
                   (double)s[i].cpu_max_ns / 1e9);
}

void turns_stats(struct scrape *page, struct buf *out)
{
    struct turns_sum s[THREADS_MAX];
    size_t n = sums(s);

    for (size_t i = 0; i < n; i++) {
        const struct {
            const char *name;
            uint64_t value;
        } stats[] = { { "count", s[i].turns },
                      { "over_5ms_cpu", s[i].long_turns },
                      { "cpu_max_us", s[i].cpu_max_ns / 1000 } };

        for (size_t k = 0; k < LEN(stats); k++) {
            char name[64];
            int len = snprintf(name, sizeof(name), "turns.%s.%s", s[i].thread, stats[k].name);

            if (scrape_wants(page, str_make(name, (size_t)len)) &&
                !(page->used_only && stats[k].value == 0))
                scrape_stat_add(page, out, str_make(name, (size_t)len), (double)stats[k].value);
        }
    }
}
