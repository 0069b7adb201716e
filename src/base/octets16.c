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
    if (s.n >= 4)
        return swar_controls(swar_load4to8(s.p, s.n), max) != 0;
    if (s.n == 0)
        return false;
    few = SWAR_EACH('a') << 24 | (uint64_t)(uint8_t)s.p[0] << 16 |
          (uint64_t)(uint8_t)s.p[s.n / 2] << 8 | (uint8_t)s.p[s.n - 1];
    return swar_controls(few, max) != 0;
}
