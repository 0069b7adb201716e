#include "lb/host_set.h"

static void round_robin_init(struct host_set *set, const struct hosts *hosts, struct rng *rng)
{
    /* By chance, so that the workers do not all begin at the same endpoint. */
    set->at = (uint32_t)rng_below(rng, set->n);
    if (set->equal)
        return;
    spread_init(&set->spread, set->n);
    for (uint32_t i = 0; i < set->n; i++)
        spread_weight(&set->spread, i, hosts->endpoints.v[set->healthy[i]].weight);
}

static uint32_t round_robin_next(struct host_set *set,
                                 __attribute__((unused)) const struct hosts *hosts, struct rng *rng)
{
    if (!set->equal)
        return spread_next(&set->spread, rng);
    set->at = set->at + 1 < set->n ? set->at + 1 : 0;
    return set->at;
}

const struct lb_algorithm round_robin_algorithm = { round_robin_init, round_robin_next };
