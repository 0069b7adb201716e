/*
 * codec/regex - regular expressions in RE2's syntax and time (linear), as Istio's API has it.
 *
 * Pure. A regex may be used by several threads at once: those that use it much get a copy of
 * their own, because RE2 takes a lock (regex_copies.h, design 5.6). Patterns and text are
 * UTF-8; octets that are not UTF-8 match no ".". Source: VirtualService StringMatch.regex
 * ("RE2 style"), HTTPRewrite.uriRegexRewrite.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define REGEX_PATTERN_MAX 1024     /* octets (RegexRewrite.match: at most 1024) */
#define REGEX_MEMORY_MAX (8 << 20) /* octets for the program and its caches: RE2's default */
/* What a pattern gets whose program is of at most REGEX_SMALL instructions: its cache grows
 * with the texts that strangers send. */
#define REGEX_MEMORY_SMALL (512 << 10)
#define REGEX_SMALL 200

struct regex;

/* Compiles; NULL where the pattern is too long, not RE2 or over the memory cap, and then a
 * sentence is added to `error` (may be NULL). */
MUST_USE struct regex *regex_new(struct str pattern, struct buf *error);
void regex_free(struct regex *r); /* takes NULL */

/* Matches all of `text`, as Envoy's safe_regex does; or a part of it. A text that RE2 gives
 * up on matches nothing. */
bool regex_is_full(const struct regex *r, struct str text);
bool regex_is_partial(const struct regex *r, struct str text);

/* Could `rewrite` ("\1/x", "\0" is all) be used with r? If not, says why. */
MUST_USE bool regex_rewrite_check(const struct regex *r, struct str rewrite, struct buf *error);
/* `text` with each match replaced, as Envoy's regex_rewrite does; `text` itself where
 * nothing matches. Captures are put in as they are. */
struct str regex_replace_all(const struct regex *r, struct str text, struct str rewrite,
                             struct arena *a);

/* Instructions of the compiled program: a measure of what a match may cost. */
int regex_size(const struct regex *r);

/* Texts of two octets or more, in lower case, each of which stands in whatever r matches,
 * once that is in lower case. Holds for texts of ASCII alone: letters beyond it may fold
 * into it (U+212A is a "k"). Appended to `ret` in `a`; at most `max`; returns how many. */
uint32_t regex_literals(const struct regex *r, struct arena *a, struct str *ret, uint32_t max);
