#include "proxy/claim.h"

#include "telemetry/telemetry.h"

void claim_init(struct claim *c, struct task *task, struct metrics *metrics)
{
    *c = (struct claim){ .task = task, .metrics = metrics };
    list_init(&c->node);
}

void claim_of_cluster(struct claim *c, const struct cluster *cluster)
{
    c->cluster = cluster->budget ? cluster : NULL;
}

static bool take(struct claim *c, enum budget_kind kind, uint32_t max, bool *taken,
                 enum stat_id refused)
{
    if (*taken || !c->cluster || max == 0)
        return true;
    *taken = budget_take(c->cluster->budget, kind, max);
    if (!*taken)
        metrics_cluster_stat(c->metrics, c->cluster, refused, 1);
    return *taken;
}

static void give(struct claim *c, enum budget_kind kind, bool *taken)
{
    if (*taken)
        budget_give(c->cluster->budget, kind);
    *taken = false;
}

bool claim_pending(struct claim *c)
{
    return take(c, BUDGET_PENDING, c->cluster ? c->cluster->limits.max_pending : 0, &c->pending,
                STAT_UPSTREAM_RQ_PENDING_OVERFLOW);
}

bool claim_request(struct claim *c)
{
    return take(c, BUDGET_REQUESTS, c->cluster ? c->cluster->limits.max_requests : 0, &c->request,
                STAT_UPSTREAM_RQ_PENDING_OVERFLOW);
}

bool claim_retry(struct claim *c)
{
    return take(c, BUDGET_RETRIES, c->cluster ? c->cluster->limits.max_retries : 0, &c->retry,
                STAT_UPSTREAM_RQ_RETRY_OVERFLOW);
}

void claim_pending_give(struct claim *c)
{
    give(c, BUDGET_PENDING, &c->pending);
}

void claim_request_give(struct claim *c)
{
    give(c, BUDGET_REQUESTS, &c->request);
}

void claim_retry_give(struct claim *c)
{
    give(c, BUDGET_RETRIES, &c->retry);
}
