/*
 * http/message - heads of requests and responses, whatever the version of HTTP.
 *
 * A head and all it names live in an arena: the stream's, or the connection's before a
 * stream exists. The rest of the data plane reads and changes heads, never octets
 * (reliability.md 7.1).
 */
#pragma once

#include "base/arena.h"
#include "codec/header.h"

enum http_version { HTTP_10, HTTP_11, HTTP_2 };

struct head {
    struct head *next; /* of several informational heads */
    uint8_t version;   /* enum http_version, as received */

    /* request */
    struct str method;
    struct str scheme;    /* as the request target says; STR_NONE in origin form */
    struct str authority; /* Host, or the target's; as received */
    struct str path;      /* with query; "*" for OPTIONS *; empty for CONNECT */
    struct str upgrade;   /* the protocol asked for, with `Connection: upgrade` */
    bool expect_continue;

    /* response */
    uint16_t status;
    struct str reason;

    /* Body octets to come: -1 when not known beforehand. */
    int64_t content_length;
    /* The sender gave a body without its length: it goes on that way, as Envoy sends it, even
     * where all of it has arrived by then. */
    bool is_streamed;

    /* Without what belongs to the hop: the codec keeps connection, transfer-encoding,
     * content-length and what `Connection` names out. */
    struct headers headers;
};

struct head *head_new(struct arena *a);
/* Does its content-type say application/grpc? Not application/grpc-web: that is HTTP to everybody
 * here. */
bool head_is_grpc(const struct head *head);
/* The standard reason phrase, or "Unknown". */
struct str status_reason(uint16_t status);
/* May a response of that status to that method have a body? RFC 9110, 6.4.1. */
bool response_has_body(struct str method, uint16_t status);
