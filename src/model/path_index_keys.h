/*
 * model/path_index_keys - the exact and prefix paths of a virtual host, of one case
 * sensitivity, in a sorted array in which each knows the next shorter prefix of itself: one
 * binary search finds all that hold, whatever the number of routes.
 *
 * Built once, in the part's arena; pure afterwards.
 */
#pragma once

#include "model/path_index_group.h"

struct path_keys;

struct path_keys *path_keys_build(const struct vhost *vhost, bool nocase);

/* The deepest key that is the path or a prefix of it; UINT32_MAX: none. */
uint32_t path_keys_deepest(const struct path_keys *keys, struct str path);
/* Adds the routes of `deepest` and of what is above it, from `from` on. */
void path_keys_collect(const struct path_keys *keys, uint32_t deepest,
                       const struct route_request *rq, uint32_t from, struct path_batch *b);
