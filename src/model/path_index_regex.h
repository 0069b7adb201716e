/*
 * model/path_index_regex - the routes of a virtual host whose path is a regular expression.
 *
 * Equal patterns are one. They stand in the order of their first routes, in sets of at most
 * 64. A pattern of which a text is known that each match holds is a candidate only where
 * that text is in the path (path_index_literals.h). Of a set with few candidates these are
 * tried one by one, else the set runs; a set that RE2 gives up on is tried one by one, too
 * (design 5.6). Built once by part_finish; pure afterwards, but for RE2's copies.
 */
#pragma once

#include "model/path_index_group.h"
#include "model/path_index_literals.h"

struct path_regexes;

/* NULL: there are none. Holds its patterns' sets until it is dropped. */
struct path_regexes *path_regexes_build(const struct vhost *vhost);
void path_regexes_drop(struct path_regexes *x); /* takes NULL */

/* How far one look-up has come; {0} is the start. */
struct path_regex_walk {
    uint32_t set;    /* the one being looked at */
    bool is_scanned; /* `hits` is filled */
    bool has_bits, is_exact;
    uint64_t bits; /* of `set`: what is to be tried, or, if exact, known to match */
    struct literal_hits hits;
};

/* Tries patterns, in order, whose first route comes before `best`, until one matches; adds
 * its routes from `from` on and returns true. False: no such pattern is left. */
bool path_regexes_next(const struct path_regexes *x, struct path_regex_walk *w,
                       const struct route_request *rq, uint32_t from, uint32_t best,
                       struct path_batch *b);
/* Begins anew for the same path. */
void path_regexes_again(struct path_regex_walk *w);
