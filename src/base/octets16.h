/*
 * base/octets16 - which of sixteen octets are of a kind: bit i of the answer is octet i.
 *
 * Pure; reads the 16 octets at `p` and nothing else. SSE2 where the machine has it (every x86-64
 * does), else the plain registers of base/swar.
 */
#pragma once

#include "base/str.h"
#include "base/swar.h"

#if defined(__SSE2__)

#include <emmintrin.h>

static inline __m128i octets16_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Those that are `octet`. */
static inline uint32_t octets16_eq(const char *p, char octet)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(octets16_load(p), _mm_set1_epi8(octet)));
}

/* Those from 0 to `max`, and DEL. */
static inline uint32_t octets16_control(const char *p, uint8_t max)
{
    __m128i v = octets16_load(p);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8((char)max)), v);

    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));
}

/* Those that do not stand as they are between quotes: controls, DEL, `"`, `\`, and beyond ASCII. */
static inline uint32_t octets16_unquotable(const char *p)
{
    __m128i v = octets16_load(p);
    /* The high bit says: below a space or far above it; DEL or above, but for the last. */
    __m128i less = _mm_sub_epi8(v, _mm_set1_epi8(' ')), more = _mm_add_epi8(v, _mm_set1_epi8(1));
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

    return (uint32_t)_mm_movemask_epi8(
        _mm_or_si128(_mm_or_si128(less, more), _mm_or_si128(quote, slash)));
}

static inline __m128i octets16_hex_digits(__m128i v)
{
    __m128i letters = _mm_cmpgt_epi8(v, _mm_set1_epi8(9));

    v = _mm_add_epi8(v, _mm_set1_epi8('0'));
    return _mm_add_epi8(v, _mm_and_si128(letters, _mm_set1_epi8('a' - '0' - 10)));
}

/* Writes their 32 hexadecimal digits at `at`. */
static inline void octets16_hex(const char *p, char *at)
{
    __m128i v = octets16_load(p), half = _mm_set1_epi8(0x0f);
    __m128i high = octets16_hex_digits(_mm_and_si128(_mm_srli_epi16(v, 4), half));
    __m128i low = octets16_hex_digits(_mm_and_si128(v, half));

    _mm_storeu_si128((__m128i *)(void *)at, _mm_unpacklo_epi8(high, low));
    _mm_storeu_si128((__m128i *)(void *)(at + 16), _mm_unpackhi_epi8(high, low));
}

#else

static inline uint32_t octets16_eq(const char *p, char octet)
{
    return swar16_eq(p, octet);
}

static inline uint32_t octets16_control(const char *p, uint8_t max)
{
    return swar16_control(p, max);
}

static inline uint32_t octets16_unquotable(const char *p)
{
    return swar16_unquotable(p);
}

static inline void octets16_hex(const char *p, char *at)
{
    swar16_hex(p, at);
}

#endif

bool octets_have_control_far(struct str s, uint8_t max); /* of four or more */

/* Has it an octet from 0 to `max`, which is below 0x7f, or DEL? */
static inline bool octets_have_control(struct str s, uint8_t max)
{
    if (s.n >= 4)
        return octets_have_control_far(s, max);
    for (size_t i = 0; i < s.n; i++) {
        if ((uint8_t)s.p[i] <= max || s.p[i] == 0x7f)
            return true;
    }
    return false;
}
