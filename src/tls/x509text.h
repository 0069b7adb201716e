/*
 * tls/x509text - what people want to read of a certificate.
 */
#pragma once

#include "base/arena.h"
#include "tls/keypair.h"

#include <openssl/x509.h>

/* Fills all of `into` but chain_count and note; strings are made in `a`. */
void x509text_describe(X509 *cert, struct arena *a, struct tls_cert_info *into);
