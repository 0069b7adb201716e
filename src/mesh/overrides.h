/*
 * mesh/overrides - what one rule sets of the chain's filters (docs/filters.md): configurations
 * by instance name, in the kinds' own words.
 *
 * Source: istio-api.md 1.4.3; observed.md (Headers).
 */
#pragma once

#include "mesh/compile.h"

struct api_http_destination;

/* In the part's arena. */
struct overrides {
    struct filter_config *v;
    uint32_t n;
};

/* Those of a rule, or (`d`) of one of its destinations, which then say the rule's, too. */
struct overrides overrides_compile(struct compile *c, struct part *p, const struct rule_ref *r,
                                   const struct api_http_destination *d);
