/*
 * codec/grpc_count - counts the messages of a gRPC body as it passes.
 *
 * Source: gRPC over HTTP/2: each message is led by a flag octet and its length in four.
 */
#pragma once

#include "base/str.h"

#define GRPC_PREFIX 5

struct grpc_count {
    uint64_t messages; /* whose prefix has passed */
    uint32_t left;     /* octets of the last one that are to come */
    uint32_t prefix_n;
    uint8_t prefix[GRPC_PREFIX];
};

/* The next octets; zeroed before the first. */
void grpc_count_add(struct grpc_count *g, struct str octets);
