#include "base/str.h"

#include "base/swar.h"

/* The last step overlaps the one before: where there are four octets none is looked at alone. */
bool str_eq_nocase(struct str a, struct str b)
{
    size_t n = a.n;

    if (n != b.n)
        return false;
    if (n >= 8) {
        for (size_t i = 0; i + 8 < n; i += 8) {
            if (swar_lower(swar_load8(a.p + i)) != swar_lower(swar_load8(b.p + i)))
                return false;
        }
        return swar_lower(swar_load8(a.p + n - 8)) == swar_lower(swar_load8(b.p + n - 8));
    }
    if (n >= 4)
        return swar_lower(swar_load4to8(a.p, n)) == swar_lower(swar_load4to8(b.p, n));
    for (size_t i = 0; i < n; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    }
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_make(s.p, prefix.n), prefix);
}

bool str_ends_nocase(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq_nocase(str_from(s, s.n - suffix.n), suffix);
}

static bool has_capital8(uint64_t v)
{
    return swar_lower(v) != v;
}

bool str_has_capital(struct str s)
{
    struct swar_ends ends = swar_ends_of(s.p, s.n);

    for (size_t i = 8; i + 8 < s.n; i += 8) {
        if (has_capital8(swar_load8(s.p + i)))
            return true;
    }
    return has_capital8(ends.first) || has_capital8(ends.last);
}

size_t str_find_str(struct str s, struct str needle)
{
    const char *at;

    if (needle.n == 0)
        return 0;
    at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

struct str str_cut(struct str *rest, char sep)
{
    struct str all = *rest;
    size_t at = str_find(all, sep);

    *rest = at < all.n ? str_from(all, at + 1) : STR_NONE;
    return str_sub(all, 0, at);
}

struct str str_trim(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool str_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *ret = v;
    return true;
}

struct str str_of_u64(uint64_t v, char out[static 20])
{
    char *at = out + 20;

    do
        *--at = (char)('0' + v % 10);
    while (v /= 10);
    return str_make(at, (size_t)(out + 20 - at));
}

char *str_copy(struct str s, char *dst, size_t size)
{
    size_t n;

    MUST(size > 0);
    n = MIN(s.n, size - 1);
    if (n)
        memcpy(dst, s.p, n);
    dst[n] = '\0';
    return dst;
}

char *heap_strz(struct str s)
{
    char *z = must_alloc(s.n + 1);

    if (s.n)
        memcpy(z, s.p, s.n);
    return z;
}
