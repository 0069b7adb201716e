#include "tls/keypair.h"
#include "unit/check.h"
#include "unit/tls/certs.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* ---- what keys and chains look like on disk ---- */

struct pem {
    BIO *b;
};

static struct pem pem_new(void)
{
    return (struct pem){ BIO_new(BIO_s_mem()) };
}

static struct str pem_str(struct pem p)
{
    char *at;
    long n = BIO_get_mem_data(p.b, &at);

    return str_make(at, (size_t)n);
}

static EVP_PKEY *key_of(const struct cert *c)
{
    BIO *in = BIO_new_mem_buf(c->key_pem.p, (int)c->key_pem.n);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);

    BIO_free(in);
    return k;
}

static struct str refusal(struct str chain, struct str key)
{
    struct str why = STR_NONE;
    struct tls_keypair *kp = tls_keypair_parse(chain, key, &why);

    CHECK(kp == NULL);
    return why;
}

TEST(keys_are_read_in_all_their_forms)
{
    static const enum issue_key kinds[] = { ISSUE_EC_P256, ISSUE_RSA };
    static const char *const types[] = { "EC P-256", "RSA 2048" };
    static const char *const begins[] = { "-----BEGIN EC PRIVATE KEY",
                                          "-----BEGIN RSA PRIVATE KEY" };

    for (size_t i = 0; i < LEN(kinds); i++) {
        struct cert c = cert_make("a.test", NULL, kinds[i]);
        EVP_PKEY *key = key_of(&c);
        struct pem old = pem_new();
        struct tls_keypair *kp;
        struct str why;

        CASE(i);
        CHECK_STR(tls_keypair_info(c.keypair)->key_type, str_of(types[i]));
        CHECK(PEM_write_bio_PrivateKey_traditional(old.b, key, NULL, NULL, 0, NULL, NULL) == 1);
        CHECK(str_starts(pem_str(old), str_of(begins[i])));
        kp = tls_keypair_parse(buf_str(&c.chain_pem), pem_str(old), &why);
        CHECK(kp != NULL);
        tls_keypair_unref(tls_keypair_ref(kp));
        tls_keypair_unref(kp);
        BIO_free(old.b);
        EVP_PKEY_free(key);
        cert_fini(&c);
    }
}

TEST(a_keypair_tells_what_people_want_to_know)
{
    static const struct str dns[] = { STR_INIT("A.Test"), STR_INIT("*.a.test") };
    static const struct str ips[] = { STR_INIT("10.0.0.1"), STR_INIT("2001:db8::1") };
    struct cert ca = cert_make("Some CA", NULL, ISSUE_EC_P256);
    struct issue_request r = { .common_name = STR("a.test"),
                               .dns_names = dns,
                               .dns_name_count = 2,
                               .ip_names = ips,
                               .ip_name_count = 2,
                               .not_before_ms = CERT_2020_MS,
                               .not_after_ms = CERT_2090_MS,
                               .issuer = ca.keypair };
    struct cert c = cert_of(&r);
    const struct tls_cert_info *info = tls_keypair_info(c.keypair);

    CHECK_EQ(info->not_before_ms, CERT_2020_MS);
    CHECK_EQ(info->not_after_ms, CERT_2090_MS);
    CHECK_STRZ(info->subject, "CN=a.test");
    CHECK_STRZ(info->issuer, "CN=Some CA");
    CHECK_EQ(info->serial.n, 32);
    CHECK_EQ(info->fingerprint.n, 64);
    CHECK_EQ(info->dns_name_count, 2);
    CHECK_STRZ(info->dns_names[0], "a.test");
    CHECK_STRZ(info->dns_names[1], "*.a.test");
    CHECK_EQ(info->ip_name_count, 2);
    CHECK_STRZ(info->ip_names[0], "10.0.0.1");
    CHECK_STRZ(info->ip_names[1], "2001:db8::1");
    CHECK_EQ(info->chain_count, 1);
    CHECK(!str_is_set(info->note));
    CHECK(issue_is_signed_by(c.keypair, ca.keypair));
    CHECK(!issue_is_signed_by(ca.keypair, c.keypair));
    cert_fini(&c);
    cert_fini(&ca);
}

TEST(names_cover_hosts_as_browsers_see_it)
{
    static const struct {
        const char *name, *host;
        bool covers;
    } rows[] = {
        { "a.test", "a.test", true },        { "a.test", "A.TEST", true },
        { "a.test", "b.a.test", false },     { "a.test", "a.test.", false },
        { "*.a.test", "b.a.test", true },    { "*.a.test", "a.test", false },
        { "*.a.test", "c.b.a.test", false }, { "*.a.test", ".a.test", false },
        { "*.a.test", "*.a.test", true },    { "a.test", "", false },
    };

    struct cert ca = cert_make("CA", NULL, ISSUE_EC_P256);

    for (size_t i = 0; i < LEN(rows); i++) {
        struct cert c = cert_make(rows[i].name, &ca, ISSUE_EC_P256);

        CASE(i);
        CHECK_EQ(tls_keypair_covers(c.keypair, str_of(rows[i].host)), rows[i].covers);
        cert_fini(&c);
    }
    cert_fini(&ca);
}

TEST(what_is_wrong_with_a_keypair_is_said)
{
    struct cert ca = cert_make("CA", NULL, ISSUE_EC_P256);
    struct cert a = cert_make("a.test", &ca, ISSUE_EC_P256);
    struct cert b = cert_make("b.test", &ca, ISSUE_EC_P256);
    struct cert rsa = cert_make("r.test", &ca, ISSUE_RSA);
    struct pem locked = pem_new(), locked_old = pem_new(), chain = pem_new();
    EVP_PKEY *key = key_of(&a);
    char cut[8192], text[] = "-----BEGIN CERTIFICATE-----\nMIIB!!!!\n-----END CERTIFICATE-----\n";
    char bad_key[] = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    struct buf both;

    PEM_write_bio_PKCS8PrivateKey(locked.b, key, EVP_aes_128_cbc(), "pass", 4, NULL, NULL);
    PEM_write_bio_PrivateKey_traditional(locked_old.b, key, EVP_aes_128_cbc(),
                                         (unsigned char *)(uintptr_t) "pass", 4, NULL, NULL);
    str_copy(str_sub(buf_str(&a.chain_pem), 0, a.chain_pem.n / 2), cut, sizeof(cut));
    buf_init(&both, 65536);
    buf_add(&both, buf_str(&a.chain_pem));
    buf_add(&both, str_of(text));

    {
        const struct {
            struct str chain, key;
            const char *begins;
        } rows[] = {
            { STR(""), STR(""), "the certificate has no \"-----BEGIN CERTIFICATE-----\" block" },
            { buf_str(&a.key_pem), buf_str(&a.key_pem), "the certificate has no \"-----BEGIN" },
            { str_of(cut), buf_str(&a.key_pem), "certificate 1 of the chain cannot be read: " },
            { str_of(text), buf_str(&a.key_pem), "certificate 1 of the chain cannot be read: " },
            { buf_str(&both), buf_str(&a.key_pem), "certificate 2 of the chain cannot be read: " },
            { buf_str(&a.chain_pem), STR(""), "the private key has no \"-----BEGIN PRIVATE KEY" },
            { buf_str(&a.chain_pem), buf_str(&a.chain_pem), "the private key has no \"-----BEGIN" },
            { buf_str(&a.chain_pem), str_of(bad_key), "the private key cannot be read: " },
            { buf_str(&a.chain_pem), pem_str(locked), "the private key is encrypted: " },
            { buf_str(&a.chain_pem), pem_str(locked_old), "the private key is encrypted: " },
            { buf_str(&a.chain_pem), buf_str(&b.key_pem),
              "the private key does not belong to the certificate \"CN=a.test\"" },
            { buf_str(&a.chain_pem), buf_str(&rsa.key_pem),
              "the private key does not belong to the certificate \"CN=a.test\"" },
        };

        for (size_t i = 0; i < LEN(rows); i++) {
            struct str why = refusal(rows[i].chain, rows[i].key);

            CASE(i);
            CHECK_STR(str_sub(why, 0, strlen(rows[i].begins)), str_of(rows[i].begins));
        }
    }
    BIO_free(locked.b);
    BIO_free(locked_old.b);
    BIO_free(chain.b);
    EVP_PKEY_free(key);
    buf_fini(&both);
    cert_fini(&a);
    cert_fini(&b);
    cert_fini(&rsa);
    cert_fini(&ca);
}

TEST(the_order_of_a_chain_is_looked_at)
{
    struct cert ca = cert_make("CA", NULL, ISSUE_EC_P256);
    struct cert other = cert_make("Other CA", NULL, ISSUE_EC_P256);
    struct cert leaf = cert_make("a.test", &ca, ISSUE_EC_P256);
    struct buf chain;
    struct tls_keypair *kp;
    struct str why;

    buf_init(&chain, 65536);
    /* in order */
    buf_add(&chain, buf_str(&leaf.chain_pem));
    buf_add(&chain, buf_str(&ca.chain_pem));
    kp = tls_keypair_parse(buf_str(&chain), buf_str(&leaf.key_pem), &why);
    CHECK(kp != NULL);
    CHECK_EQ(tls_keypair_info(kp)->chain_count, 2);
    CHECK(!str_is_set(tls_keypair_info(kp)->note));
    tls_keypair_unref(kp);
    /* the wrong issuer behind the leaf: usable */
    buf_reset(&chain);
    buf_add(&chain, buf_str(&leaf.chain_pem));
    buf_add(&chain, buf_str(&other.chain_pem));
    kp = tls_keypair_parse(buf_str(&chain), buf_str(&leaf.key_pem), &why);
    CHECK(kp != NULL);
    CHECK(str_starts(tls_keypair_info(kp)->note, STR("certificate 2 of the chain did not issue")));
    tls_keypair_unref(kp);
    /* the leaf not first: the message says what to do */
    buf_reset(&chain);
    buf_add(&chain, buf_str(&ca.chain_pem));
    buf_add(&chain, buf_str(&leaf.chain_pem));
    why = refusal(buf_str(&chain), buf_str(&leaf.key_pem));
    CHECK_STRZ(why, "the private key belongs to certificate 2 of the chain: the server's own "
                    "certificate must come first");
    /* without end */
    buf_reset(&chain);
    for (int i = 0; i < 17; i++)
        buf_add(&chain, buf_str(&leaf.chain_pem));
    why = refusal(buf_str(&chain), buf_str(&leaf.key_pem));
    CHECK_STRZ(why, "the chain has more than 16 certificates");
    buf_fini(&chain);
    cert_fini(&leaf);
    cert_fini(&other);
    cert_fini(&ca);
}

TEST(a_small_rsa_key_is_refused)
{
    struct pem cert = pem_new(), key = pem_new();
    EVP_PKEY *k = EVP_RSA_gen(1024);
    X509 *x = X509_new();
    struct str why;

    X509_set_pubkey(x, k);
    ASN1_TIME_set(X509_getm_notBefore(x), 1577836800);
    ASN1_TIME_set(X509_getm_notAfter(x), 1577836800);
    X509_sign(x, k, EVP_sha256());
    PEM_write_bio_X509(cert.b, x);
    PEM_write_bio_PrivateKey(key.b, k, NULL, NULL, 0, NULL, NULL);
    why = refusal(pem_str(cert), pem_str(key));
    CHECK_STRZ(why, "the RSA key has 1024 bits: clients want 2048 or more");
    X509_free(x);
    EVP_PKEY_free(k);
    BIO_free(cert.b);
    BIO_free(key.b);
}

TEST(a_name_with_a_nul_is_no_name)
{
    static const unsigned char evil[] = "good.test\0evil.test";
    struct pem cert = pem_new(), key = pem_new();
    EVP_PKEY *k = EVP_EC_gen("P-256");
    GENERAL_NAMES *all = GENERAL_NAMES_new();
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_STRING *s = ASN1_STRING_type_new(V_ASN1_IA5STRING);
    X509 *x = X509_new();
    struct tls_keypair *kp;
    struct str why;

    ASN1_STRING_set(s, evil, sizeof(evil) - 1);
    GENERAL_NAME_set0_value(g, GEN_DNS, s);
    sk_GENERAL_NAME_push(all, g);
    X509_set_version(x, X509_VERSION_3);
    ASN1_TIME_set(X509_getm_notBefore(x), 1577836800);
    ASN1_TIME_set(X509_getm_notAfter(x), 1577836800);
    X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0);
    X509_set_pubkey(x, k);
    X509_sign(x, k, EVP_sha256());
    PEM_write_bio_X509(cert.b, x);
    PEM_write_bio_PrivateKey(key.b, k, NULL, NULL, 0, NULL, NULL);
    kp = tls_keypair_parse(pem_str(cert), pem_str(key), &why);
    CHECK(kp != NULL);
    CHECK_EQ(tls_keypair_info(kp)->dns_name_count, 0);
    CHECK(!tls_keypair_covers(kp, STR("good.test")));
    tls_keypair_unref(kp);
    GENERAL_NAMES_free(all);
    X509_free(x);
    EVP_PKEY_free(k);
    BIO_free(cert.b);
    BIO_free(key.b);
}

/* A file of the form: @ stands for the certificate, ! for the key, # for the key's base64. */
static struct str file_of(struct buf *to, const char *form, const struct cert *c)
{
    struct str key = buf_str(&c->key_pem), base64 = key;

    (void)str_cut(&base64, '\n');
    base64 = str_sub(base64, 0, str_find(base64, '-'));
    buf_reset(to);
    for (; *form; form++) {
        if (*form == '@')
            buf_add(to, buf_str(&c->chain_pem));
        else if (*form == '!')
            buf_add(to, key);
        else if (*form == '#')
            buf_add(to, base64);
        else
            buf_addc(to, *form);
    }
    return buf_str(to);
}

TEST(what_is_shown_of_a_file_is_encoded_anew_from_the_certificates_read)
{
#define CERT "-----BEGIN CERTIFICATE-----"
#define KEY "-----BEGIN PRIVATE KEY-----"
    static const struct {
        const char *form;
        bool is_read;
    } rows[] = {
        { "@", true },
        { "@!", true },
        { "!subject: x\n@issuer: y\n", true },
        { "-----BEGIN CERTIFICATE REQUEST-----\n#-----END CERTIFICATE REQUEST-----\n@", true },
        { CERT KEY "\n#-----END PRIVATE KEY-----\n@", false },
        { KEY CERT "\n#-----END PRIVATE KEY-----\n@", false },
        { "of " CERT "\n#@", true },
        { CERT " of\n#\n@", true },
        { "@of " CERT "\n#", true },
        { "@" CERT "\r#-----END CERTIFICATE-----\r" KEY "\r#", true },
        { "@" CERT "\n#", false },
        { "@" CERT "\n!", false },
        { "@" CERT "\n#-----END CERTIFICATE-----\n", false },
    };
    struct cert c = cert_make("a.test", NULL, ISSUE_EC_P256);
    struct buf file, shown;

    buf_init(&file, 65536);
    buf_init(&shown, 65536);
    for (size_t i = 0; i < LEN(rows); i++) {
        struct str chain = file_of(&file, rows[i].form, &c), why = STR_NONE;
        struct tls_keypair *kp = tls_keypair_parse(chain, buf_str(&c.key_pem), &why);

        CASE(i);
        CHECK_EQ(kp != NULL, rows[i].is_read);
        buf_reset(&shown);
        if (kp)
            tls_keypair_show(kp, &shown);
        CHECK_STR(buf_str(&shown), rows[i].is_read ? buf_str(&c.chain_pem) : STR(""));
        tls_keypair_unref(kp);
    }
#undef CERT
#undef KEY
    buf_fini(&file);
    buf_fini(&shown);
    cert_fini(&c);
}
