/*
 * echo/grpc - the gRPC methods of a stand-in: which there are, and their messages.
 *
 * Pure. Source: proto/echo.proto; grpc.health.v1 (health.proto); gRPC over HTTP/2
 * (PROTOCOL-HTTP2.md) for frames and statuses. Messages are at most 4 MiB and not compressed.
 */
#pragma once

#include "echo/answer.h"

#define GRPC_HEAD_LEN 5
#define GRPC_MESSAGE_MAX (4u << 20)
#define GRPC_ANSWERS_MAX 1000000u

enum grpc_status {
    GRPC_OK = 0,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_NOT_FOUND = 5,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
};

/* What one request asks for. */
struct grpc_ask {
    struct str message;         /* to be echoed; a slice of the request */
    uint32_t answers, delay_ms; /* how many, with how long before each */
    uint32_t status;            /* to end the call with behind them, enum grpc_status; 0: none */
    uint32_t health;            /* of grpc.health.v1: a ServingStatus */
};

/* What is told in an answer. */
struct grpc_tell {
    const struct echo_identity *who;
    struct str message;
    uint32_t index, requests;
    uint64_t octets;
    uint32_t health;
};

struct grpc_method {
    struct str path;
    bool asks_once;    /* exactly one request */
    bool answers_late; /* once, when all requests have come */
    bool stays;        /* the call goes on until the client leaves */
    bool (*read)(struct str message, struct grpc_ask *ret);
    bool (*write)(struct buf *to, const struct grpc_tell *t);
};

/* NULL: there is none. */
const struct grpc_method *grpc_method_of(struct str path);

/* Reads the five octets before a message. False: compressed or too large, and `ret_status` and
 * `ret_why` say so. */
MUST_USE bool grpc_head_read(const char in[static GRPC_HEAD_LEN], uint32_t *ret_n,
                             enum grpc_status *ret_status, const char **ret_why);
/* A whole message with its head. False: beyond the buffer's maximum. */
MUST_USE bool grpc_message_write(const struct grpc_method *m, const struct grpc_tell *t,
                                 struct buf *to);
