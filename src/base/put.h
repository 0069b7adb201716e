/*
 * base/put - copies of a few octets, as names and values are, without a call.
 *
 * Pure; octets are read and written from `p` and `at` on, `n` of each and no more: the last step
 * overlaps the one before.
 */
#pragma once

#include "base/str.h"
#include "base/swar.h"

static inline void put_8to16(char *at, const char *p, size_t n)
{
    uint64_t first = swar_load8(p), last = swar_load8(p + n - 8);

    memcpy(at, &first, 8);
    memcpy(at + n - 8, &last, 8);
}

static inline void put_4to8(char *at, const char *p, size_t n)
{
    uint32_t first, last;

    memcpy(&first, p, 4);
    memcpy(&last, p + n - 4, 4);
    memcpy(at, &first, 4);
    memcpy(at + n - 4, &last, 4);
}

static inline void put_upto3(char *at, const char *p, size_t n)
{
    if (n == 0)
        return;
    at[0] = p[0];
    at[n / 2] = p[n / 2];
    at[n - 1] = p[n - 1];
}

char *put_many(char *at, struct str s); /* for put(): more than 32 octets */

/* Copies s to `at`, which has room for it and is elsewhere; returns what is behind it there. */
static inline char *put(char *at, struct str s)
{
    if (s.n > 32)
        return put_many(at, s);
    if (s.n > 16) {
        memcpy(at, s.p, 16);
        memcpy(at + s.n - 16, s.p + s.n - 16, 16);
    } else if (s.n >= 8) {
        put_8to16(at, s.p, s.n);
    } else if (s.n >= 4) {
        put_4to8(at, s.p, s.n);
    } else {
        put_upto3(at, s.p, s.n);
    }
    return at + s.n;
}
