#include "lb/host_set.h"

#include "lb/lb.h"

#include <stdlib.h>

static const struct lb_algorithm *const algorithms[] = {
    [LB_LEAST_REQUEST] = &least_request_algorithm,
    [LB_ROUND_ROBIN] = &round_robin_algorithm,
    [LB_RANDOM] = &random_algorithm,
};

static void healthy_find(struct host_set *set, const struct hosts *hosts)
{
    set->equal = true;
    set->healthy = must_alloc(sizeof(uint32_t) * MAX(hosts->endpoints.n, 1));
    for (uint32_t i = 0; i < hosts->endpoints.n; i++) {
        const struct endpoint *e = &hosts->endpoints.v[i];

        if (!endpoint_is_usable(e))
            continue;
        if (set->n > 0 && e->weight != hosts->endpoints.v[set->healthy[0]].weight)
            set->equal = false;
        set->healthy[set->n++] = i;
    }
}

struct host_set *host_set_new(const struct hosts *hosts, enum lb_policy policy, struct rng *rng)
{
    struct host_set *set = must_alloc(sizeof(*set));
    uint64_t sum = 0;

    MUST(policy < LEN(algorithms));
    set->hash = hosts->part.hash;
    set->policy = (uint8_t)policy;
    healthy_find(set, hosts);
    if (!set->equal) {
        set->weight_end = must_alloc(sizeof(uint64_t) * set->n);
        for (uint32_t i = 0; i < set->n; i++)
            set->weight_end[i] = sum += hosts->endpoints.v[set->healthy[i]].weight;
    }
    if (algorithms[policy]->init && set->n > 0)
        algorithms[policy]->init(set, hosts, rng);
    return set;
}

void host_set_free(struct host_set *set)
{
    if (!set)
        return;
    spread_fini(&set->spread);
    free(set->weight_end);
    free(set->healthy);
    free(set);
}

const struct endpoint *host_set_next(struct host_set *set, const struct hosts *hosts,
                                     struct rng *rng)
{
    uint32_t at = set->n > 1 ? algorithms[set->policy]->next(set, hosts, rng) : 0;

    return &hosts->endpoints.v[set->healthy[at]];
}

uint32_t host_set_draw(const struct host_set *set, struct rng *rng)
{
    uint32_t low = 0, high = set->n - 1;
    uint64_t card;

    if (set->equal)
        return (uint32_t)rng_below(rng, set->n);
    card = rng_below(rng, set->weight_end[set->n - 1]);
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (set->weight_end[mid] <= card)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
