/*
 * telemetry/turns - what the turns of the program's loops cost: printed for scrapes, and a
 * warning for a turn that took too long.
 */
#pragma once

#include "base/buf.h"
#include "event/loop.h"

/* A loop that is looked at. Its memory is the caller's. */
struct turns_watch {
    struct list node;
    struct loop *loop;
    const char *thread; /* a literal: loops of one name are added up */
    uint64_t warned_ms;
};

/* From now on; unwatched before the loop goes. */
void turns_watch(struct turns_watch *t, struct loop *loop, const char *thread);
void turns_unwatch(struct turns_watch *t);

/* lateen_turn_seconds, lateen_turn_cpu_seconds, lateen_turn_cpu_max_seconds. */
struct scrape;
void turns_scrape(const struct scrape *page, struct buf *out);
/* turns.THREAD.NAME */
void turns_stats(struct scrape *page, struct buf *out);
