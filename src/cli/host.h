/*
 * cli/host - what the machine gives: CPUs, descriptors, the state directory.
 */
#pragma once

#include "base/arena.h"

/* CPUs that the process may use: affinity, and the cgroup's quota (v1 and v2) rounded up. */
uint32_t host_cpus(void);

/* Raises the limit of open descriptors as far as allowed and returns it. */
uint64_t host_descriptors(void);

/* Whether systemd started this process as a service: it wants to be notified, or says that this
 * is the process that it executed (systemd.exec(5), SYSTEMD_EXEC_PID). */
bool host_is_service(void);

/* The state directory (surface.md 2): `asked`, $STATE_DIRECTORY, /var/lib/lateen for root,
 * $XDG_STATE_HOME/lateen, $HOME/.local/state/lateen. Made if it is missing; absolute. False: a
 * sentence in `reterr`. */
MUST_USE bool host_state_dir(struct str asked, struct arena *a, struct str *ret,
                             struct str *reterr);
