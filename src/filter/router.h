/*
 * filter/router - the last filter of every chain: sends the request to its destination.
 *
 * Source: envoy.filters.http.router. Config: none. State: none. Never waits.
 */
#pragma once

#include "filter/filter.h"

extern const struct filter_kind filter_router;
