/*
 * tls/hello - reads a ClientHello's server name and protocols before any TLS object exists.
 *
 * Pure. The choice of the filter chain comes first and fixes everything else: profile,
 * certificates and what tickets are good for; so nothing has to be switched in the middle
 * of a handshake. Source: RFC 8446 4.1.2 and 5.1, RFC 6066 3, RFC 7301 3.1.
 */
#pragma once

#include "base/str.h"

/* A longer ClientHello is refused: Envoy's inspector has the same limit. */
#define HELLO_OCTETS_MAX 16384
#define HELLO_NAME_MAX 255

enum hello_state {
    HELLO_MORE,   /* not all there yet */
    HELLO_DONE,   /* `ret` is filled */
    HELLO_NO_TLS, /* these octets begin no TLS handshake */
    HELLO_BROKEN  /* a ClientHello that no server would accept */
};

struct hello {
    bool has_name;
    uint8_t name_n;
    char name[HELLO_NAME_MAX]; /* lower case; no NUL, no trailing one behind it */
};

static inline struct str hello_name(const struct hello *h)
{
    return h->has_name ? str_make(h->name, h->name_n) : STR_NONE;
}

/* Looks at all octets received so far, from the first record on. */
enum hello_state hello_read(struct str octets, struct hello *ret);
