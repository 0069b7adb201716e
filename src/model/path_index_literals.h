/*
 * model/path_index_literals - which of many short texts stand in a path: the prefilter of
 * regular expressions.
 *
 * One pass over the path, octet by octet: the last four octets (or two, for shorter texts)
 * are looked up in a hash table behind a bitmap. Of each pattern the four octets are taken
 * that the fewest patterns share. Built once, in the part's arena; pure afterwards.
 */
#pragma once

#include "base/arena.h"

struct literal_index;

/* The texts that a pattern needs, in lower case, of two octets or more; any one will do. */
struct literal_choice {
    const struct str *v;
    uint32_t n; /* 0: the pattern is no business of the index */
};

struct literal_index *literal_index_build(const struct literal_choice *choices, uint32_t n,
                                          struct arena *a);

#define LITERAL_HITS_MAX 24

struct literal_hits {
    bool is_all; /* too many to list, or octets that are not ASCII: any may match */
    uint32_t n;
    uint32_t patterns[LITERAL_HITS_MAX]; /* rising */
};

/* Which patterns have their text in `path`, in any case. */
void literal_index_scan(const struct literal_index *x, struct str path, struct literal_hits *ret);
