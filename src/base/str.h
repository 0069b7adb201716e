/*
 * base/str - slices of octets, by value: the one string type of the program.
 *
 * A str borrows; nothing here allocates. Contents may hold NUL and need not end with one.
 * An absent string is { NULL, 0 }; str_is_set tells it from an empty one.
 */
#pragma once

#include "base/must.h"

#include <stdbool.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define STR_NONE ((struct str){ NULL, 0 })
/* For "%.*s". */
#define STRF(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_of(const char *z)
{
    return z ? (struct str){ z, strlen(z) } : STR_NONE;
}

static inline struct str str_make(const char *p, size_t n)
{
    return (struct str){ p, n };
}

static inline bool str_is_set(struct str s)
{
    return s.p != NULL;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
int str_cmp(struct str a, struct str b);        /* octet order; a prefix stands first */

/* From `from` to the end; up to `n` octets from `from`. Clamped to s. */
static inline struct str str_from(struct str s, size_t from)
{
    from = MIN(from, s.n);
    return str_make(s.p ? s.p + from : NULL, s.n - from);
}

static inline struct str str_sub(struct str s, size_t from, size_t n)
{
    s = str_from(s, from);
    s.n = MIN(s.n, n);
    return s;
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_make(s.p, prefix.n), prefix);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

bool str_has_capital(struct str s); /* of ASCII */

/* Index of the first `c`, of the last `c`, of the first `needle`; s.n where there is none. */
static inline size_t str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends_nocase(struct str s, struct str suffix);

static inline size_t str_rfind(struct str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}
size_t str_find_str(struct str s, struct str needle);

/* Cuts the part before the first `sep` off `rest` and returns it; without a `sep` all of
 * it, and `rest` becomes STR_NONE. A loop runs while (str_is_set(rest)). */
struct str str_cut(struct str *rest, char sep);

/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/* Plain decimal digits, no sign, no overflow. */
MUST_USE bool str_u64(struct str s, uint64_t *ret);

/* The decimal digits of `v`, in `out`. */
struct str str_of_u64(uint64_t v, char out[static 20]);

/* Copies at most size - 1 octets and a NUL; returns dst. For C interfaces only. */
char *str_copy(struct str s, char *dst, size_t size);
/* A copy with a NUL behind it, for free(). */
char *heap_strz(struct str s);
