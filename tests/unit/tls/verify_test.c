#include "tls/keypair_int.h"
#include "tls/verify_int.h"
#include "unit/check.h"
#include "unit/tls/certs.h"

#include <openssl/x509v3.h>

/* A certificate whose subjectAltName is made of octets as they are. */
static X509 *named(int type, const char *octets, int n)
{
    X509 *x = X509_new();
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_STRING *s = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

    CHECK(ASN1_STRING_set(s, octets, n) == 1);
    GENERAL_NAME_set0_value(g, type, s);
    sk_GENERAL_NAME_push(all, g);
    CHECK(X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0) == 1);
    sk_GENERAL_NAME_pop_free(all, GENERAL_NAME_free);
    return x;
}

TEST(a_name_of_a_certificate_is_compared_whole_and_a_wildcard_stands_for_one_label)
{
    static const struct {
        int type;
        struct str octets, wanted;
        bool holds;
    } rows[] = {
        { GEN_DNS, STR_INIT("a.test"), STR_INIT("a.test"), true },
        { GEN_DNS, STR_INIT("A.test"), STR_INIT("a.test"), true },
        { GEN_DNS, STR_INIT("a.test\0.evil"), STR_INIT("a.test"), false },
        { GEN_DNS, STR_INIT("a.test\0"), STR_INIT("a.test"), false },
        { GEN_DNS, STR_INIT("*.test"), STR_INIT("a.test"), true },
        { GEN_DNS, STR_INIT("*.test"), STR_INIT("b.a.test"), false },
        { GEN_DNS, STR_INIT("*.test"), STR_INIT(".test"), false },
        { GEN_DNS, STR_INIT("*.test"), STR_INIT("test"), false },
        { GEN_DNS, STR_INIT("a*.test"), STR_INIT("ab.test"), false },
        { GEN_DNS, STR_INIT("xn--bcher-kva.test"), STR_INIT("xn--bcher-kva.test"), true },
        { GEN_DNS, STR_INIT("127.0.0.1"), STR_INIT("127.0.0.2"), false },
        { GEN_IPADD, STR_INIT("\x7f\0\0\1"), STR_INIT("127.0.0.1"), true },
        { GEN_IPADD, STR_INIT("\x7f\0\0\1"), STR_INIT("127.0.0.2"), false },
        { GEN_IPADD, STR_INIT("\x7f\0\0"), STR_INIT("127.0.0.1"), false },
        { GEN_IPADD, STR_INIT("127.0.0.1"), STR_INIT("127.0.0.1"), false },
        { GEN_URI, STR_INIT("spiffe://td/ns/a"), STR_INIT("spiffe://td/ns/a"), true },
        { GEN_URI, STR_INIT("spiffe://td/ns/a"), STR_INIT("spiffe://td/ns/A"), false },
        { GEN_URI, STR_INIT("a.test"), STR_INIT("b.test"), false },
        { GEN_EMAIL, STR_INIT("a@b.test"), STR_INIT("b.test"), false },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        X509 *x = named(rows[i].type, rows[i].octets.p, (int)rows[i].octets.n);
        struct tls_demand d = { .names = &rows[i].wanted, .name_count = 1 };
        char text[256];

        CASE(i);
        CHECK_EQ(verify_certificate(x, &d, text, sizeof(text)) == NULL, rows[i].holds);
        X509_free(x);
    }
}

TEST(one_of_the_pins_is_enough)
{
    struct cert ca = cert_make("ca", NULL, ISSUE_EC_P256);
    struct str good = tls_keypair_info(ca.keypair)->fingerprint, bad = STR("00ff"),
               none = STR("AAAA");
    struct tls_demand d = { .hashes = &good, .hash_count = 1, .spkis = &none, .spki_count = 1 };
    char text[256];

    CHECK(!verify_certificate(ca.keypair->leaf, &d, text, sizeof(text)));
    d.hashes = &bad;
    CHECK_STRZ(str_of(verify_certificate(ca.keypair->leaf, &d, text, sizeof(text))),
               "verify cert failed: cert hash and spki");
    cert_fini(&ca);
}

TEST(authorities_and_lists_are_refused_with_a_reason)
{
    struct cert ca = cert_make("ca", NULL, ISSUE_EC_P256);
    struct str pem = buf_str(&ca.chain_pem), why = STR_NONE;
    struct tls_trust *t = tls_trust_parse(pem, STR(""), &why);

    CHECK(t);
    CHECK_EQ(tls_trust_count(t), 1);
    tls_trust_unref(t);
    CHECK(!tls_trust_parse(STR("nonsense"), STR(""), &why));
    CHECK(str_find_str(why, STR("no \"-----BEGIN CERTIFICATE-----\"")) < why.n);
    CHECK(!tls_trust_parse(pem, STR("nonsense"), &why));
    CHECK(str_find_str(why, STR("revocation list")) < why.n);
    CHECK(!tls_trust_parse(str_sub(pem, 0, pem.n - 80), STR(""), &why));
    cert_fini(&ca);
}
