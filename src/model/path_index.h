/*
 * model/path_index - which routes of a virtual host a request can fall to, in rule order.
 *
 * Literal paths by path_index_keys.h, regular expressions by path_index_regex.h; routes that
 * share a path by an exact value that they want, path_index_group.h. What it gives holds for
 * the path; of the other conditions it only leaves out routes that cannot hold. Built once
 * by part_finish, in the part's arena; pure afterwards. Design 5.6.
 */
#pragma once

#include "model/path_index_keys.h"
#include "model/path_index_regex.h"

struct path_index;

struct path_index *path_index_build(const struct vhost *vhost);
void path_index_drop(struct path_index *x); /* takes NULL; before the patterns are dropped */

/* One look-up; lives on the stack, borrows index and request. */
struct path_cursor {
    const struct path_index *index;
    const struct route_request *rq;
    uint32_t deepest[2]; /* keys that hold, case-sensitive and not */
    struct path_batch batch;
    struct path_regex_walk regexes;
};

void path_cursor_init(struct path_cursor *c, const struct path_index *index,
                      const struct route_request *rq);
/* The smallest route number >= `from` that is not left out, or UINT32_MAX. `from` rises from
 * call to call. */
uint32_t path_cursor_next(struct path_cursor *c, uint32_t from);
