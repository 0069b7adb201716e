#include "cli/cgroup.h"

#include "cli/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TEXT_MAX 16384
/* v1 has no word for "no limit": it is the largest number of whole pages. */
#define UNLIMITED (UINT64_C(1) << 60)

struct names {
    const char *folder, *limit, *usage;
};
static const struct names v2 = { "", "memory.max", "memory.current" };
static const struct names v1 = { "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes" };

static int open_file(const char *mount, const struct names *names, struct str group,
                     const char *name)
{
    char path[1024];
    int n = snprintf(path, sizeof(path), "%s%s%.*s/%s", mount, names->folder, STRF(group), name);

    return n > 0 && (size_t)n < sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static struct str read_text(int fd, char text[static TEXT_MAX])
{
    ssize_t n = fd < 0 ? -1 : pread(fd, text, TEXT_MAX, 0);

    return str_make(text, n > 0 ? (size_t)n : 0);
}

static uint64_t limit_of(const char *mount, const struct names *names, struct str group)
{
    char text[TEXT_MAX];
    int fd = open_file(mount, names, group, names->limit);
    struct str rest = read_text(fd, text);
    uint64_t limit;

    if (fd >= 0)
        close(fd);
    if (!str_u64(str_cut(&rest, '\n'), &limit) || limit >= UNLIMITED)
        return 0; /* "max" */
    return limit;
}

/* The group with the least limit from `group` up to the mount, which is where a container's own
 * group is when it sees no other. */
static uint64_t least_limit(const char *mount, const struct names *names, struct str group,
                            struct str *ret)
{
    uint64_t least = 0;

    for (;;) {
        uint64_t limit = limit_of(mount, names, group);

        if (limit && (least == 0 || limit < least)) {
            least = limit;
            *ret = group;
        }
        if (group.n == 0)
            return least;
        group.n = str_rfind(group, '/') < group.n ? str_rfind(group, '/') : 0;
    }
}

/* "0::/a/b" is v2's, "5:memory:/a/b" that of v1's controller. */
static bool group_of(struct str line, const struct names *names, struct str *ret)
{
    struct str controllers;

    (void)str_cut(&line, ':');
    controllers = str_cut(&line, ':');
    *ret = str_eq(line, STR("/")) ? STR_NONE : line;
    return names == &v2 ? controllers.n == 0 : str_eq(controllers, STR("memory"));
}

static uint64_t open_of(struct cgroup_memory *ret, const char *mount, struct str self,
                        const struct names *names)
{
    while (self.n) {
        struct str line = str_cut(&self, '\n'), group, found;
        uint64_t limit;

        if (!group_of(line, names, &group))
            continue;
        limit = least_limit(mount, names, group, &found);
        if (!limit)
            return 0;
        ret->usage = open_file(mount, names, found, names->usage);
        ret->stat = open_file(mount, names, found, "memory.stat");
        ret->is_v1 = names == &v1;
        return limit;
    }
    return 0;
}

uint64_t cgroup_memory_open(struct cgroup_memory *ret, const char *mount, struct str self)
{
    uint64_t limit;

    *ret = (struct cgroup_memory){ -1, -1, false };
    limit = open_of(ret, mount, self, &v2);
    if (!limit)
        limit = open_of(ret, mount, self, &v1);
    if (limit && (ret->usage < 0 || ret->stat < 0)) {
        cgroup_memory_close(ret);
        return 0;
    }
    return limit;
}

void cgroup_memory_close(struct cgroup_memory *m)
{
    if (m->usage >= 0)
        close(m->usage);
    if (m->stat >= 0)
        close(m->stat);
    *m = (struct cgroup_memory){ -1, -1, false };
}

/* The number behind `name` in lines of "name number"; 0 where it is not. */
static uint64_t stat_of(struct str text, struct str name)
{
    uint64_t n;

    while (text.n) {
        struct str line = str_cut(&text, '\n');

        if (str_eq(str_cut(&line, ' '), name) && str_u64(line, &n))
            return n;
    }
    return 0;
}

uint64_t cgroup_memory_used(const struct cgroup_memory *m)
{
    char text[TEXT_MAX];
    struct str usage = read_text(m->usage, text), stat;
    uint64_t used, cache, shared;

    if (!str_u64(str_cut(&usage, '\n'), &used))
        return 0;
    stat = read_text(m->stat, text);
    cache = stat_of(stat, m->is_v1 ? STR("total_cache") : STR("file"));
    shared = stat_of(stat, m->is_v1 ? STR("total_shmem") : STR("shmem"));
    cache -= MIN(shared, cache); /* memory files count among files, and cannot be dropped */
    return used - MIN(cache, used);
}
