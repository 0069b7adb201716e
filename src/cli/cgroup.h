/*
 * cli/cgroup - the memory that the process's control group may have, and has (cgroup v2, and the
 * memory controller of v1).
 */
#pragma once

#include "base/arena.h"

/* Files of the group whose limit is the least on the way up. */
struct cgroup_memory {
    int usage, stat; /* -1: no group limits the memory */
    bool is_v1;
};

/* The limit in octets, 0 for none. `mount` is "/sys/fs/cgroup", `self` what /proc/self/cgroup
 * says. */
uint64_t cgroup_memory_open(struct cgroup_memory *ret, const char *mount, struct str self);
void cgroup_memory_close(struct cgroup_memory *m);

/* Octets that the kernel cannot take back: without the cache of files. 0: it cannot be read. */
uint64_t cgroup_memory_used(const struct cgroup_memory *m);
