/*
 * tests/sim/h1read - a plain reader of HTTP/1 for the virtual clients and backends; shares
 * nothing with the program's.
 */
#pragma once

#include "sim/traffic.h"

struct h1head {
    uint16_t status;
    char method[12];
    int64_t length, id; /* -1: none */
    int64_t sum;        /* `x-sum` behind the body; -1: none */
    bool chunked, close;
    bool wrong; /* octets that answered nobody when they left */
};

enum h1step {
    H1R_HEAD,
    H1R_LENGTH,
    H1R_SIZE,
    H1R_CHUNK,
    H1R_CHUNK_END,
    H1R_TRAILERS,
    H1R_CLOSE,
    H1R_DONE
};

struct h1read {
    bool responses, no_body;
    enum h1step step;
    struct h1head head;
    uint64_t left;
    struct text line; /* a head, or a line of a body's framing */
};

enum h1what { H1W_MORE, H1W_HEAD, H1W_DATA, H1W_END, H1W_BAD };

void h1read_begin(struct h1read *r, bool responses);
/* Takes octets from the front. H1W_HEAD: `head` is filled; set `no_body` then where the request
 * was HEAD. H1W_DATA: `ret` has them. H1W_END: begin again. */
enum h1what h1read_next(struct h1read *r, struct str *octets, struct str *ret);
