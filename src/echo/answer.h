/*
 * echo/answer - what the stand-in workload answers: a head and a body for a request.
 *
 * Pure: no I/O, no clock. Text `Key=Value` lines by default, JSON for Accept:
 * application/json, a page for Accept: text/html (surface.md 3).
 */
#pragma once

#include "base/addr.h"
#include "base/buf.h"
#include "echo/steer.h"
#include "http/message.h"

struct echo_identity {
    struct str name, version; /* version may be empty: not shown on the page */
    bool speaks_grpc;         /* content-type: application/grpc is answered as such */
};

struct echo_request {
    const struct head *head;
    struct addr remote;
    uint64_t body_octets;
};

struct echo_answer {
    struct head *head;        /* content_length is set; -1 with trailers */
    struct str body;          /* or else: */
    uint64_t fill;            /* octets of echo_filling */
    struct headers *trailers; /* NULL: none */
    uint32_t delay_ms;
    bool close, reset_at_head;
};

/* Builds the answer in the arena. */
void echo_answer_build(const struct echo_identity *who, const struct echo_request *rq,
                       struct arena *a, struct echo_answer *ret);

/* Filling repeats this line; octet i of a body of filling is echo_filling.p[i % n]. */
extern const struct str echo_filling;
