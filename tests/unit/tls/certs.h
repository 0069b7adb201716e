/*
 * tests/unit/tls/certs - certificates for tests, made on the spot.
 */
#pragma once

#include "tls/issue.h"
#include "tls/keypair.h"
#include "unit/check.h"

#define CERT_2020_MS INT64_C(1577836800000)
#define CERT_2090_MS INT64_C(3786912000000)

struct cert {
    struct buf chain_pem, key_pem;
    struct tls_keypair *keypair;
};

static inline void cert_fini(struct cert *c)
{
    buf_fini(&c->chain_pem);
    buf_fini(&c->key_pem);
    tls_keypair_unref(c->keypair);
    c->keypair = NULL;
}

static inline struct cert cert_of(const struct issue_request *r)
{
    struct cert c = { .keypair = NULL };
    struct str why = STR_NONE;

    buf_init(&c.chain_pem, 65536);
    buf_init(&c.key_pem, 65536);
    CHECK(issue_certificate(r, &c.chain_pem, &c.key_pem, &why));
    c.keypair = tls_keypair_parse(buf_str(&c.chain_pem), buf_str(&c.key_pem), &why);
    if (!c.keypair)
        CHECK_STRZ(why, "");
    return c;
}

/* A certificate for one name; without an issuer it is a CA. */
static inline struct cert cert_make(const char *name, const struct cert *issuer, enum issue_key key)
{
    struct str dns = str_of(name);
    struct issue_request r = { .common_name = dns,
                               .dns_names = &dns,
                               .dns_name_count = issuer ? 1 : 0,
                               .not_before_ms = CERT_2020_MS,
                               .not_after_ms = CERT_2090_MS,
                               .key = key,
                               .is_ca = !issuer,
                               .issuer = issuer ? issuer->keypair : NULL };

    return cert_of(&r);
}
