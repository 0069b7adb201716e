/*
 * tests/unit/route/naive_regex - a regular expression matcher that shares nothing with RE2,
 * for the few forms that the tests make: literals, ".", "[ab]", "[^ab]", "[a-b]", groups,
 * "|", "*", "+", "?" and "(?i)" at the start. Texts of at most 63 octets.
 */
#pragma once

#include "base/str.h"

/* Does the pattern match all of the text? */
bool naive_regex_matches(struct str pattern, struct str text);
