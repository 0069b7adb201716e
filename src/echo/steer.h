/*
 * echo/steer - what the query of a request asks of the answer (surface.md 3).
 *
 * Pure. Names and values are percent-decoded, "+" is a space; other parameters are left
 * alone. Of a parameter given twice the last counts, `header` and `trailer` add up.
 */
#pragma once

#include "codec/header.h"

#define ECHO_SIZE_MAX (16ull << 30)
#define ECHO_DELAY_MAX_MS 3600000u
#define ECHO_RESOURCES_MAX 64u

struct echo_steer {
    uint16_t status;    /* 200 */
    uint32_t delay_ms;  /* before the head */
    bool has_size;      /* the body is `size` octets of filling */
    uint64_t size;      /* at most ECHO_SIZE_MAX */
    bool close;         /* end the connection behind the answer */
    bool reset_at_head; /* break off behind the head */
    uint32_t resources; /* of the page; Lateen's own extension */
    struct headers headers, trailers;
};

/* Reads a query without its "?". False: `why` is a sentence for the client. */
MUST_USE bool echo_steer_parse(struct str query, struct arena *a, struct echo_steer *ret,
                               struct str *ret_why);
