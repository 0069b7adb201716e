/*
 * base/addr - IP addresses with a port, as values.
 */
#pragma once

#include "base/str.h"

#define ADDR_TEXT_MAX 64

struct addr {
    uint8_t family; /* 4, 6, or 0: none */
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* network order; the first 4 for IPv4 */
};

static inline bool addr_is_set(const struct addr *a)
{
    return a->family != 0;
}

/* Reads "1.2.3.4" or "::1" (no port, no brackets, no zone). */
MUST_USE bool addr_parse_ip(struct str s, struct addr *ret);
/* Reads "1.2.3.4:80" or "[::1]:80". */
MUST_USE bool addr_parse(struct str s, struct addr *ret);
/* "1.2.3.4:80", "[::1]:80"; and without the port. The text lies in `out`. */
struct str addr_format(const struct addr *a, char out[static ADDR_TEXT_MAX]);
struct str addr_format_ip(const struct addr *a, char out[static ADDR_TEXT_MAX]);
bool addr_eq(const struct addr *a, const struct addr *b);
