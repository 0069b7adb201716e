/*
 * tls/issue - makes keys and certificates: for the local CA, and for tests.
 *
 * Reads no clock: the times are handed in. Serials are random (127 bits).
 */
#pragma once

#include "base/buf.h"
#include "tls/keypair.h"

enum issue_key { ISSUE_EC_P256, ISSUE_RSA_2048 };

struct issue_request {
    struct str common_name; /* may be empty; cut to 64 octets */
    const struct str *dns_names, *ip_names;
    size_t dns_name_count, ip_name_count;
    int64_t not_before_ms, not_after_ms;
    enum issue_key key;
    bool is_ca;                       /* keyCertSign and cRLSign, and nothing else */
    bool client_auth;                 /* beside serverAuth */
    const struct tls_keypair *issuer; /* NULL: signed by itself */
};

/* Appends the certificate (alone, without its issuer) and its key (PKCS#8). False with a
 * constant text: a name is unusable or the issuer is no CA. */
MUST_USE bool issue_certificate(const struct issue_request *r, struct buf *cert_pem,
                                struct buf *key_pem, struct str *reterr);

/* Did `issuer` sign this certificate? Looks at names and signature, not at times. */
bool issue_is_signed_by(const struct tls_keypair *kp, const struct tls_keypair *issuer);
/* May it be shown by a client (extendedKeyUsage)? */
bool issue_has_client_auth(const struct tls_keypair *kp);
