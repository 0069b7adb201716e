/*
 * lb/least_request - power of two choices. Both candidates are drawn by weight, so that an
 * idle set is used in proportion to its weights, as is a busy one.
 */
#include "lb/host_set.h"

#include "live/host.h"

static int64_t active(const struct endpoint *e)
{
    return e->live ? live_host_active(e->live) : 0;
}

static uint32_t least_request_next(struct host_set *set, const struct hosts *hosts, struct rng *rng)
{
    uint32_t a = host_set_draw(set, rng);
    uint32_t b = host_set_draw(set, rng);
    const struct endpoint *ea, *eb;

    if (set->equal && a == b) /* two different ones, where weights do not matter */
        b = (a + 1 + (uint32_t)rng_below(rng, set->n - 1)) % set->n;
    ea = &hosts->endpoints.v[set->healthy[a]];
    eb = &hosts->endpoints.v[set->healthy[b]];
    return active(eb) * ea->weight < active(ea) * eb->weight ? b : a;
}

const struct lb_algorithm least_request_algorithm = { NULL, least_request_next };
