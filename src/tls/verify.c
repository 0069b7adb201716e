#include "tls/verify.h"

#include "base/addr.h"
#include "tls/engine_int.h"
#include "tls/keypair_int.h"
#include "tls/verify_int.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* ---- names (RFC 6125) ---- */

static struct str text_of(const ASN1_STRING *s)
{
    return str_make((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool is_address(const ASN1_OCTET_STRING *ip, struct str name)
{
    struct addr a;

    return addr_parse_ip(name, &a) && (size_t)ASN1_STRING_length(ip) == (a.family == 4 ? 4 : 16) &&
           memcmp(ASN1_STRING_get0_data(ip), a.ip, (size_t)ASN1_STRING_length(ip)) == 0;
}

/* Compared with their lengths: a NUL inside makes it another name (CVE-2025-66220). */
static bool is_named(const GENERAL_NAME *g, struct str name)
{
    switch (g->type) {
    case GEN_DNS:
        return keypair_name_covers(text_of(g->d.dNSName), name);
    case GEN_URI:
        return str_eq(text_of(g->d.uniformResourceIdentifier), name);
    case GEN_EMAIL:
        return str_eq(text_of(g->d.rfc822Name), name);
    case GEN_IPADD:
        return is_address(g->d.iPAddress, name);
    default:
        return false;
    }
}

static bool has_name(X509 *cert, const struct tls_demand *d)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool has = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(all) && !has; i++) {
        for (size_t k = 0; k < d->name_count && !has; k++)
            has = is_named(sk_GENERAL_NAME_value(all, i), d->names[k]);
    }
    GENERAL_NAMES_free(all);
    return has;
}

/* ---- digests ---- */

static bool is_hash(X509 *cert, struct str wanted)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (X509_digest(cert, EVP_sha256(), digest, &n) != 1 || wanted.n != 2 * (size_t)n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (wanted.p[2 * i] != digits[digest[i] >> 4] ||
            wanted.p[2 * i + 1] != digits[digest[i] & 15])
            return false;
    }
    return true;
}

static bool is_spki(X509 *cert, struct str wanted)
{
    unsigned char digest[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE], *der = NULL;
    int der_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der), n = 0;
    unsigned digest_n = 0;

    if (der_n > 0 && EVP_Digest(der, (size_t)der_n, digest, &digest_n, EVP_sha256(), NULL) == 1)
        n = EVP_EncodeBlock(base64, digest, (int)digest_n);
    OPENSSL_free(der);
    return n > 0 && str_eq(wanted, str_make((char *)base64, (size_t)n));
}

static bool has_digest(X509 *cert, const struct tls_demand *d)
{
    for (size_t i = 0; i < d->hash_count; i++) {
        if (is_hash(cert, d->hashes[i]))
            return true;
    }
    for (size_t i = 0; i < d->spki_count; i++) {
        if (is_spki(cert, d->spkis[i]))
            return true;
    }
    return false;
}

/* ---- the whole ---- */

const char *verify_certificate(X509 *cert, const struct tls_demand *d, char *text, size_t size)
{
    if (d->name_count && !has_name(cert, d)) {
        snprintf(text, size, "verify cert failed: verify SAN list, expected SANs: [%.*s%s]",
                 STRF(d->names[0]), d->name_count > 1 ? ", ..." : "");
        return text;
    }
    if ((d->hash_count || d->spki_count) && !has_digest(cert, d))
        return "verify cert failed: cert hash and spki";
    return NULL;
}

int verify_callback(X509_STORE_CTX *chain, __attribute__((unused)) void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct engine *e = SSL_get_app_data(ssl);
    struct engine_check *check = e->check;
    const struct tls_demand *d;
    const char *why;

    MUST(check != NULL); /* nobody shows a certificate who was not asked */
    d = &check->demand;
    if (!d->skip && (!d->trust || X509_verify_cert(chain) != 1)) {
        int error = X509_STORE_CTX_get_error(chain);

        if (error == X509_V_OK) /* nothing is trusted */
            X509_STORE_CTX_set_error(chain, error = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
        snprintf(check->unverified, sizeof(check->unverified),
                 "verify cert failed: X509_verify_cert: certificate verification error at depth "
                 "%d: %s",
                 X509_STORE_CTX_get_error_depth(chain), X509_verify_cert_error_string(error));
        return 0;
    }
    why = verify_certificate(X509_STORE_CTX_get0_cert(chain), d, check->unverified,
                             sizeof(check->unverified));
    if (!why)
        return 1;
    if (why != check->unverified)
        snprintf(check->unverified, sizeof(check->unverified), "%s", why);
    X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}
