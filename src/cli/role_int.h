/*
 * cli/role_int - what the processes of both roles are made of: a loop, and the way to the keeper.
 */
#pragma once

#include "cli/link.h"
#include "cli/role.h"

struct station {
    struct loop *loop;
    struct link orders; /* `arrived` is set by the role */
    int asks;
    int exit_code;
};

MUST_USE bool station_open(struct station *s, const struct role *role);
/* To the keeper; waits until there is room. On the loop's thread. */
void station_tell(const struct station *s, const struct message *m, const int *fds, size_t n);
void station_leave(struct station *s, int exit_code);
void station_close(struct station *s);

int role_control_run(const struct role *role, const struct run_options *o);
int role_data_run(const struct role *role, const struct run_options *o);
