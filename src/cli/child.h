/*
 * cli/child - a process that the keeper started: control or data. This program again
 * (/proc/self/exe) with the same arguments and its role in the environment (cli/role.h).
 *
 *   gone -> running -> gone, started anew by whoever owns it (respawn_wait_ms)
 */
#pragma once

#include "cli/link.h"
#include "cli/respawn.h"
#include "cli/role.h"

struct child {
    enum role_kind role;
    pid_t pid;                /* 0: gone */
    struct link orders, asks; /* their `arrived` is set by the owner */
    bool has_served;          /* it did what it is for */
    uint64_t crashes;
    struct respawn respawn;
    struct timer again; /* set by the owner */
};

/* Starts it. `argv` as the keeper was given it behind its name. False: errno. */
MUST_USE bool child_start(struct child *c, struct loop *loop, const char *const *argv);

/* One that does not read is ended. Harmless while it is gone. */
void child_send(struct child *c, const struct message *m, const int *fds, size_t n);
void child_kill(struct child *c);

/* waitpid() has returned it: reads what it said last, and closes its links. */
void child_ended(struct child *c);
void child_say_ended(const struct child *c, int status);

/* Ends it, if it runs, and waits for that. */
void child_fini(struct child *c);
