/*
 * filter/fault - delays a share of requests, and answers a share by itself.
 *
 * Source: Istio VirtualService http[].fault; Envoy's fault filter. Config: lines
 * "delay <ppm> <ms>" and "abort <ppm> http <status>" or "abort <ppm> grpc <status>". State: the
 * timer of the delay. Waits in the request; an abort comes behind the delay. Both shares are
 * drawn by the worker's own generator.
 */
#pragma once

#include "filter/filter.h"

extern const struct filter_kind filter_fault;
