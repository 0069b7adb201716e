/*
 * model/pattern - the regular expressions of matchers: RE2 through codec/regex.h.
 */
#pragma once

#include "model/parts.h"

/* Compiles m->value into m->regex; false with a text for people, in `a`. */
MUST_USE bool pattern_build(struct text_matcher *m, struct arena *a, struct str *reterr);
void pattern_drop(struct text_matcher *m);
/* Does the whole of `text` match? */
bool pattern_matches(const struct regex *regex, struct str text);
