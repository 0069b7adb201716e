/*
 * cli/trim - memory that a large change left unused goes back to the kernel.
 *
 * What is freed stays with malloc, which is right for the next small change and wrong after a
 * start or after half of the manifests went. Some time after a change it is looked at: once
 * early, and once when the last streams have let go of the snapshot before.
 */
#pragma once

#include "event/loop.h"

struct trim {
    struct timer timer;
    bool is_late;  /* the timer is the second one */
    size_t unused; /* what malloc could not give back */
};

/* At the start of the program: malloc keeps its thresholds low. By itself it raises them with the
 * largest block ever freed, and then each thread may sit on tens of megabytes. */
void trim_setup(void);

void trim_init(struct trim *t, struct loop *loop);
void trim_fini(struct trim *t);
void trim_changed(struct trim *t); /* a change was made just now */

/* Octets that are resident and in nobody's use, as far as malloc knows. */
size_t trim_unused(void);
