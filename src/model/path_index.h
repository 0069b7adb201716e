/*
 * model/path_index - which routes of a virtual host a path can fall to, in rule order.
 *
 * Exact and prefix paths stand in one sorted array in which each knows the next shorter
 * prefix of itself: one binary search finds all that hold, whatever the number of routes.
 * Built once by part_finish, in the part's arena; pure afterwards.
 *
 * The simple inside: regexes are tried one by one, in rule order, and only while they come
 * before the next literal; design 5.6 wants them in sets behind a literal prefilter, and
 * rules on one path that differ by a header hashed on its value. Both fit behind
 * path_cursor_next.
 */
#pragma once

#include "model/parts.h"

struct path_index *path_index_build(const struct vhost *vhost);

/* One look-up; lives on the stack, borrows the path. */
struct path_cursor {
    const struct path_index *index;
    struct str path;
    /* The deepest key that holds, case-sensitive and not; UINT32_MAX: none. */
    uint32_t deepest[2];
    uint32_t regex_at; /* the next regex to try */
};

void path_cursor_init(struct path_cursor *c, const struct path_index *index, struct str path);
/* The smallest route number >= `from` whose path matcher holds, or UINT32_MAX. `from` never
 * goes down from call to call. */
uint32_t path_cursor_next(struct path_cursor *c, uint32_t from);
