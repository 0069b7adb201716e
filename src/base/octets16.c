#include "base/octets16.h"

bool octets_have_control(struct str s, uint8_t max)
{
    uint64_t few;

    if (s.n >= 16) {
        for (size_t i = 0; i + 16 < s.n; i += 16) {
            if (octets16_control(s.p + i, max))
                return true;
        }
        return octets16_control(s.p + s.n - 16, max) != 0;
    }
    if (s.n >= 8)
        return (swar_controls(swar_load8(s.p), max) |
                swar_controls(swar_load8(s.p + s.n - 8), max)) != 0;
    if (s.n == 0)
        return false;
    few = swar_ends_of(s.p, s.n).first;
    return swar_controls(s.n < 4 ? few | SWAR_EACH('a') << 24 : few, max) != 0;
}
