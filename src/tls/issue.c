#include "tls/issue.h"

#include "base/addr.h"
#include "tls/keypair_int.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define COMMON_NAME_MAX 64 /* RFC 5280, ub-common-name */
#define SERIAL_OCTETS 16

/* ---- parts of a certificate ---- */

static bool set_serial(X509 *cert)
{
    unsigned char octets[SERIAL_OCTETS];
    BIGNUM *n;
    bool fine;

    if (RAND_bytes(octets, sizeof(octets)) != 1)
        return false;
    octets[0] = (unsigned char)((octets[0] & 0x7f) | 0x40); /* positive, of full length */
    n = BN_bin2bn(octets, sizeof(octets), NULL);
    fine = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
    BN_free(n);
    return fine;
}

static bool set_times(X509 *cert, const struct issue_request *r)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(r->not_before_ms / 1000)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(r->not_after_ms / 1000)) != NULL;
}

static bool set_names(X509 *cert, const struct issue_request *r)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    struct str cn = str_sub(r->common_name, 0, COMMON_NAME_MAX);
    X509_NAME *issuer = r->issuer ? X509_get_subject_name(r->issuer->leaf) : subject;

    if (cn.n && X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                           (const unsigned char *)cn.p, (int)cn.n, -1, 0) != 1)
        return false;
    return X509_set_issuer_name(cert, issuer) == 1;
}

static bool add_extension(X509 *cert, const struct issue_request *r, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    bool fine;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, r->issuer ? r->issuer->leaf : cert, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    fine = ext && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return fine;
}

/* No letter that could end the name or mean something else to a reader. */
static bool dns_is_plain(struct str name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-._*";

    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '\0' || !strchr(allowed, ascii_lower(name.p[i])))
            return false;
    }
    return name.n > 0 && name.n <= 253;
}

static bool add_general(GENERAL_NAMES *all, int type, const void *octets, size_t n)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_STRING *s = ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);

    if (g && s && ASN1_STRING_set(s, octets, (int)n) == 1) {
        GENERAL_NAME_set0_value(g, type, s);
        if (sk_GENERAL_NAME_push(all, g) > 0)
            return true;
        s = NULL;
    }
    ASN1_STRING_free(s);
    GENERAL_NAME_free(g);
    return false;
}

static bool general_names(GENERAL_NAMES *all, const struct issue_request *r)
{
    for (size_t i = 0; i < r->dns_name_count; i++) {
        if (!dns_is_plain(r->dns_names[i]) ||
            !add_general(all, GEN_DNS, r->dns_names[i].p, r->dns_names[i].n))
            return false;
    }
    for (size_t i = 0; i < r->ip_name_count; i++) {
        struct addr ip;

        if (!addr_parse_ip(r->ip_names[i], &ip) ||
            !add_general(all, GEN_IPADD, ip.ip, ip.family == 4 ? 4 : 16))
            return false;
    }
    return true;
}

static bool add_alternatives(X509 *cert, const struct issue_request *r)
{
    GENERAL_NAMES *all;
    bool fine;

    if (r->dns_name_count + r->ip_name_count == 0)
        return true;
    all = GENERAL_NAMES_new();
    /* critical where the subject is empty (RFC 5280 4.2.1.6) */
    fine = all && general_names(all, r) &&
           X509_add1_ext_i2d(cert, NID_subject_alt_name, all, r->common_name.n == 0,
                             X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(all);
    return fine;
}

static bool add_extensions(X509 *cert, const struct issue_request *r)
{
    if (!add_extension(cert, r, NID_subject_key_identifier, "hash") ||
        !add_extension(cert, r, NID_authority_key_identifier, "keyid:always"))
        return false;
    if (r->is_ca)
        return add_extension(cert, r, NID_basic_constraints, "critical,CA:TRUE") &&
               add_extension(cert, r, NID_key_usage, "critical,keyCertSign,cRLSign");
    return add_extension(cert, r, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, r, NID_key_usage,
                         r->key == ISSUE_RSA_2048 ? "critical,digitalSignature,keyEncipherment"
                                                  : "critical,digitalSignature") &&
           add_extension(cert, r, NID_ext_key_usage,
                         r->client_auth ? "serverAuth,clientAuth" : "serverAuth") &&
           add_alternatives(cert, r);
}

/* ---- the whole ---- */

static bool build(X509 *cert, EVP_PKEY *key, const struct issue_request *r)
{
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) && set_times(cert, r) &&
           set_names(cert, r) && X509_set_pubkey(cert, key) == 1 && add_extensions(cert, r) &&
           X509_sign(cert, r->issuer ? r->issuer->key : key, EVP_sha256()) > 0;
}

static bool bio_to_buf(BIO *from, struct buf *to)
{
    char *p;
    long n = BIO_get_mem_data(from, &p);

    return n > 0 && buf_add(to, str_make(p, (size_t)n));
}

static bool write_pem(X509 *cert, EVP_PKEY *key, struct buf *cert_pem, struct buf *key_pem)
{
    BIO *a = BIO_new(BIO_s_mem()), *b = BIO_new(BIO_s_secmem());
    bool fine = a && b && PEM_write_bio_X509(a, cert) == 1 &&
                PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                bio_to_buf(a, cert_pem) && bio_to_buf(b, key_pem);

    BIO_free(a);
    BIO_free(b);
    return fine;
}

bool issue_certificate(const struct issue_request *r, struct buf *cert_pem, struct buf *key_pem,
                       struct str *reterr)
{
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    bool fine = false;

    if (r->issuer && X509_check_ca(r->issuer->leaf) != 1) {
        *reterr = STR("the issuer's certificate is no CA");
        return false;
    }
    key = r->key == ISSUE_RSA_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    cert = X509_new();
    MUST(key != NULL && cert != NULL);
    if (!build(cert, key, r))
        *reterr = STR("a name cannot stand in a certificate");
    else if (!write_pem(cert, key, cert_pem, key_pem))
        *reterr = STR("the certificate is too long");
    else
        fine = true;
    ERR_clear_error();
    X509_free(cert);
    EVP_PKEY_free(key);
    return fine;
}

bool issue_is_signed_by(const struct tls_keypair *kp, const struct tls_keypair *issuer)
{
    bool fine = X509_check_issued(issuer->leaf, kp->leaf) == X509_V_OK &&
                X509_verify(kp->leaf, X509_get0_pubkey(issuer->leaf)) == 1;

    ERR_clear_error();
    return fine;
}

bool issue_has_client_auth(const struct tls_keypair *kp)
{
    uint32_t usage = X509_get_extended_key_usage(kp->leaf);

    return usage == UINT32_MAX || (usage & XKU_SSL_CLIENT);
}
