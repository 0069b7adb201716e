#include "telemetry/log_value.h"

#include "base/octets16.h"

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

const char log_pairs[] = "00010203040506070809"
                         "10111213141516171819"
                         "20212223242526272829"
                         "30313233343536373839"
                         "40414243444546474849"
                         "50515253545556575859"
                         "60616263646566676869"
                         "70717273747576777879"
                         "80818283848586878889"
                         "90919293949596979899";

static size_t digits_of(uint64_t v)
{
    size_t n = 1;

    for (; v > 99; v /= 100)
        n += 2;
    return n + (v > 9);
}

char *log_number_put(char *at, uint64_t v)
{
    char *end = at + digits_of(v), *to = end;

    for (; v > 9; v /= 100)
        memcpy(to -= 2, log_pairs + v % 100 * 2, 2);
    if (to > at)
        *at = (char)('0' + v);
    return end;
}
