/*
 * tls/derive_int - tls/hmac as a provider's algorithms, in OpenSSL's terms, for tls/library.
 */
#pragma once

#include <openssl/core_dispatch.h>

/* TLS13-KDF, of SHA-256 and SHA-384; all its parameters come with EVP_KDF_derive(). */
extern const OSSL_DISPATCH derive_kdf[];
/* HMAC of the same two; a code ends its context, until there is a key again. */
extern const OSSL_DISPATCH derive_hmac[];
