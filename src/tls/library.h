/*
 * tls/library - the OpenSSL library context in which a worker's handshakes run.
 *
 * A context of its own for each worker: its locks are never contended (openssl #20286). In it
 * stands OpenSSL's default provider, but for TLS 1.3's key derivation and HMAC, which are ours
 * (tls/hmac): through OpenSSL's they are a fifth of a handshake. AES-GCM answers one question
 * itself.
 *
 * `ctx` is NULL, OpenSSL's own context, where the system's openssl.cnf loads providers (FIPS, PKCS
 * #11), since they are what the operator wants, and with any OpenSSL but 3.0: what is replaced here
 * was read and measured there.
 */
#pragma once

#include <openssl/provider.h>

struct library {
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *provider;
};

void library_open(struct library *l);
void library_close(struct library *l); /* nothing fetched from it may be left */
