#include "lb/host_set.h"

static uint32_t random_next(struct host_set *set, __attribute__((unused)) const struct hosts *hosts,
                            struct rng *rng)
{
    return host_set_draw(set, rng);
}

const struct lb_algorithm random_algorithm = { NULL, random_next };
