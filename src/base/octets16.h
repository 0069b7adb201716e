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

#endif

/* Has it an octet from 0 to `max`, which is below 0x7f, or DEL? */
bool octets_have_control(struct str s, uint8_t max);
