#include "cli/host.h"

#include "cli/file.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define CGROUP_TEXT_MAX 65536

/* ---- CPUs ---- */

static uint32_t cpus_by_affinity(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return (uint32_t)MAX(CPU_COUNT(&set), 1);
}

static bool number_of(struct str path, struct arena *a, uint64_t *ret)
{
    struct str text, why;

    return file_read(path, CGROUP_TEXT_MAX, a, &text, &why) && str_u64(str_cut(&text, '\n'), ret);
}

static uint32_t cpus_of(uint64_t quota, uint64_t period)
{
    return period ? (uint32_t)MIN(MAX((quota + period - 1) / period, 1), 1024) : UINT32_MAX;
}

/* v2: "cpu.max" is "max 100000" or "150000 100000"; the least on the way up counts. */
static uint32_t cpus_by_group(struct str group, struct arena *a)
{
    uint32_t least = UINT32_MAX;

    for (;;) {
        struct str text, why;
        uint64_t quota, period;

        if (file_read(arena_printf(a, "/sys/fs/cgroup%.*s/cpu.max", STRF(group)), CGROUP_TEXT_MAX,
                      a, &text, &why)) {
            struct str line = str_cut(&text, '\n');
            struct str first = str_cut(&line, ' ');

            if (str_u64(first, &quota) && str_u64(line, &period))
                least = MIN(least, cpus_of(quota, period));
        }
        if (group.n == 0)
            return least;
        group.n = str_rfind(group, '/') < group.n ? str_rfind(group, '/') : 0;
    }
}

static uint32_t cpus_by_group_v1(struct arena *a)
{
    uint64_t quota, period; /* a quota of -1 is no number: none */

    if (!number_of(STR("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), a, &quota) ||
        !number_of(STR("/sys/fs/cgroup/cpu/cpu.cfs_period_us"), a, &period))
        return UINT32_MAX;
    return cpus_of(quota, period);
}

uint32_t host_cpus(void)
{
    uint32_t n = cpus_by_affinity();
    struct arena a;
    struct str text, why;

    arena_init(&a, 4096);
    if (file_read(STR("/proc/self/cgroup"), CGROUP_TEXT_MAX, &a, &text, &why)) {
        while (str_is_set(text)) {
            struct str line = str_cut(&text, '\n');

            if (str_starts(line, STR("0::/")))
                n = MIN(n, cpus_by_group(str_from(line, 3), &a));
        }
    }
    n = MIN(n, cpus_by_group_v1(&a));
    arena_fini(&a);
    return MAX(n, 1);
}

uint64_t host_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return 1024;
    if (r.rlim_cur < r.rlim_max) {
        struct rlimit more = { r.rlim_max, r.rlim_max };

        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            r = more;
    }
    return r.rlim_cur;
}

bool host_is_service(void)
{
    uint64_t pid;

    return str_of(getenv("NOTIFY_SOCKET")).n > 0 ||
           (str_u64(str_of(getenv("SYSTEMD_EXEC_PID")), &pid) && pid == (uint64_t)getpid());
}

/* ---- the state directory ---- */

static struct str state_path(struct str asked, struct arena *a)
{
    struct str s = str_of(getenv("STATE_DIRECTORY"));

    if (asked.n)
        return arena_dup(a, asked);
    if (s.n) /* systemd may name several, the first is ours */
        return arena_dup(a, str_cut(&s, ':'));
    if (geteuid() == 0)
        return STR("/var/lib/lateen");
    s = str_of(getenv("XDG_STATE_HOME"));
    if (s.n && s.p[0] == '/')
        return arena_printf(a, "%.*s/lateen", STRF(s));
    s = str_of(getenv("HOME"));
    return s.n ? arena_printf(a, "%.*s/.local/state/lateen", STRF(s)) : STR_NONE;
}

/* What is printed to be pasted works from anywhere. */
static struct str absolute(struct str path, struct arena *a)
{
    char *real = realpath(arena_dup(a, path).p, NULL);
    struct str s = arena_dup(a, real ? str_of(real) : path);

    free(real);
    return s;
}

bool host_state_dir(struct str asked, struct arena *a, struct str *ret, struct str *reterr)
{
    struct str path = state_path(asked, a);

    if (!str_is_set(path)) {
        *reterr = STR("no home directory for the state: name one with --state DIR");
        return false;
    }
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (!dir_make(path)) {
        *reterr = arena_printf(a, "%.*s: %s; another can be named with --state DIR", STRF(path),
                               strerror(errno));
        return false;
    }
    *ret = absolute(path, a);
    return true;
}
