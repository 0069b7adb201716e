#include "codec/scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NUMBER_MAX 128 /* longer texts are strings */
#define WORD_MAX 5     /* octets of the longest of these */

static const struct {
    struct str text;
    struct scalar value;
} words[] = {
#define YES                                                                                        \
    {                                                                                              \
        .kind = SCALAR_BOOL, .truth = true                                                         \
    }
#define NO                                                                                         \
    {                                                                                              \
        .kind = SCALAR_BOOL                                                                        \
    }
#define NIL                                                                                        \
    {                                                                                              \
        .kind = SCALAR_NULL                                                                        \
    }
#define NUM(v)                                                                                     \
    {                                                                                              \
        .kind = SCALAR_FLOAT, .number = (v)                                                        \
    }
    { STR_INIT(""), NIL },
    { STR_INIT("~"), NIL },
    { STR_INIT("null"), NIL },
    { STR_INIT("Null"), NIL },
    { STR_INIT("NULL"), NIL },
    { STR_INIT("y"), YES },
    { STR_INIT("Y"), YES },
    { STR_INIT("yes"), YES },
    { STR_INIT("Yes"), YES },
    { STR_INIT("YES"), YES },
    { STR_INIT("true"), YES },
    { STR_INIT("True"), YES },
    { STR_INIT("TRUE"), YES },
    { STR_INIT("on"), YES },
    { STR_INIT("On"), YES },
    { STR_INIT("ON"), YES },
    { STR_INIT("n"), NO },
    { STR_INIT("N"), NO },
    { STR_INIT("no"), NO },
    { STR_INIT("No"), NO },
    { STR_INIT("NO"), NO },
    { STR_INIT("false"), NO },
    { STR_INIT("False"), NO },
    { STR_INIT("FALSE"), NO },
    { STR_INIT("off"), NO },
    { STR_INIT("Off"), NO },
    { STR_INIT("OFF"), NO },
    { STR_INIT(".nan"), NUM(NAN) },
    { STR_INIT(".NaN"), NUM(NAN) },
    { STR_INIT(".NAN"), NUM(NAN) },
    { STR_INIT(".inf"), NUM(INFINITY) },
    { STR_INIT(".Inf"), NUM(INFINITY) },
    { STR_INIT(".INF"), NUM(INFINITY) },
    { STR_INIT("+.inf"), NUM(INFINITY) },
    { STR_INIT("+.Inf"), NUM(INFINITY) },
    { STR_INIT("+.INF"), NUM(INFINITY) },
    { STR_INIT("-.inf"), NUM(-INFINITY) },
    { STR_INIT("-.Inf"), NUM(-INFINITY) },
    { STR_INIT("-.INF"), NUM(-INFINITY) },
};

/* Digits of `base` to the end of the text; false on anything else or beyond 64 bits. */
static bool read_digits(const char *p, unsigned base, uint64_t *ret)
{
    uint64_t v = 0;

    if (!*p)
        return false;
    for (; *p; p++) {
        char c = ascii_lower(*p);
        unsigned digit;

        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *ret = v;
    return true;
}

/* Go's strconv.ParseInt with base 0. */
static bool read_integer(const char *p, struct scalar *ret)
{
    bool minus = *p == '-';
    unsigned base = 10;
    uint64_t v;

    if (*p == '-' || *p == '+')
        p++;
    if (p[0] == '0' && p[1]) {
        char c = ascii_lower(p[1]);

        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        p += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
    }
    if (!read_digits(p, base, &v))
        return false;
    if (minus ? v > (uint64_t)INT64_MAX + 1 : false)
        return false;
    *ret = (struct scalar){ .kind = SCALAR_INT,
                            .big = !minus && v > INT64_MAX,
                            .integer = (int64_t)(minus ? 0 - v : v),
                            .number = minus ? -(double)v : (double)v };
    return true;
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_like_float(const char *p)
{
    const char *start;

    if (*p == '-' || *p == '+')
        p++;
    start = p;
    p = skip_digits(p);
    if (*p == '.') {
        const char *after = skip_digits(p + 1);

        if (p == start && after == p + 1)
            return false;
        p = after;
    } else if (p == start) {
        return false;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '-' || *p == '+')
            p++;
        start = p;
        p = skip_digits(p);
        if (p == start)
            return false;
    }
    return *p == '\0';
}

static bool read_float(const char *p, double *ret)
{
    double v;

    if (!looks_like_float(p))
        return false;
    errno = 0;
    v = strtod(p, NULL);
    if (!isfinite(v))
        return false;
    *ret = v;
    return true;
}

struct scalar scalar_resolve(struct str text)
{
    char plain[NUMBER_MAX + 1];
    struct scalar found = { .kind = SCALAR_STR };
    size_t n = 0;
    /* By their first octet most texts are neither. */
    bool may_be_word = !text.n || strchr("~nNyYtTfFoO.+-", text.p[0]);
    bool may_be_number = text.n && strchr(".+-0123456789", text.p[0]);

    for (size_t i = 0; i < LEN(words) && may_be_word && text.n <= WORD_MAX; i++)
        if (str_eq(text, words[i].text))
            return words[i].value;
    if (!may_be_number || text.n > NUMBER_MAX)
        return found;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\0')
            return found;
        if (text.p[i] != '_')
            plain[n++] = text.p[i];
    }
    plain[n] = '\0';
    if (read_integer(plain, &found))
        return found;
    if (read_float(plain, &found.number))
        found.kind = SCALAR_FLOAT;
    return found;
}

const char *scalar_kind_name(enum scalar_kind k)
{
    static const char *const names[] = { "null", "a boolean", "a whole number", "a number",
                                         "a string" };

    return names[k];
}

bool scalar_parse_int(struct str text, int64_t *ret)
{
    bool minus = text.n && text.p[0] == '-';
    uint64_t v;

    if (!str_u64(str_from(text, minus), &v) || v > (uint64_t)INT64_MAX)
        return false;
    *ret = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

bool scalar_parse_double(struct str text, double *ret)
{
    char plain[NUMBER_MAX + 1];

    if (text.n > NUMBER_MAX || memchr(text.p ? text.p : "", '\0', text.n))
        return false;
    return read_float(str_copy(text, plain, sizeof(plain)), ret);
}

bool size_parse(struct str text, uint64_t *ret)
{
    static const struct {
        struct str suffix;
        uint64_t unit;
    } units[] = {
        { STR_INIT("Ki"), 1u << 10 }, { STR_INIT("Mi"), 1u << 20 }, { STR_INIT("Gi"), 1u << 30 },
        { STR_INIT("k"), 1000 },      { STR_INIT("M"), 1000000 },   { STR_INIT("G"), 1000000000 },
    };
    uint64_t unit = 1, n;

    for (size_t i = 0; i < LEN(units); i++) {
        if (str_ends(text, units[i].suffix)) {
            unit = units[i].unit;
            text.n -= units[i].suffix.n;
            break;
        }
    }
    if (!str_u64(text, &n) || n > UINT64_MAX / unit)
        return false;
    *ret = n * unit;
    return true;
}
