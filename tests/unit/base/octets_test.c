#include "base/octets16.h"
#include "base/put.h"

#include "unit/check.h"

#include <stdlib.h>

static bool is_control(unsigned octet, unsigned max)
{
    return octet <= max || octet == 0x7f;
}

static bool is_unquotable(unsigned octet)
{
    return octet < 0x20 || octet > 0x7e || octet == '"' || octet == '\\';
}

TEST(each_of_sixteen_octets_is_told_by_its_own_bit_in_plain_registers_as_well)
{
    static const uint8_t around[] = { 0, 'a', 0x7f, 0x80, 0xff };

    for (size_t i = 0; i < 256 * 16 * LEN(around); i++) {
        unsigned octet = i % 256, at = i / 256 % 16, other = around[i / 256 / 16];
        char p[16];
        uint32_t found, low;

        memset(p, (int)other, sizeof(p));
        p[at] = (char)octet;
        found = octets16_eq(p, (char)octet);
        CASE(i);
        CHECK_EQ(found, other == octet ? 0xffff : 1u << at);
        CHECK_EQ(swar16_eq(p, (char)octet), found);
        low = (is_unquotable(other) ? 0xffff & ~(1u << at) : 0) | (uint32_t)is_unquotable(octet)
                                                                      << at;
        CHECK_EQ(octets16_unquotable(p), low);
        CHECK_EQ(swar16_unquotable(p), low);
        for (unsigned max = 0x1f; max <= 0x20; max++) {
            low = (is_control(other, max) ? 0xffff & ~(1u << at) : 0) |
                  (uint32_t)is_control(octet, max) << at;
            CHECK_EQ(octets16_control(p, (uint8_t)max), low);
            CHECK_EQ(swar16_control(p, (uint8_t)max), low);
        }
    }
}

TEST(sixteen_octets_are_written_in_hexadecimal_in_plain_registers_as_well)
{
    for (unsigned first = 0; first < 256; first++) {
        char p[16], at[32], plain[32], expected[33];

        for (size_t i = 0; i < LEN(p); i++) {
            p[i] = (char)(first + 17 * i);
            snprintf(expected + 2 * i, 3, "%02x", (uint8_t)p[i]);
        }
        octets16_hex(p, at);
        swar16_hex(p, plain);
        CASE(first);
        CHECK(memcmp(at, expected, sizeof(at)) == 0);
        CHECK(memcmp(plain, expected, sizeof(plain)) == 0);
    }
}

/* Blocks of exactly that size, so that AddressSanitizer sees a step beyond either end. */
TEST(octets_of_any_number_are_copied_and_searched_to_the_last_and_no_further)
{
    for (size_t n = 0; n <= 100; n++) {
        char *from = malloc(n), *to = malloc(n);
        struct str s = str_make(from, n);

        CASE(n);
        for (size_t i = 0; i < n; i++)
            from[i] = (char)('!' + i % 90);
        CHECK(put(to, s) == to + n);
        CHECK(n == 0 || memcmp(from, to, n) == 0);
        CHECK(!octets_have_control(s, ' '));
        for (size_t i = 0; i < n; i++) {
            char was = from[i];

            from[i] = ' ';
            CHECK(octets_have_control(s, ' ') && !octets_have_control(s, 0x1f));
            from[i] = 0x7f;
            CHECK(octets_have_control(s, 0x1f));
            from[i] = '\t';
            CHECK(octets_have_control(s, 0x1f));
            from[i] = was;
        }
        free(from);
        free(to);
    }
}
