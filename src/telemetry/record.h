/*
 * telemetry/record - the decision record: what happened to one request (design 5.12).
 *
 * Filled by the request path as it goes; access log, metrics, explain and traces only read
 * it. Strings are borrowed from the stream and the root; a record is read before both go.
 */
#pragma once

#include "base/addr.h"
#include "codec/header.h"
#include "http/response_flag.h"
#include "model/parts.h"

enum protocol { PROTOCOL_HTTP10, PROTOCOL_HTTP11, PROTOCOL_HTTP2 };

struct stat_row;

struct record {
    /* The row of counters (metrics_listener_row) that is at hand already; NULL: looked up by the
     * listener. */
    struct stat_row *listener_stats;

    /* decisions */
    const struct listener *listener;
    const struct chain *chain;
    const struct vhost *vhost;
    const struct route *route;
    const struct destination *destination;
    const struct cluster *cluster;
    const struct endpoint *endpoint;
    uint16_t attempts;           /* tries at upstreams */
    uint16_t code;               /* 0: no response head was sent */
    uint32_t flags;              /* enum response_flag */
    const char *details;         /* response code details: a literal; NULL prints "-" */
    const char *termination;     /* connection termination details, or NULL */
    struct str upstream_failure; /* transport failure reason */

    /* times: ns of the loop's monotonic clock, 0: did not happen */
    int64_t start_wall_us;
    uint64_t start_ns, request_end_ns, upstream_start_ns, upstream_first_ns, end_ns;

    /* octets of bodies */
    uint64_t received, sent;

    /* request as received, after the edge's own changes */
    uint8_t protocol;                   /* enum protocol */
    struct str method, path, authority; /* path with query, as the backend sees it */
    struct str original_path;           /* as received, where it differs */
    const struct headers *request, *response, *trailers; /* what was sent down; may be NULL */
    bool is_grpc;
    uint64_t request_messages, response_messages; /* of gRPC */

    struct str sni, tls_version, tls_cipher;
    struct tls_peer *peer; /* the client's certificate, a reference; NULL: none */
    uint64_t connection_id;

    /* addresses */
    struct addr downstream_local, downstream_remote; /* remote: by x-forwarded-for rules */
    struct addr downstream_peer;                     /* direct */
    struct addr upstream_local, upstream_remote;
};
