/*
 * model/pattern - the regular expressions of matchers: RE2 through codec/regex.h.
 *
 * Equal patterns, and equal sets of them, are compiled once for the whole process, whatever
 * the number of parts that have them: a change that leaves a pattern alone does not pay for
 * it again. Building and dropping take a lock; matching does not.
 */
#pragma once

#include "codec/regex_set.h"
#include "model/parts.h"

/* Compiles m->value into m->regex; false with a text for people, in `a`. */
MUST_USE bool pattern_build(struct text_matcher *m, struct arena *a, struct str *reterr);
void pattern_drop(struct text_matcher *m);
/* Does the whole of `text` match? */
bool pattern_matches(const struct regex *regex, struct str text);

/* regex_literals of a pattern that is built; kept as long as it is. */
struct pattern_literals {
    const struct str *v;
    uint32_t n;
};
struct pattern_literals pattern_literals(struct str pattern);

/* Patterns that are matched in one pass: REGEX_SET_MAX at most, each of which is built and
 * stays so as long as the set is held. */
struct pattern_set {
    struct regex_set *regexes; /* NULL: they do not fit into a set */
};
struct pattern_set *pattern_set_hold(const struct str *patterns, uint32_t n);
void pattern_set_drop(struct pattern_set *set); /* takes NULL */
