/*
 * base/swar - eight octets at a time in a plain register.
 *
 * Pure; nothing here reads beyond what it is given. The order of the octets in the register is
 * the machine's: good for questions that do not ask where.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A register with that octet, 0 to 255, in each place. */
#define SWAR_EACH(octet) (UINT64_MAX / 255 * (octet))

static inline uint64_t swar_load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* 4 to 8 octets; some stand twice in it. */
static inline uint64_t swar_load4to8(const char *p, size_t n)
{
    uint32_t first, last;

    memcpy(&first, p, sizeof(first));
    memcpy(&last, p + n - sizeof(last), sizeof(last));
    return (uint64_t)first << 32 | last;
}

/* ASCII capitals made small. */
static inline uint64_t swar_lower(uint64_t v)
{
    uint64_t low = v & SWAR_EACH(0x7f);
    uint64_t from_a = low + SWAR_EACH(0x80 - 'A'), behind_z = low + SWAR_EACH(0x7f - 'Z');

    return v | ((from_a & ~behind_z & ~v & SWAR_EACH(0x80)) >> 2);
}

/* False: no octet is below 0x20 or is 0x7f. True is only a suspicion (a borrow may run into
 * the next octet). */
static inline bool swar_may_have_control(uint64_t v)
{
    uint64_t del = v ^ SWAR_EACH(0x7f);

    return (((v - SWAR_EACH(0x20)) & ~v) | ((del - SWAR_EACH(1)) & ~del)) & SWAR_EACH(0x80);
}

/* The eight hexadecimal digits of `v` as octets, in some order of their own. */
static inline uint64_t swar_hex(uint32_t v)
{
    uint64_t x = v, above_nine;

    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & SWAR_EACH(0x0f);
    above_nine = ((x + SWAR_EACH(6)) >> 4) & SWAR_EACH(1);
    return x + SWAR_EACH('0') + above_nine * ('a' - '0' - 10);
}
