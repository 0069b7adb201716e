#include "telemetry/log_value.h"

/* Neither a control character nor `"`, `\` or a high octet: stands as it is in every style. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH(c) (UINT64_C(0x0101010101010101) * (c))

/* Bits set where an octet of `x` is below `n`, at most 128: some, if any is. */
static uint64_t any_below(uint64_t x, uint64_t n)
{
    return (x - EACH(n)) & ~x & EACH(0x80);
}

/* Eight octets at a time: most values are plain from end to end. */
static bool are_plain(const char *p, size_t n)
{
    uint64_t x = EACH('a');

    memcpy(&x, p, n);
    return (any_below(x, 0x20) | any_below(x ^ EACH('"'), 1) | any_below(x ^ EACH('\\'), 1) |
            ((x | (x + EACH(1))) & EACH(0x80))) == 0;
}

static size_t plain_len(struct str s)
{
    size_t n = 0;

    while (s.n - n >= 8 && are_plain(s.p + n, 8))
        n += 8;
    /* the last ones together with some before, that were seen already */
    if (s.n - n < 8 && (n ? are_plain(s.p + s.n - 8, 8) : are_plain(s.p, s.n)))
        return s.n;
    while (n < s.n && is_plain((unsigned char)s.p[n]))
        n++;
    return n;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Octets of the well-formed UTF-8 sequence of two or more octets at the front of `s`, or 0.
 * U+0080 to U+009F count as malformed: terminals take them for control sequences. */
static size_t wide_len(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (n == 0 || n > s.n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (!is_tail(p[i]))
            return 0;
    }
    if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) ||
        (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

size_t log_char_len(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];

    return c >= 0x20 && c < 0x7f ? 1 : wide_len(s);
}

static void add_hex(struct buf *out, struct str before, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char pair[2] = { digits[c >> 4], digits[c & 15] };

    buf_add(out, before);
    buf_add(out, str_make(pair, 2));
}

static void add_octet_json(struct buf *out, unsigned char c)
{
    static const struct str shorts[] = {
        ['\b'] = STR_INIT("\\b"),  ['\t'] = STR_INIT("\\t"), ['\n'] = STR_INIT("\\n"),
        ['\f'] = STR_INIT("\\f"),  ['\r'] = STR_INIT("\\r"), ['"'] = STR_INIT("\\\""),
        ['\\'] = STR_INIT("\\\\"),
    };

    if (c >= 0x80)
        buf_add(out, STR("\xef\xbf\xbd"));
    else if (c < LEN(shorts) && shorts[c].n)
        buf_add(out, shorts[c]);
    else
        add_hex(out, STR("\\u00"), c);
}

void log_escape_add(struct buf *out, struct str s, enum log_style style)
{
    while (s.n) {
        size_t n = plain_len(s);

        if (n == 0)
            n = wide_len(s);
        if (n) {
            buf_add(out, str_make(s.p, n));
            s = str_from(s, n);
            continue;
        }
        if (style == LOG_STYLE_TEXT)
            add_hex(out, STR("\\x"), (unsigned char)s.p[0]);
        else
            add_octet_json(out, (unsigned char)s.p[0]);
        s = str_from(s, 1);
    }
}

size_t log_number_format(int64_t v, char *out)
{
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char digits[20];
    struct str text;

    if (rest < 10) {
        out[v < 0] = (char)('0' + rest);
        out[0] = v < 0 ? '-' : out[0];
        return 1u + (v < 0);
    }
    text = str_of_u64(rest, digits);
    out[0] = '-';
    memcpy(out + (v < 0), text.p, text.n);
    return text.n + (v < 0);
}

static void add_number(struct buf *out, int64_t v)
{
    char text[24];

    buf_add(out, str_make(text, log_number_format(v, text)));
}

/* Most texts are plain: one look, one place. False: `s` is not. */
static bool add_plain(struct buf *out, struct str s, bool quoted)
{
    char *at = plain_len(s) == s.n ? buf_reserve(out, s.n + 2u) : NULL;

    if (!at)
        return false;
    at[0] = '"';
    memcpy(at + quoted, s.p, s.n);
    at[s.n + quoted] = '"';
    out->n += s.n + 2u * quoted;
    return true;
}

void log_value_add(struct buf *out, const struct log_value *v, enum log_style style)
{
    bool quoted = style == LOG_STYLE_JSON && v->kind == LOG_VALUE_TEXT;

    if (v->kind == LOG_VALUE_NONE) {
        buf_add(out, style == LOG_STYLE_JSON ? STR("null") : STR("-"));
        return;
    }
    if (v->kind == LOG_VALUE_NUMBER) {
        add_number(out, v->number);
        return;
    }
    if (v->text.n && add_plain(out, v->text, quoted))
        return;
    if (quoted)
        buf_addc(out, '"');
    log_escape_add(out, v->text, style);
    if (quoted)
        buf_addc(out, '"');
}
