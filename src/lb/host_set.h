/*
 * lb/host_set - a worker's state about one version of one host set: who is healthy, their
 * weights, and what the algorithm remembers. For the folder's own files; one file per
 * algorithm, each a const record.
 */
#pragma once

#include "lb/spread.h"
#include "model/parts.h"

struct host_set {
    struct host_set *next; /* another version or policy of the same slot */
    uint64_t hash;         /* of the part: the indexes below hold for every part with that hash */
    uint8_t policy;        /* enum lb_policy */
    uint32_t *healthy;
    uint32_t n;
    bool equal;           /* all weights are the same */
    uint64_t *weight_end; /* running sums of the weights; NULL when equal */
    struct spread spread; /* round robin over unequal weights */
    uint32_t at;          /* round robin over equal weights */
};

struct lb_algorithm {
    void (*init)(struct host_set *set, const struct hosts *hosts, struct rng *rng); /* or NULL */
    /* The next one as index into `healthy`; n > 0. */
    uint32_t (*next)(struct host_set *set, const struct hosts *hosts, struct rng *rng);
};

extern const struct lb_algorithm round_robin_algorithm, least_request_algorithm, random_algorithm;

struct host_set *host_set_new(const struct hosts *hosts, enum lb_policy policy, struct rng *rng);
void host_set_free(struct host_set *set);
const struct endpoint *host_set_next(struct host_set *set, const struct hosts *hosts,
                                     struct rng *rng);

/* By chance, in proportion to the weights: an index into `healthy`. */
uint32_t host_set_draw(const struct host_set *set, struct rng *rng);
