#include "cli/overload.h"

#include "base/log.h"
#include "cli/cgroup.h"
#include "cli/file.h"
#include "live/pressure.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

/* How often it is measured: far from the limit, and where a burst could reach it. */
#define FAR_MS 100
#define NEAR_MS 20
#define NEAR_PERCENT 75
#define SELF_MAX 16384

struct overload {
    struct overload_options o;
    struct timer timer;
    uint64_t limit;
    struct cgroup_memory group; /* closed: the process's own memory counts */
    int statm;
};

static uint64_t resident(const struct overload *o)
{
    char text[128];
    ssize_t n = pread(o->statm, text, sizeof(text), 0);
    struct str rest = str_make(text, n > 0 ? (size_t)n : 0);
    uint64_t pages = 0;

    (void)str_cut(&rest, ' ');
    return str_u64(str_cut(&rest, ' '), &pages) ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t used_now(const struct overload *o)
{
    return o->group.usage >= 0 ? cgroup_memory_used(&o->group) : resident(o);
}

static void say(const struct overload *o, enum pressure p, uint64_t used)
{
    static const char *const what[PRESSURE_LEVELS] = {
        [PRESSURE_NONE] = "memory is free again: connections are kept",
        [PRESSURE_SAVE] = "memory runs short: answers end their connections",
        [PRESSURE_REFUSE] = "memory runs short: new requests are refused",
        [PRESSURE_SHED] =
            "memory runs short: new connections are closed, requests that need more of it reset",
    };

    log_warn("overload", what[p], KVN("used_octets", used), KVN("limit_octets", o->limit),
             KVZ("limit_of", o->group.usage >= 0 ? "control group" : "--memory-limit"));
}

static void measure(struct timer *t)
{
    struct overload *o = CONTAINER_OF(t, struct overload, timer);
    enum pressure before = live_pressure(), now;
    uint64_t used = used_now(o);

    now = live_pressure_tell(used, o->limit);
    if (now != before) {
        say(o, now, used);
        o->o.changed(o->o.arg);
    }
    if (now > before)
        malloc_trim(0); /* what was freed already */
    timer_set(t, used / NEAR_PERCENT >= o->limit / 100 ? NEAR_MS : FAR_MS);
}

static uint64_t group_limit(struct overload *o)
{
    struct arena a;
    struct str text, why;
    uint64_t limit = 0;

    arena_init(&a, SELF_MAX);
    if (file_read(STR("/proc/self/cgroup"), SELF_MAX, &a, &text, &why))
        limit = cgroup_memory_open(&o->group, "/sys/fs/cgroup", text);
    arena_fini(&a);
    return limit;
}

struct overload *overload_new(const struct overload_options *options)
{
    struct overload *o = must_alloc(sizeof(*o));

    o->o = *options;
    o->group = (struct cgroup_memory){ -1, -1, false };
    o->statm = -1;
    o->limit = options->limit ? options->limit : group_limit(o);
    timer_init(&o->timer, options->loop, measure);
    if (options->limit)
        o->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (o->limit)
        measure(&o->timer);
    return o;
}

void overload_free(struct overload *o)
{
    if (!o)
        return;
    timer_fini(&o->timer);
    cgroup_memory_close(&o->group);
    if (o->statm >= 0)
        close(o->statm);
    free(o);
}

uint64_t overload_limit(const struct overload *o)
{
    return o->limit;
}
