/*
 * filter/filter - the contract of HTTP filters (design 5.14).
 *
 * A chain is data: each connection manager lists (kind, instance name, config); virtual
 * host, route and destination override the config by instance name. A kind is one const
 * record of hooks. On a request the hooks run in the chain's order, on a response in
 * reverse, also on replies made here; each hook is optional.
 *
 *   request:   request_head   request_body*   request_trailers
 *   response:  response_info* response_head   response_body*   response_trailers
 *
 * A hook says how to go on:
 *   FLOW_NEXT     to the next filter
 *   FLOW_WAIT     not yet: the filter keeps stream->handle and later calls ops->go_on();
 *                 octets are held back meanwhile, then back-pressure sets in. Heads only.
 *   FLOW_DONE     the filter has answered (ops->reply) or takes the rest over
 *   FLOW_REROUTE  to the next filter, after choosing the route anew (request head only)
 */
#pragma once

#include "base/bufq.h"
#include "http/stream.h"

enum flow { FLOW_NEXT, FLOW_WAIT, FLOW_DONE, FLOW_REROUTE };

struct filter_kind {
    const char *name;  /* as in filter_config.kind */
    size_t state_size; /* of the filter's memory for one stream, zeroed */

    /* Reads `octets` into the kind's own struct in the arena. NULL with a text: refused.
     * Kinds without configuration leave it out. An instance of a kind that has one does nothing
     * where its configuration is empty, and is left out of the request's chain. */
    const void *(*config_read)(struct str octets, struct arena *a, struct str *reterr);
    void (*config_free)(const void *config); /* what config_read took beside the arena */

    enum flow (*request_head)(struct stream *s, const void *config, void *state);
    enum flow (*request_body)(struct stream *s, const void *config, void *state,
                              struct bufq *octets, bool end);
    enum flow (*request_trailers)(struct stream *s, const void *config, void *state,
                                  struct headers *trailers);
    enum flow (*response_info)(struct stream *s, const void *config, void *state,
                               struct head *info);
    enum flow (*response_head)(struct stream *s, const void *config, void *state);
    enum flow (*response_body)(struct stream *s, const void *config, void *state,
                               struct bufq *octets, bool end);
    enum flow (*response_trailers)(struct stream *s, const void *config, void *state,
                                   struct headers *trailers);
    /* The stream ends; the filter drops what it holds. */
    void (*done)(struct stream *s, const void *config, void *state);
};

/* The row of a kind, or NULL (filter/kinds.c is the registry and nothing else). */
const struct filter_kind *filter_kind_find(struct str name);

/* Sets `parsed` (NULL: does nothing) and `row` of a config. For model's part hooks. False:
 * unknown kind, or its config was refused. */
MUST_USE bool filter_config_parse(struct filter_config *fc, struct arena *a, struct str *reterr);

/* For part_hooks, too: of what was parsed. */
void filter_config_drop(struct filter_config *fc);

/* The override of an instance at the most specific place that has one: destination, route,
 * virtual host; else `base`. */
const struct filter_config *filter_config_for(const struct stream *s,
                                              const struct filter_config *base);
