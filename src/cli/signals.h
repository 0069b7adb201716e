/*
 * cli/signals - signals as events of a loop.
 *
 * signals_block() stands before the first thread is started, so that all threads inherit
 * it; then one loop hears them. SIGPIPE and SIGXFSZ are ignored.
 */
#pragma once

#include "event/loop.h"

struct signals {
    struct watch watch;
    struct task task;
    int fd;
    void (*caught)(struct signals *s, int number); /* SIGHUP, SIGTERM, ... */
};

void signals_block(void);
/* False: the kernel refused (errno). */
MUST_USE bool signals_start(struct signals *s, struct loop *loop,
                            void (*caught)(struct signals *s, int number));
void signals_stop(struct signals *s);
