#include "telemetry/log_value.h"

#include "base/octets16.h"
#include "base/put.h"

/* Octets beyond a text: a number, or quotes and what put_plain() looks at. */
#define VALUE_ROOM 24

/* Neither a control character nor `"`, `\` or a high octet: stands as it is in every style. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static size_t plain_len(struct str s)
{
    size_t n = 0;

    for (; s.n - n >= 16; n += 16) {
        uint32_t others = octets16_unquotable(s.p + n);

        if (others)
            return n + (size_t)__builtin_ctz(others);
    }
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

/* Copies s and looks at it on the way: is it plain? Where `at` points there is room for 16 octets
 * at least; it holds no text after a "no". */
static bool put_plain(char *at, struct str s)
{
    uint32_t others = 0;
    size_t i = 0;

    if (s.n < 16) {
        put(at, s);
        return (octets16_unquotable(at) & ((1u << s.n) - 1)) == 0;
    }
    for (; s.n - i > 16; i += 16) {
        others |= octets16_unquotable(s.p + i);
        memcpy(at + i, s.p + i, 16);
    }
    i = s.n - 16; /* together with some before, that were seen already */
    memcpy(at + i, s.p + i, 16);
    return (others | octets16_unquotable(s.p + i)) == 0;
}

/* The text and its quotes where it is not plain. */
static void add_escaped(struct buf *out, struct str s, enum log_style style)
{
    struct str quote = style == LOG_STYLE_JSON ? STR("\"") : STR("");

    buf_add(out, quote);
    log_escape_add(out, s, style);
    buf_add(out, quote);
}

void log_value_add(struct buf *out, struct str before, const struct log_value *v,
                   enum log_style style)
{
    bool quoted = style == LOG_STYLE_JSON;
    char *at = buf_reserve(out, before.n + v->text.n + VALUE_ROOM);

    if (!at)
        return;
    at = put(at, before);
    out->n += before.n;
    if (v->kind == LOG_VALUE_NONE) {
        at = put(at, quoted ? STR("null") : STR("-"));
    } else if (v->kind == LOG_VALUE_NUMBER) {
        at += log_number_format(v->number, at);
    } else if (put_plain(at + quoted, v->text)) {
        if (quoted)
            at[0] = at[v->text.n + 1] = '"';
        at += v->text.n + 2u * quoted;
    } else {
        add_escaped(out, v->text, style);
        return;
    }
    out->n = (size_t)(at - out->p);
}
