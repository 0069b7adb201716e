/*
 * tls/issue - makes keys and certificates: for the local CA, for Certificates whose issuer is one
 * of ours, and for tests.
 *
 * Reads no clock: the times are handed in. Serials are random (127 bits).
 */
#pragma once

#include "base/buf.h"
#include "tls/keypair.h"

enum issue_key { ISSUE_EC_P256, ISSUE_EC_P384, ISSUE_EC_P521, ISSUE_RSA, ISSUE_ED25519 };

/* Bits of keyUsage (RFC 5280, 4.2.1.3) and, above them, of extKeyUsage (4.2.1.12). */
enum issue_usage {
    USAGE_DIGITAL_SIGNATURE = 1 << 0,
    USAGE_NON_REPUDIATION = 1 << 1,
    USAGE_KEY_ENCIPHERMENT = 1 << 2,
    USAGE_DATA_ENCIPHERMENT = 1 << 3,
    USAGE_KEY_AGREEMENT = 1 << 4,
    USAGE_CERT_SIGN = 1 << 5,
    USAGE_CRL_SIGN = 1 << 6,
    USAGE_ENCIPHER_ONLY = 1 << 7,
    USAGE_DECIPHER_ONLY = 1 << 8,
    USAGE_SERVER_AUTH = 1 << 9,
    USAGE_CLIENT_AUTH = 1 << 10,
    USAGE_CODE_SIGNING = 1 << 11,
    USAGE_EMAIL_PROTECTION = 1 << 12,
    USAGE_TIMESTAMPING = 1 << 13,
    USAGE_OCSP_SIGNING = 1 << 14,
    USAGE_IPSEC_END_SYSTEM = 1 << 15,
    USAGE_IPSEC_TUNNEL = 1 << 16,
    USAGE_IPSEC_USER = 1 << 17,
    USAGE_ANY = 1 << 18,
};
#define USAGES_SERVER (USAGE_DIGITAL_SIGNATURE | USAGE_SERVER_AUTH)

/* One value of the subject's name; what follows with the same attribute stands in its set. */
struct issue_rdn {
    const char *attribute; /* RFC 4519: "O", "OU", "C", "L", "ST", "street", "postalCode", ... */
    struct str value;
};

struct issue_request {
    const struct issue_rdn *subject; /* before the common name */
    size_t subject_count;
    struct str common_name;   /* may be empty; cut to 64 octets */
    struct str serial_number; /* behind it; of the subject, not of the certificate */
    const struct str *dns_names, *ip_names, *uris, *emails;
    size_t dns_name_count, ip_name_count, uri_count, email_count;
    int64_t not_before_ms, not_after_ms;
    enum issue_key key;
    uint32_t rsa_bits;      /* 0: 2048 */
    struct str old_key_pem; /* set: this key goes on, none is made */
    bool key_is_pkcs1;      /* RSA and EC keys in their old form instead of PKCS#8 */
    uint32_t usages;        /* enum issue_usage; 0: of a server, or of a CA */
    bool is_ca;
    const struct tls_keypair *issuer; /* NULL: signed by itself */
};

/* Appends the certificate (alone, without its issuer) and its key. False with a constant text: a
 * name is unusable, the issuer is no CA, or the old key cannot be read. */
MUST_USE bool issue_certificate(const struct issue_request *r, struct buf *cert_pem,
                                struct buf *key_pem, struct str *reterr);

/* What stands above a certificate of `issuer`: those of its chain that are no root are appended to
 * `chain_pem`, the root (where there is none, the last) to `root_pem`. */
MUST_USE bool issue_chain(const struct tls_keypair *issuer, struct buf *chain_pem,
                          struct buf *root_pem);

/* Did `issuer` sign this certificate? Looks at names and signature, not at times. */
bool issue_is_signed_by(const struct tls_keypair *kp, const struct tls_keypair *issuer);
/* May it be shown by a client (extendedKeyUsage)? */
bool issue_has_client_auth(const struct tls_keypair *kp);
