/*
 * tls/keypair - a certificate chain with its private key, parsed and checked once.
 *
 * Made on the compiler thread, immutable afterwards, shared by all workers by reference
 * count (design 5.15). Reads no clock: whether it is expired is for the caller to say.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct tls_keypair;

struct tls_cert_info {
    int64_t not_before_ms, not_after_ms; /* since 1970 */
    struct str subject, issuer;          /* RFC 2253: "CN=a.b,O=c" */
    struct str serial;                   /* upper-case hex */
    struct str fingerprint;              /* SHA-256 of the certificate, lower-case hex */
    struct str key_type;                 /* "EC P-256", "RSA 2048", "Ed25519" */
    const struct str *dns_names;         /* of subjectAltName, lower case; CN where it has none */
    size_t dns_name_count;
    const struct str *ip_names; /* as text */
    size_t ip_name_count;
    size_t chain_count; /* certificates, the leaf included */
    struct str note;    /* odd but usable (order of the chain); STR_NONE without */
};

/* Reads the PEM of a chain, leaf first, and of its key (PKCS#8, EC or RSA; not encrypted).
 * NULL with a sentence for people in `reterr`, valid until this thread's next call. */
MUST_USE struct tls_keypair *tls_keypair_parse(struct str chain_pem, struct str key_pem,
                                               struct str *reterr);
struct tls_keypair *tls_keypair_ref(struct tls_keypair *kp);
void tls_keypair_unref(struct tls_keypair *kp); /* takes NULL; any thread */

const struct tls_cert_info *tls_keypair_info(const struct tls_keypair *kp);

/* The chain as PEM, for people: encoded anew from the certificates that were read. The text they
 * were read from is not to be shown, since people put the key beside them. Any thread. */
void tls_keypair_show(const struct tls_keypair *kp, struct buf *to);

/* Does a certificate name (dns_names or ip_names) cover `host`? A wildcard stands for one
 * label. */
bool tls_keypair_covers(const struct tls_keypair *kp, struct str host);
