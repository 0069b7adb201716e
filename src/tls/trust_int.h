/*
 * tls/trust_int - the OpenSSL objects behind a trust, for this folder only.
 */
#pragma once

#include "tls/trust.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

struct tls_trust {
    _Atomic uint32_t refs;
    X509_STORE *store;
    STACK_OF(X509_NAME) * names; /* told to clients; none above TOLD_MAX */
    size_t count;
};
