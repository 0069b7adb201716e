#include "tls/issue.h"

#include "tls/issue_int.h"
#include "tls/keypair_int.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#define SERIAL_OCTETS 16
#define RSA_BITS 2048

/* ---- the certificate ---- */

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

static bool add_extensions(X509 *cert, const struct issue_request *r)
{
    return add_extension(cert, r, NID_subject_key_identifier, "hash") &&
           add_extension(cert, r, NID_authority_key_identifier, "keyid:always") &&
           add_extension(cert, r, NID_basic_constraints,
                         r->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           issue_add_usages(cert, r) && issue_add_alternatives(cert, r);
}

/* As strong as the key that signs; Ed25519 has its own. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519"))
        return NULL;
    if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256)
        return EVP_PKEY_get_bits(key) > 384 ? EVP_sha512() : EVP_sha384();
    return EVP_sha256();
}

static bool build(X509 *cert, EVP_PKEY *key, const struct issue_request *r)
{
    EVP_PKEY *signs = r->issuer ? r->issuer->key : key;

    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) && set_times(cert, r) &&
           issue_add_subject(cert, r) && X509_set_pubkey(cert, key) == 1 &&
           add_extensions(cert, r) && X509_sign(cert, signs, digest_for(signs)) > 0;
}

/* ---- the key ---- */

static EVP_PKEY *key_read(struct str pem)
{
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;

    BIO_free(in);
    return key;
}

static EVP_PKEY *key_make(const struct issue_request *r)
{
    EVP_PKEY *key;

    switch (r->key) {
    case ISSUE_RSA:
        key = EVP_RSA_gen(r->rsa_bits ? r->rsa_bits : RSA_BITS);
        break;
    case ISSUE_ED25519:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    case ISSUE_EC_P384:
        key = EVP_EC_gen("P-384");
        break;
    case ISSUE_EC_P521:
        key = EVP_EC_gen("P-521");
        break;
    default:
        key = EVP_EC_gen("P-256");
    }
    MUST(key != NULL);
    return key;
}

/* ---- the whole ---- */

static bool bio_to_buf(BIO *from, struct buf *to)
{
    char *p;
    long n = BIO_get_mem_data(from, &p);

    return n > 0 && buf_add(to, str_make(p, (size_t)n));
}

static bool write_key(BIO *to, EVP_PKEY *key, bool is_pkcs1)
{
    if (is_pkcs1 && !EVP_PKEY_is_a(key, "ED25519"))
        return PEM_write_bio_PrivateKey_traditional(to, key, NULL, NULL, 0, NULL, NULL) == 1;
    return PEM_write_bio_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1;
}

static bool write_pem(X509 *cert, EVP_PKEY *key, bool is_pkcs1, struct buf *cert_pem,
                      struct buf *key_pem)
{
    BIO *a = BIO_new(BIO_s_mem()), *b = BIO_new(BIO_s_secmem());
    bool fine = a && b && PEM_write_bio_X509(a, cert) == 1 && write_key(b, key, is_pkcs1) &&
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
    key = r->old_key_pem.n ? key_read(r->old_key_pem) : key_make(r);
    cert = X509_new();
    MUST(cert != NULL);
    if (!key)
        *reterr = STR("the old key cannot be read");
    else if (!build(cert, key, r))
        *reterr = STR("a name cannot stand in a certificate");
    else if (!write_pem(cert, key, r->key_is_pkcs1, cert_pem, key_pem))
        *reterr = STR("the certificate is too long");
    else
        fine = true;
    ERR_clear_error();
    X509_free(cert);
    EVP_PKEY_free(key);
    return fine;
}

static bool cert_to_buf(X509 *cert, struct buf *to)
{
    BIO *b = BIO_new(BIO_s_mem());
    bool fine = b && PEM_write_bio_X509(b, cert) == 1 && bio_to_buf(b, to);

    BIO_free(b);
    return fine;
}

bool issue_chain(const struct tls_keypair *issuer, struct buf *chain_pem, struct buf *root_pem)
{
    int n = sk_X509_num(issuer->chain);

    for (int i = -1; i < n; i++) {
        X509 *cert = i < 0 ? issuer->leaf : sk_X509_value(issuer->chain, i);
        bool is_root = X509_self_signed(cert, 0) == 1;

        if ((!is_root && !cert_to_buf(cert, chain_pem)) ||
            ((is_root || i == n - 1) && !cert_to_buf(cert, root_pem)))
            return false;
        if (is_root)
            break;
    }
    return true;
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
