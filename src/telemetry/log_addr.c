#include "telemetry/log_addr.h"

#include "telemetry/log_value.h"

#define KEPT 64
#define TEXT_MAX 21 /* "255.255.255.255:65535" */

/* A place of a table by hash: an address and its text. */
struct kept {
    uint64_t key; /* 0: empty */
    uint8_t n;
    char text[TEXT_MAX];
};

/* inet_ntop and printf cost more than all the rest of a line. */
static size_t ip4_format(const uint8_t ip[4], char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < 4; i++) {
        n += log_number_format(ip[i], out + n);
        out[n++] = '.';
    }
    return n - 1;
}

static void keep(struct kept *k, uint64_t key, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    size_t n = ip4_format(a->ip, text);

    text[n++] = ':';
    n += log_number_format(a->port, text + n);
    *k = (struct kept){ .key = key, .n = (uint8_t)n };
    memcpy(k->text, text, n);
}

static uint64_t key_of(const struct addr *a)
{
    uint32_t ip;

    memcpy(&ip, a->ip, sizeof(ip));
    return UINT64_C(1) << 48 | (uint64_t)a->port << 32 | ip;
}

struct str log_addr_text(const struct addr *a, char out[static ADDR_TEXT_MAX])
{
    static _Thread_local struct kept table[KEPT];
    struct kept *k;
    uint64_t key;

    if (a->family != 4)
        return addr_format(a, out);
    key = key_of(a);
    k = &table[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 58]; /* six bits: KEPT */
    if (k->key != key)
        keep(k, key, a);
    return str_make(k->text, k->n);
}
