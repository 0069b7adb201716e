/*
 * codec/regex_set - up to 64 regular expressions that are matched in one pass.
 *
 * Pure; threads as in codec/regex.h. Either call may fail where codec/regex would not: a set
 * has a budget. The caller then asks the regexes one by one (design 5.6).
 */
#pragma once

#include "base/str.h"

#define REGEX_SET_MAX 64
/* Octets, its cache included: a thread that copies a set is held up for 3 ms at most. */
#define REGEX_SET_MEMORY (512 << 10)

struct regex_set;

/* Patterns that regex_new takes, at most REGEX_SET_MAX; copied. NULL where they do not
 * compile within the budget. */
MUST_USE struct regex_set *regex_set_new(const struct str *patterns, uint32_t n);
void regex_set_free(struct regex_set *s); /* takes NULL */

/* Which ones match all of `text`: bit i is pattern i. False: RE2 gave up. */
MUST_USE bool regex_set_match(const struct regex_set *s, struct str text, uint64_t *ret);
