#include "base/jsontext.h"

/* Octets of the UTF-8 sequence at the front of `s`; 0 where it is malformed. */
static size_t utf8_len(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    unsigned char next;

    if (n == 0 || n > s.n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.p[i] & 0xc0) != 0x80)
            return 0;
    }
    if (n < 3)
        return n;
    next = (unsigned char)s.p[1];
    if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) || (c == 0xf0 && next < 0x90) ||
        (c == 0xf4 && next > 0x8f))
        return 0;
    return n;
}

static void add_escaped(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add(b, STR("\\\""));
        break;
    case '\\':
        buf_add(b, STR("\\\\"));
        break;
    case '\n':
        buf_add(b, STR("\\n"));
        break;
    case '\r':
        buf_add(b, STR("\\r"));
        break;
    case '\t':
        buf_add(b, STR("\\t"));
        break;
    default:
        buf_printf(b, "\\u%04x", c);
    }
}

void json_add_string(struct buf *b, struct str s)
{
    buf_addc(b, '"');
    while (s.n) {
        unsigned char c = (unsigned char)s.p[0];
        size_t n = utf8_len(s);

        if (n == 0)
            buf_add(b, STR("\xef\xbf\xbd"));
        else if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            add_escaped(b, c);
        else
            buf_add(b, str_make(s.p, n));
        s = str_from(s, MAX(n, 1));
    }
    buf_addc(b, '"');
}
