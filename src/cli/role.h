/*
 * cli/role - control or data as a process of its own, started by the keeper (cli/child.h).
 *
 * The keeper names the role in LATEEN_ROLE together with its own id and the descriptors of the
 * links, which nobody else can have: set by hand it is refused.
 */
#pragma once

#include "cli/run_options.h"

#include <sys/types.h>

enum role_kind { ROLE_NONE, ROLE_CONTROL, ROLE_DATA };

struct role {
    enum role_kind kind;
    int orders, asks;
};

const char *role_name(enum role_kind kind); /* "data" */

/* In the child of the keeper, before exec. */
void role_to_environment(enum role_kind kind, int orders, int asks, pid_t keeper);
/* ROLE_NONE without one. False: LATEEN_ROLE is not from a keeper. */
MUST_USE bool role_from_environment(struct role *ret);

/* Runs until the keeper says otherwise or is gone; returns the exit code. */
int role_run(const struct role *role, const struct run_options *o);
