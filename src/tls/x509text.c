#include "tls/x509text.h"

#include "base/addr.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

static const char hex_upper[] = "0123456789ABCDEF", hex_lower[] = "0123456789abcdef";

static struct str hex_text(struct arena *a, const unsigned char *p, size_t n, const char *digits)
{
    char *out = arena_alloc(a, 2 * n + 1);

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    return str_make(out, 2 * n);
}

static struct str name_text(struct arena *a, X509_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *p;
    long n;
    struct str text;

    MUST(out != NULL);
    X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    n = BIO_get_mem_data(out, &p);
    text = arena_dup(a, str_make(p, n > 0 ? (size_t)n : 0));
    BIO_free(out);
    return text;
}

static int64_t time_ms(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

static struct str serial_text(struct arena *a, X509 *cert)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get_serialNumber(cert), NULL);
    unsigned char octets[64];
    int len = n && BN_num_bytes(n) <= (int)sizeof(octets) ? BN_bn2bin(n, octets) : 0;

    BN_free(n);
    return hex_text(a, octets, (size_t)len, hex_upper);
}

static struct str fingerprint_text(struct arena *a, X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    MUST(X509_digest(cert, EVP_sha256(), digest, &n) == 1);
    return hex_text(a, digest, n, hex_lower);
}

static struct str key_text(struct arena *a, X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    char group[64] = "";
    const char *curve;

    if (!key)
        return STR("unknown");
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
        curve = EC_curve_nid2nist(OBJ_sn2nid(group));
        return arena_printf(a, "EC %s", curve ? curve : group);
    }
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return arena_printf(a, "RSA %d", EVP_PKEY_get_bits(key));
    return arena_dup(a, str_of(OBJ_nid2ln(EVP_PKEY_get_base_id(key))));
}

static struct str lower_copy(struct arena *a, const unsigned char *p, int n)
{
    char *out = arena_alloc(a, (size_t)n + 1);

    for (int i = 0; i < n; i++)
        out[i] = ascii_lower((char)p[i]);
    return str_make(out, (size_t)n);
}

/* A name with a NUL inside is no name: others would read it up to there. */
static bool is_dns_name(const ASN1_STRING *s)
{
    int n = ASN1_STRING_length(s);

    return n > 0 && n < 256 && !memchr(ASN1_STRING_get0_data(s), 0, (size_t)n);
}

static bool ip_text(struct arena *a, const ASN1_OCTET_STRING *ip, struct str *ret)
{
    struct addr at = { .family = ASN1_STRING_length(ip) == 4 ? 4 : 6 };
    char text[ADDR_TEXT_MAX];

    if (ASN1_STRING_length(ip) != 4 && ASN1_STRING_length(ip) != 16)
        return false;
    memcpy(at.ip, ASN1_STRING_get0_data(ip), (size_t)ASN1_STRING_length(ip));
    *ret = arena_dup(a, addr_format_ip(&at, text));
    return true;
}

static void common_name(X509 *cert, struct arena *a, struct str *dns, size_t *dns_n)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    ASN1_STRING *s;

    if (at < 0)
        return;
    s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    if (is_dns_name(s))
        dns[(*dns_n)++] = lower_copy(a, ASN1_STRING_get0_data(s), ASN1_STRING_length(s));
}

static void names_read(X509 *cert, struct arena *a, struct tls_cert_info *into)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    size_t max = names ? (size_t)sk_GENERAL_NAME_num(names) : 1;
    struct str *dns = ARENA_ARRAY(a, struct str, max), *ips = ARENA_ARRAY(a, struct str, max);
    size_t dns_n = 0, ip_n = 0;

    for (size_t i = 0; names && i < max; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, (int)i);

        if (g->type == GEN_DNS && is_dns_name(g->d.dNSName))
            dns[dns_n++] = lower_copy(a, ASN1_STRING_get0_data(g->d.dNSName),
                                      ASN1_STRING_length(g->d.dNSName));
        else if (g->type == GEN_IPADD && ip_text(a, g->d.iPAddress, &ips[ip_n]))
            ip_n++;
    }
    if (!names)
        common_name(cert, a, dns, &dns_n);
    GENERAL_NAMES_free(names);
    into->dns_names = dns;
    into->dns_name_count = dns_n;
    into->ip_names = ips;
    into->ip_name_count = ip_n;
}

void x509text_describe(X509 *cert, struct arena *a, struct tls_cert_info *into)
{
    into->not_before_ms = time_ms(X509_get0_notBefore(cert));
    into->not_after_ms = time_ms(X509_get0_notAfter(cert));
    into->subject = name_text(a, X509_get_subject_name(cert));
    into->issuer = name_text(a, X509_get_issuer_name(cert));
    into->serial = serial_text(a, cert);
    into->fingerprint = fingerprint_text(a, cert);
    into->key_type = key_text(a, cert);
    names_read(cert, a, into);
}
