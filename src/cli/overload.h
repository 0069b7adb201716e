/*
 * cli/overload - measures the memory that the data part has against its limit, and tells the
 * workers of each step (live/pressure.h).
 *
 * The limit is what was asked for, measured as this process's resident memory, or else the
 * control group's, measured as the group's memory without the cache of files.
 */
#pragma once

#include "event/loop.h"

struct overload;

struct overload_options {
    struct loop *loop;
    uint64_t limit;             /* octets; 0: the control group's, if it has one */
    void (*changed)(void *arg); /* live_pressure() is another one; on the loop's thread */
    void *arg;
};

struct overload *overload_new(const struct overload_options *o);
void overload_free(struct overload *o); /* takes NULL */
/* Octets, 0: there is none. */
uint64_t overload_limit(const struct overload *o);
