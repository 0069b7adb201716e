/*
 * tls/keypair_int - the OpenSSL objects behind a keypair, for this folder only.
 */
#pragma once

#include "base/arena.h"
#include "tls/keypair.h"

#include <openssl/x509.h>
#include <stdatomic.h>

struct tls_keypair {
    _Atomic uint32_t refs;
    X509 *leaf;
    STACK_OF(X509) * chain; /* without the leaf; may be empty */
    EVP_PKEY *key;
    struct arena *arena; /* of info's strings */
    struct tls_cert_info info;
};

/* Does a name of a certificate cover `host`? "*." stands for one label. */
bool keypair_name_covers(struct str name, struct str host);
