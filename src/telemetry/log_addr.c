#include "telemetry/log_addr.h"

#include "telemetry/log_pen.h"

#define PLACES_LOG2 8

/* A table by hash, two places each: its own and the one beside it. */
struct kept {
    uint64_t key; /* 0: empty */
    struct log_kept text;
};

static _Thread_local struct kept table[1 << PLACES_LOG2];

/* Family, port and the first four octets: all of an IPv4 address, and never that of another kind.
 */
static inline uint64_t key_of(const struct addr *a)
{
    static const uint8_t used[8] = { 255, 0, 255, 255, 255, 255, 255, 255 };
    uint64_t key, mask;

    _Static_assert(offsetof(struct addr, family) == 0 && offsetof(struct addr, port) == 2 &&
                       offsetof(struct addr, ip) == 4,
                   "one octet between them is not used");
    memcpy(&key, a, sizeof(key));
    memcpy(&mask, used, sizeof(mask));
    return (key & mask) + 1;
}

/* inet_ntop and printf cost more than all the rest of a line. */
static void keep_ip4(struct kept *k, const struct addr *a)
{
    char *at = k->text.text;

    for (size_t i = 0; i < 4; i++) {
        at = log_number_put(at, a->ip[i]);
        *at++ = i < 3 ? '.' : ':';
    }
    at = log_number_put(at, a->port);
    k->text.n = (uint32_t)(at - k->text.text);
    k->key = key_of(a);
}

/* Of two that share a pair of places the one that came last is found first. */
static NOINLINE char *write_other(const struct log_op *op, const struct addr *a, char *at,
                                  struct log_pen *pen, struct kept *k)
{
    struct kept *beside = &table[(size_t)(k - table) ^ 1];
    char room[ADDR_TEXT_MAX];

    if (a->family != 4)
        return log_pen_maybe(pen, at, addr_format(a, room), op);
    if (beside->key != key_of(a)) {
        *beside = *k;
        keep_ip4(k, a);
        beside = k;
    }
    return log_pen_kept(pen, at, &beside->text, op);
}

char *log_addr_write(const struct log_op *op, const struct addr *a, char *at, struct log_pen *pen)
{
    uint64_t key = key_of(a);
    struct kept *k = &table[(key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - PLACES_LOG2)];

    if (k->key == key)
        return log_pen_kept(pen, at, &k->text, op);
    return write_other(op, a, at, pen, k);
}
