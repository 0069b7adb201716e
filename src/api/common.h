/*
 * api/common - messages that several kinds share: selectors, StringMatch, Percent, PortSelector.
 *
 * Source: Istio API, networking/v1; istio-api.md 1.2 and 1.4.
 */
#pragma once

#include "api/schema.h"

/* Text to compare with: exact, prefix or RE2 regex; none set is a presence test */
struct api_string_match {
    struct api_at at;
    struct str exact;
    struct str prefix;
    struct str regex;
};
extern const struct api_record rec_string_match;

/* A share in percent */
struct api_percent {
    struct api_at at;
    struct opt_num value;
};
extern const struct api_record rec_percent;
/* Of a million, as Envoy rounds; NULL: 0. */
uint32_t percent_ppm(const struct api_percent *p);

/* One port by number */
struct api_port_selector {
    struct api_at at;
    struct opt_int number;
};
extern const struct api_record rec_port_selector;

/* Labels that must all be equal */
struct api_label_selector {
    struct api_at at;
    struct str_map match_labels;
    const struct node *match_expressions;
};
extern const struct api_record rec_label_selector;

/* Labels of workloads, the older spelling */
struct api_workload_selector {
    struct api_at at;
    struct str_map labels;
};
extern const struct api_record rec_workload_selector;

/* SO_KEEPALIVE and its times */
struct api_tcp_keepalive {
    struct api_at at;
    struct opt_int probes;
    struct opt_dur time;
    struct opt_dur interval;
};
extern const struct api_record rec_tcp_keepalive;
