#include "tls/issue_int.h"

#include "base/addr.h"
#include "tls/keypair_int.h"

#include <stdio.h>
#include <string.h>

#define COMMON_NAME_MAX 64 /* RFC 5280, ub-common-name */
#define TEXT_MAX 2048

/* ---- subject ---- */

static bool add_entry(X509_NAME *name, const char *attribute, struct str value, bool joins)
{
    return X509_NAME_add_entry_by_txt(name, attribute, MBSTRING_UTF8,
                                      (const unsigned char *)value.p, (int)value.n, -1,
                                      joins ? -1 : 0) == 1;
}

bool issue_add_subject(X509 *cert, const struct issue_request *r)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    struct str cn = str_sub(r->common_name, 0, COMMON_NAME_MAX);

    for (size_t i = 0; i < r->subject_count; i++) {
        const struct issue_rdn *rdn = &r->subject[i];

        if (!add_entry(subject, rdn->attribute, rdn->value,
                       i > 0 && strcmp(rdn->attribute, r->subject[i - 1].attribute) == 0))
            return false;
    }
    if ((cn.n && !add_entry(subject, "CN", cn, false)) ||
        (r->serial_number.n && !add_entry(subject, "serialNumber", r->serial_number, false)))
        return false;
    return X509_set_issuer_name(cert,
                                r->issuer ? X509_get_subject_name(r->issuer->leaf) : subject) == 1;
}

/* ---- subjectAltName ---- */

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

/* What an IA5String may hold, and no blank. */
static bool text_is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return false;
    return text.n > 0 && text.n <= TEXT_MAX;
}

static bool add_general(GENERAL_NAMES *all, int type, const void *octets, size_t n)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_STRING *s = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING
                                                            : V_ASN1_IA5STRING);

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

static bool add_texts(GENERAL_NAMES *all, int type, const struct str *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(type == GEN_DNS ? dns_is_plain(v[i]) : text_is_plain(v[i])) ||
            !add_general(all, type, v[i].p, v[i].n))
            return false;
    return true;
}

static bool general_names(GENERAL_NAMES *all, const struct issue_request *r)
{
    if (!add_texts(all, GEN_DNS, r->dns_names, r->dns_name_count) ||
        !add_texts(all, GEN_EMAIL, r->emails, r->email_count) ||
        !add_texts(all, GEN_URI, r->uris, r->uri_count))
        return false;
    for (size_t i = 0; i < r->ip_name_count; i++) {
        struct addr ip;

        if (!addr_parse_ip(r->ip_names[i], &ip) ||
            !add_general(all, GEN_IPADD, ip.ip, ip.family == 4 ? 4 : 16))
            return false;
    }
    return true;
}

bool issue_add_alternatives(X509 *cert, const struct issue_request *r)
{
    GENERAL_NAMES *all;
    bool fine;

    if (r->dns_name_count + r->ip_name_count + r->uri_count + r->email_count == 0)
        return true;
    all = GENERAL_NAMES_new();
    /* critical where the subject is empty (RFC 5280 4.2.1.6) */
    fine = all && general_names(all, r) &&
           X509_add1_ext_i2d(cert, NID_subject_alt_name, all,
                             X509_NAME_entry_count(X509_get_subject_name(cert)) == 0,
                             X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(all);
    return fine;
}

/* ---- usages ---- */

static const struct {
    uint32_t bit;
    const char *name; /* as OpenSSL's configuration calls it */
} usages[] = {
    { USAGE_DIGITAL_SIGNATURE, "digitalSignature" },
    { USAGE_NON_REPUDIATION, "nonRepudiation" },
    { USAGE_KEY_ENCIPHERMENT, "keyEncipherment" },
    { USAGE_DATA_ENCIPHERMENT, "dataEncipherment" },
    { USAGE_KEY_AGREEMENT, "keyAgreement" },
    { USAGE_CERT_SIGN, "keyCertSign" },
    { USAGE_CRL_SIGN, "cRLSign" },
    { USAGE_ENCIPHER_ONLY, "encipherOnly" },
    { USAGE_DECIPHER_ONLY, "decipherOnly" },
    { USAGE_SERVER_AUTH, "serverAuth" },
    { USAGE_CLIENT_AUTH, "clientAuth" },
    { USAGE_CODE_SIGNING, "codeSigning" },
    { USAGE_EMAIL_PROTECTION, "emailProtection" },
    { USAGE_TIMESTAMPING, "timeStamping" },
    { USAGE_OCSP_SIGNING, "OCSPSigning" },
    { USAGE_IPSEC_END_SYSTEM, "ipsecEndSystem" },
    { USAGE_IPSEC_TUNNEL, "ipsecTunnel" },
    { USAGE_IPSEC_USER, "ipsecUser" },
    { USAGE_ANY, "anyExtendedKeyUsage" },
};

#define KEY_USAGES (USAGE_SERVER_AUTH - 1)

static uint32_t usages_of(const struct issue_request *r)
{
    if (r->usages)
        return r->usages;
    if (r->is_ca)
        return USAGE_CERT_SIGN | USAGE_CRL_SIGN;
    return USAGES_SERVER | (r->key == ISSUE_RSA ? USAGE_KEY_ENCIPHERMENT : 0);
}

static bool add_named(X509 *cert, int nid, const char *begin, uint32_t bits)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "%s", begin);
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    bool fine;

    if (!bits)
        return true;
    for (size_t i = 0; i < LEN(usages); i++)
        if (bits & usages[i].bit)
            n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", n ? "," : "", usages[i].name);
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
    fine = ext && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return fine;
}

bool issue_add_usages(X509 *cert, const struct issue_request *r)
{
    uint32_t all = usages_of(r);

    return add_named(cert, NID_key_usage, "critical", all & KEY_USAGES) &&
           add_named(cert, NID_ext_key_usage, "", all & ~(uint32_t)KEY_USAGES);
}
