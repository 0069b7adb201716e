/*
 * tls/context_int - the OpenSSL side of a context, for this folder only.
 */
#pragma once

#include "base/map.h"
#include "tls/context.h"
#include "tls/library.h"
#include "tls/tickets.h"

#include <openssl/ssl.h>

struct tls_context {
    struct tls_contexts *all;
    SSL_CTX *ctx;
    size_t users;
    struct str key; /* the profile as octets; the map's key */
    unsigned char *alpn;
    unsigned alpn_n; /* in wire format */
};

struct tls_contexts {
    struct library library;
    struct map by_key;
    struct ticket_set tickets;
    EVP_CIPHER *ticket_cipher; /* fetched once: fetching takes locks (openssl #23388) */
};
