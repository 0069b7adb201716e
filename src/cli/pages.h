/*
 * cli/pages - the sockets of the service ports (surface.md 2.4): opened by the keeper, once, so
 * that they stay while data comes and goes.
 */
#pragma once

#include "cli/run_options.h"
#include "proxy/admin.h"

struct pages {
    struct addr addrs[ADMIN_PORTS]; /* family 0: off */
    int fds[ADMIN_PORTS];           /* -1: off */
};

/* Opens what is not off. False: one cannot be had, and people were told which. */
MUST_USE bool pages_open(struct pages *p, const struct run_options *o);
void pages_close(struct pages *p);
