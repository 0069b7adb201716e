#include "base/octets16.h"

bool octets_have_control_far(struct str s, uint8_t max)
{
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
    return swar_controls(swar_load4to8(s.p, s.n), max) != 0;
}
