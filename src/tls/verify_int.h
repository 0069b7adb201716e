/*
 * tls/verify_int - the check itself, as OpenSSL calls it; for this folder only.
 */
#pragma once

#include "tls/verify.h"

#include <openssl/ssl.h>

/* For SSL_CTX_set_cert_verify_callback. What failed is text in the engine. */
int verify_callback(X509_STORE_CTX *chain, void *arg);
/* Does the certificate meet what is demanded besides its chain? NULL, or what it does not, in
 * `text`. */
const char *verify_certificate(X509 *cert, const struct tls_demand *d, char *text, size_t size);
