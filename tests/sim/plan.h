/*
 * tests/sim/plan - what a seed stands for: configuration, weather, faults, requests, clients.
 */
#pragma once

#include "sim/client.h"
#include "sim/conf.h"

#define CLIENTS_MAX 8
#define HASTY 130 /* requests at once: above the streams that a client may have */

struct plan {
    bool calm;    /* nothing is wrong: each request must be answered by its backend */
    bool limited; /* calm, but what is above a limit is refused */
    struct conf conf;
    uint32_t workers;
    size_t max_connections, max_body_octets;
    uint32_t from_address; /* connections of one client address; 0: any number */
    struct client *clients[CLIENTS_MAX];
    uint32_t client_count;
    uint32_t reloads, refusals; /* how many */
    uint64_t drain_ns, stop_ns; /* when; 0: never */
    uint32_t drain_min_ms, drain_max_ms;
};

void plan_make(struct plan *p);
/* Another configuration, for a reload. */
void plan_change(struct plan *p, struct conf *ret);
