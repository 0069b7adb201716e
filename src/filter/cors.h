/*
 * filter/cors - answers preflights of browsers, and lets scripts of allowed origins read answers.
 *
 * Source: Istio VirtualService http[].corsPolicy; Envoy's cors filter. Config: lines
 * "origin <exact|prefix|regex> <value>" (one of them must match), and, each at most once,
 * "methods <list>", "headers <list>", "expose <list>", "max-age <s>", "credentials", "forward":
 * a preflight of another origin goes to the backend. State: whether the origin is allowed.
 * Never waits.
 */
#pragma once

#include "filter/filter.h"

extern const struct filter_kind filter_cors;
