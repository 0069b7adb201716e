/*
 * telemetry/flags - response flags and gRPC statuses as people and boards read them.
 *
 * Source: istio-api facts 6.3, 6.4; the gRPC status of a response without one follows its
 * HTTP status as gRPC's HTTP mapping says.
 */
#pragma once

#include "telemetry/record.h"

#define FLAGS_TEXT_MAX 128

/* "UF,URX" in Envoy's order, or "-". The text lies in `out` or is a literal. */
struct str flags_format(uint32_t flags, char out[static FLAGS_TEXT_MAX]);

#define GRPC_STATUS_NONE (-1)
#define GRPC_STATUS_COUNT 17

/* The status of a gRPC request's response: its trailers', else its head's, else what the HTTP
 * status means. GRPC_STATUS_NONE for other requests and where nothing was answered. */
int grpc_status_of(const struct record *r);
/* What an HTTP status means to a gRPC client: 14 for 503, 12 for 404 ... */
int grpc_status_of_code(uint16_t code);
/* "DeadlineExceeded", "DEADLINE_EXCEEDED"; STR_NONE beyond 16. */
struct str grpc_status_camel(int status);
struct str grpc_status_snake(int status);
/* The status of a name in capitals; GRPC_STATUS_NONE: it is none. */
int grpc_status_named(struct str name);
