/*
 * proxy/claim - what one request has taken of its cluster's finite limits, or waits for
 * (live/budget.h). Where nothing is limited a claim stays as it is, zeroed.
 */
#pragma once

#include "base/list.h"
#include "live/budget.h"
#include "model/parts.h"

struct metrics;
struct share;
struct task;
struct upstream_pool;

/* Lies in the request, whose cluster it keeps using. */
struct claim {
    struct list node; /* in a share's line, or among those that wait for a connection to open */
    struct task *task;
    struct str authority; /* of the request as it is sent: TLS may ask for it */
    struct metrics *metrics;
    const struct cluster *cluster; /* with a budget; NULL: nothing is limited */
    struct share *share;           /* that it stands in line at, or NULL */
    struct upstream_pool *pool;    /* in line: for a connection to this endpoint */
    uint32_t passed;               /* how often a younger one was let go first */
    bool is_turn;                  /* its task was woken to open a connection */
    bool pending, request, retry;  /* taken */
};

void claim_init(struct claim *c, struct task *task, struct metrics *metrics);
/* Whose limits they are; once. */
void claim_of_cluster(struct claim *c, const struct cluster *cluster);
/* Take one more of a limit; harmless again. False: nothing is left. */
MUST_USE bool claim_pending(struct claim *c);
MUST_USE bool claim_request(struct claim *c);
MUST_USE bool claim_retry(struct claim *c);
void claim_pending_give(struct claim *c);
void claim_request_give(struct claim *c);
void claim_retry_give(struct claim *c);
