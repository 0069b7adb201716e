/*
 * base/swar - eight octets at a time in a plain register.
 *
 * Pure; nothing here reads beyond what it is given. The order of the octets in the register is
 * the machine's: good for questions that do not ask where; swar_bits() puts them in order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
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

/* The first and the last eight octets of some, which is all of up to 16; of fewer than eight the
 * two are the same, and say how they differ from others of that number. */
struct swar_ends {
    uint64_t first, last;
};

static inline struct swar_ends swar_ends_of(const char *p, size_t n)
{
    uint64_t few = 0;

    if (n >= 8)
        return (struct swar_ends){ swar_load8(p), swar_load8(p + n - 8) };
    if (n >= 4)
        few = swar_load4to8(p, n);
    else if (n > 0)
        few = (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1];
    return (struct swar_ends){ few, few };
}

/* ASCII capitals made small. */
static inline uint64_t swar_lower(uint64_t v)
{
    uint64_t low = v & SWAR_EACH(0x7f);
    uint64_t from_a = low + SWAR_EACH(0x80 - 'A'), behind_z = low + SWAR_EACH(0x7f - 'Z');

    return v | ((from_a & ~behind_z & ~v & SWAR_EACH(0x80)) >> 2);
}

/* The high bit of each octet that is 0, and no other bit. */
static inline uint64_t swar_zeros(uint64_t v)
{
    return ~(((v & SWAR_EACH(0x7f)) + SWAR_EACH(0x7f)) | v) & SWAR_EACH(0x80);
}

/* The high bits of eight octets in memory's order: bit i for octet i. */
static inline uint32_t swar_bits(uint64_t high_bits)
{
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        high_bits = __builtin_bswap64(high_bits);
    return (uint32_t)((high_bits >> 7) * UINT64_C(0x0102040810204080) >> 56);
}

/* base/octets16 in plain registers. `max` is below 0x7f. */
static inline uint32_t swar16_eq(const char *p, char octet)
{
    uint64_t each = SWAR_EACH((uint8_t)octet);

    return swar_bits(swar_zeros(swar_load8(p) ^ each)) |
           swar_bits(swar_zeros(swar_load8(p + 8) ^ each)) << 8;
}

/* The high bit of each octet up to `max`, or DEL. */
static inline uint64_t swar_controls(uint64_t v, uint8_t max)
{
    uint64_t above = (v & SWAR_EACH(0x7f)) + SWAR_EACH((uint64_t)(0x7f - max));

    return (~(above | v) & SWAR_EACH(0x80)) | swar_zeros(v ^ SWAR_EACH(0x7f));
}

static inline uint32_t swar16_control(const char *p, uint8_t max)
{
    return swar_bits(swar_controls(swar_load8(p), max)) |
           swar_bits(swar_controls(swar_load8(p + 8), max)) << 8;
}

static inline uint64_t swar_unquotables(uint64_t v)
{
    return swar_controls(v, 0x1f) | swar_zeros(v ^ SWAR_EACH('"')) |
           swar_zeros(v ^ SWAR_EACH('\\')) | (v & SWAR_EACH(0x80));
}

static inline uint32_t swar16_unquotable(const char *p)
{
    return swar_bits(swar_unquotables(swar_load8(p))) |
           swar_bits(swar_unquotables(swar_load8(p + 8))) << 8;
}

static inline void swar16_hex(const char *p, char *at)
{
    for (size_t i = 0; i < 16; i++) {
        at[2 * i] = "0123456789abcdef"[(uint8_t)p[i] >> 4];
        at[2 * i + 1] = "0123456789abcdef"[(uint8_t)p[i] & 15];
    }
}
