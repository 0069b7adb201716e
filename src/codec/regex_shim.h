/*
 * codec/regex_shim - RE2 behind plain C functions; for codec/regex and codec/regex_set alone.
 *
 * Included by C and by C++, so it knows none of base/. No exception leaves it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NULL on failure, with a NUL-terminated sentence in `error`. */
void *re2_shim_new(const char *pattern, size_t n, int64_t max_memory, char *error,
                   size_t error_size);
void re2_shim_free(void *re);
int re2_shim_size(const void *re);
int re2_shim_full(const void *re, const char *text, size_t n);
int re2_shim_partial(const void *re, const char *text, size_t n);
/* 1: fine; 0: a sentence is in `error`. */
int re2_shim_rewrite_check(const void *re, const char *rewrite, size_t n, char *error,
                           size_t error_size);
/* Gives the replaced text to `take` once; returns the number of matches. */
int re2_shim_replace_all(const void *re, const char *text, size_t text_n, const char *rewrite,
                         size_t rewrite_n, void (*take)(void *arg, const char *p, size_t n),
                         void *arg);

/* Gives each text of two octets or more that stands in whatever the pattern matches to
 * `take`, in lower case; none where there is none, or the pattern is bad. */
void re2_shim_literals(const char *pattern, size_t n, int64_t max_memory,
                       void (*take)(void *arg, const char *p, size_t n), void *arg);

/* At most 64 patterns that match all of a text; NULL where they do not compile in
 * `max_memory`. */
void *re2_shim_set_new(const char *const *patterns, const size_t *lengths, size_t n,
                       int64_t max_memory);
void re2_shim_set_free(void *set);
/* 1: which match, bit by bit in *ret; 0: RE2 gave up. */
int re2_shim_set_match(const void *set, const char *text, size_t n, uint64_t *ret);

#ifdef __cplusplus
}
#endif
