#include "base/hash.h"

#include "base/put.h"

static uint64_t seed[2] = { 0x6c617465656e2d31, 0x2d736565642d3432 };

void hash_seed(uint64_t k0, uint64_t k1)
{
    seed[0] = k0;
    seed[1] = k1;
}

static inline uint64_t rotl(uint64_t v, int bits)
{
    return (v << bits) | (v >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline uint64_t lower8(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t low7 = w & (ones * 0x7f);
    uint64_t from_a = low7 + ones * (0x80 - 'A');
    uint64_t past_z = low7 + ones * (0x80 - 'Z' - 1);
    uint64_t upper = from_a & ~past_z & ~w & (ones * 0x80);

    return w | (upper >> 2);
}

/* The last n octets of `s`, 1 to 7, as they lie in the front of a register. */
static inline uint64_t tail_of(struct str s, size_t n)
{
    unsigned others = 8 * (8 - (unsigned)n);
    uint64_t v = 0;

    if (s.n < 8)
        put((char *)&v, s);
    else if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        v = swar_load8(s.p + s.n - 8) << others;
    else
        v = swar_load8(s.p + s.n - 8) >> others;
    return v;
}

static uint64_t sip(struct str s, uint64_t k0, uint64_t k1, bool nocase)
{
    uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                      k1 ^ 0x7465646279746573 };
    uint64_t last = (uint64_t)s.n << 56;
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8) {
        uint64_t m;

        memcpy(&m, s.p + i, 8);
        if (nocase)
            m = lower8(m);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    if (i < s.n) {
        uint64_t m = tail_of(s, s.n - i);

        last |= nocase ? lower8(m) : m;
    }
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_str(struct str s)
{
    return sip(s, seed[0], seed[1], false);
}

uint64_t hash_str_nocase(struct str s)
{
    return sip(s, seed[0], seed[1], true);
}

uint64_t hash_u64(uint64_t v)
{
    char octets[8];

    memcpy(octets, &v, 8);
    return hash_str(str_make(octets, 8));
}

uint64_t hash_stable(struct str s)
{
    return sip(s, 0, 0, false);
}

uint64_t hash_mix(uint64_t so_far, uint64_t v)
{
    uint64_t both[2] = { so_far, v };

    return hash_stable(str_make((const char *)both, sizeof(both)));
}
