/*
 * filter/headers - sets, adds and removes headers of requests and responses.
 *
 * Source: Istio VirtualService http[].headers; Envoy's header_mutation. Config: lines
 * "<side> <verb> <name>[: <value>]", e.g. "request set x-a: 1", "response remove server";
 * "request host <value>" replaces the authority. State: none. Never waits, never replies.
 *
 * Order within one request or response: removals first, then sets and adds as they stand, then
 * hosts, each of which leaves the one before in x-envoy-original-host (observed.md, Headers). A
 * set with an empty value changes nothing there.
 */
#pragma once

#include "filter/filter.h"

extern const struct filter_kind filter_headers;
