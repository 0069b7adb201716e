#include "base/utf8.h"

size_t utf8_read(struct str s, uint32_t *ret)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *p = (const unsigned char *)s.p;
    size_t want = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t v = want > 1 ? p[0] & (0x7fu >> want) : p[0];

    if (!want || want > s.n || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3f);
    }
    if (v < least[want] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return 0;
    *ret = v;
    return want;
}

bool utf8_is_whole(struct str s)
{
    uint32_t v;

    while (s.n) {
        size_t n = utf8_read(s, &v);

        if (!n)
            return false;
        s = str_from(s, n);
    }
    return true;
}
