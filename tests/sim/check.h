/*
 * tests/sim/check - the invariants.
 */
#pragma once

#include "sim/plan.h"

#include "base/slab.h"

struct worker;

/* A schedule under way. */
struct run {
    struct plan plan;
    struct slots *slots;
    struct root *root;
    struct worker *workers[4];
    uint32_t workers_n, drained;
    bool stops;
    struct event reload, drain, stop, refuse;
    size_t *narrow; /* the most that the door lets in that says no */
    size_t narrow_max;
    struct cluster_limits most[CLUSTERS]; /* the highest limits so far; 0: none */
    uint32_t listener_most;
    struct live_budget *budgets[CLUSTERS]; /* held, or NULL */
    uint32_t confs;
};

void check_limits_may_be(struct run *r, const struct conf *c);
void check_step(struct run *r);
/* The world stands still: nothing is open, under way or waited for. */
void check_quiet(struct run *r);
/* A worker's thread has ended. */
void check_worker(struct run *r, struct worker *w);
void check_requests(struct run *r);
void check_end(void);
