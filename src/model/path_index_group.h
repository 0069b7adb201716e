/*
 * model/path_index_group - the routes that share one path: those that also want an exact
 * method, authority, header or query value are found by it.
 *
 * A group is a list of route numbers, rising, and tables that are hashed on one value each;
 * what a value leads to is a group again. Built once, in the part's arena; pure afterwards.
 * It never leaves out a route that could match; it may give one that does not.
 */
#pragma once

#include "model/parts.h"
#include "model/request.h"

struct group_table;

struct path_group {
    const uint32_t *ids; /* routes that no table has */
    uint32_t n;
    uint32_t table_n;
    const struct group_table *tables;
};

/* From rising route numbers, which stay borrowed where the group is small. */
void path_group_build(struct path_group *g, const struct route *routes, const uint32_t *ids,
                      uint32_t n, struct arena *a);

/* The 16 smallest route numbers that are seen, each once. */
#define PATH_BATCH 16
struct path_batch {
    uint32_t n;
    uint32_t limit;           /* what is left out is not below this; UINT32_MAX: nothing is */
    uint32_t ids[PATH_BATCH]; /* rising */
};

void path_batch_add(struct path_batch *b, uint32_t id);
/* Adds numbers >= `from` of a rising list. */
void path_batch_add_list(struct path_batch *b, const uint32_t *ids, uint32_t n, uint32_t from);
/* Adds what the group has for the request, from `from` on. */
void path_group_collect(const struct path_group *g, const struct route_request *rq, uint32_t from,
                        struct path_batch *b);
