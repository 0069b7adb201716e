/*
 * tests/sim/conf - small configurations: a clear and a TLS listener, two hosts, two clusters.
 */
#pragma once

#include "model/root.h"

enum { CLUSTERS = 2, HOSTS_MAX = 3, HOST_STRIDE = 4, PORT_CLEAR = 80, PORT_TLS = 443 };
enum { ADDRESS_FIRST = 200, ADDRESS_LAST = 203 }; /* of clients */

struct conf {
    bool tls;                 /* there is the second listener */
    bool http2[CLUSTERS];     /* how backends are spoken to */
    uint32_t hosts[CLUSTERS]; /* 1 to HOSTS_MAX; backend = cluster * HOST_STRIDE + host */
    struct cluster_limits limits[CLUSTERS];
    uint32_t per_connection; /* maxRequestsPerConnection */
    uint32_t listener_max;   /* connections of clients; 0: any number */
    uint32_t connect_ms, idle_ms, down_idle_ms, head_ms, route_ms;
    uint32_t retries, buffer_limit;
    uint64_t max_body;
    bool headers_filter;
    uint8_t lb;
};

struct root *conf_root(const struct conf *c, struct slots *slots, struct root *base);
slot_id conf_listener(struct slots *slots, uint16_t port);
const char *conf_cluster_name(uint32_t i);
