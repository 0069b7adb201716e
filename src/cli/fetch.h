/*
 * cli/fetch - one GET from a running program's admin port, by the program's own HTTP client.
 * Blocks, 10 s at most.
 */
#pragma once

#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"
#include "http/message.h"

struct fetched {
    uint16_t status;
    struct headers headers;
    struct str body;
};

/* `target` is path and query. False: `ret_why` says why, for people. */
MUST_USE bool fetch_page(const struct addr *at, struct str target, struct arena *a,
                         struct fetched *ret, struct str *ret_why);

/* Appends what a query may hold of `text`, the rest as %XX. */
void fetch_add_escaped(struct buf *b, struct str text);
