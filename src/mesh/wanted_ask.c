/*
 * mesh/wanted_ask - what a Certificate asks for, as the request that its issuer gets.
 */
#include "api/certmanager.h"
#include "base/hash.h"
#include "mesh/wanted_int.h"

#define LIFETIME_MS (INT64_C(90) * 24 * 3600 * 1000)
#define MS_NS 1000000

static struct str *texts(struct arena *a, const struct str_list *from, size_t *ret_n)
{
    struct str *v = ARENA_ARRAY(a, struct str, from->n + 1);

    for (size_t i = 0; i < from->n; i++)
        v[i] = arena_dup(a, from->v[i]);
    *ret_n = from->n;
    return v;
}

/* In the order of X.520's writers; cert-manager writes it so. */
static void ask_subject(struct asking *k, struct issue_request *r)
{
    const struct api_cert_subject *s = k->cert->subject;
    struct issue_rdn *v;

    if (!s)
        return;
    const struct {
        const char *attribute;
        const struct str_list *values;
    } rows[] = {
        { "C", &s->countries },
        { "O", &s->organizations },
        { "OU", &s->organizational_units },
        { "L", &s->localities },
        { "ST", &s->provinces },
        { "street", &s->street_addresses },
        { "postalCode", &s->postal_codes },
    };

    for (size_t i = 0; i < LEN(rows); i++)
        r->subject_count += rows[i].values->n;
    v = ARENA_ARRAY(k->a, struct issue_rdn, r->subject_count + 1);
    r->subject = v;
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t j = 0; j < rows[i].values->n; j++)
            *v++ = (struct issue_rdn){ rows[i].attribute, arena_dup(k->a, rows[i].values->v[j]) };
    r->serial_number = arena_dup(k->a, s->serial_number);
}

/* cert-manager's names of usages. */
static const struct {
    struct str name;
    uint32_t bit;
} usage_names[] = {
    { STR_INIT("signing"), USAGE_DIGITAL_SIGNATURE },
    { STR_INIT("digital signature"), USAGE_DIGITAL_SIGNATURE },
    { STR_INIT("content commitment"), USAGE_NON_REPUDIATION },
    { STR_INIT("key encipherment"), USAGE_KEY_ENCIPHERMENT },
    { STR_INIT("key agreement"), USAGE_KEY_AGREEMENT },
    { STR_INIT("data encipherment"), USAGE_DATA_ENCIPHERMENT },
    { STR_INIT("cert sign"), USAGE_CERT_SIGN },
    { STR_INIT("crl sign"), USAGE_CRL_SIGN },
    { STR_INIT("encipher only"), USAGE_ENCIPHER_ONLY },
    { STR_INIT("decipher only"), USAGE_DECIPHER_ONLY },
    { STR_INIT("any"), USAGE_ANY },
    { STR_INIT("server auth"), USAGE_SERVER_AUTH },
    { STR_INIT("client auth"), USAGE_CLIENT_AUTH },
    { STR_INIT("code signing"), USAGE_CODE_SIGNING },
    { STR_INIT("email protection"), USAGE_EMAIL_PROTECTION },
    { STR_INIT("s/mime"), USAGE_EMAIL_PROTECTION },
    { STR_INIT("ipsec end system"), USAGE_IPSEC_END_SYSTEM },
    { STR_INIT("ipsec tunnel"), USAGE_IPSEC_TUNNEL },
    { STR_INIT("ipsec user"), USAGE_IPSEC_USER },
    { STR_INIT("timestamping"), USAGE_TIMESTAMPING },
    { STR_INIT("ocsp signing"), USAGE_OCSP_SIGNING },
};

static void ask_usages(struct asking *k, struct issue_request *r)
{
    const struct str_list *list = &k->cert->usages;

    for (size_t i = 0; i < list->n; i++) {
        uint32_t bit = 0;

        for (size_t j = 0; j < LEN(usage_names) && !bit; j++)
            if (str_eq(usage_names[j].name, list->v[i]))
                bit = usage_names[j].bit;
        r->usages |= bit;
        if (!bit)
            wanted_cannot(
                k, SEV_ERROR, "LAT0307", ITEM(k->cert, "usages", i),
                arena_printf(k->a, "\"%.*s\" is no usage", STRF(str_sub(list->v[i], 0, 40))));
    }
    if (!list->n)
        r->usages = USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT;
    if (r->is_ca)
        r->usages |= USAGE_CERT_SIGN;
}

static void ask_key(struct asking *k, struct issue_request *r)
{
    const struct api_cert_private_key *p = k->cert->private_key;
    int64_t size = p && p->size.set ? p->size.v : 0;

    r->key = ISSUE_RSA;
    r->key_is_pkcs1 = true;
    if (!p)
        return;
    k->to->keeps_key = p->rotation_policy.v == CERT_ROTATION_NEVER;
    r->key_is_pkcs1 = p->encoding.v == CERT_ENCODING_PKCS1;
    if (p->algorithm.v == CERT_KEY_ED25519)
        r->key = ISSUE_ED25519;
    else if (p->algorithm.v == CERT_KEY_ECDSA)
        r->key = size == 521 ? ISSUE_EC_P521 : size == 384 ? ISSUE_EC_P384 : ISSUE_EC_P256;
    else
        r->rsa_bits = (uint32_t)MIN(MAX(size, 0), 8192);
    if ((p->algorithm.v == CERT_KEY_RSA && size && (size < 2048 || size > 8192)) ||
        (p->algorithm.v == CERT_KEY_ECDSA && size && size != 256 && size != 384 && size != 521))
        wanted_cannot(k, SEV_ERROR, "LAT0307", LEAF(p, "size"), STR("there is no such key"));
}

static void ask_times(struct asking *k)
{
    const struct api_certificate *cert = k->cert;
    struct mesh_wanted *to = k->to;
    int64_t percent = cert->renew_before_percentage.v;

    to->lifetime_ms = cert->duration.set ? cert->duration.ns / MS_NS : LIFETIME_MS;
    if (cert->renew_before.set)
        to->renew_before_ms = cert->renew_before.ns / MS_NS;
    else if (cert->renew_before_percentage.set && percent > 0 && percent < 100)
        to->renew_before_ms = to->lifetime_ms / 100 * percent;
}

/* ---- the same in numbers ---- */

static uint64_t hash_texts(uint64_t h, const struct str *v, size_t n)
{
    h = hash_mix(h, n);
    for (size_t i = 0; i < n; i++)
        h = hash_mix(h, hash_stable(v[i]));
    return h;
}

static uint64_t hash_request(const struct mesh_wanted *w)
{
    const struct issue_request *r = &w->request;
    uint64_t h = hash_texts(0, &r->common_name, 1);

    for (size_t i = 0; i < r->subject_count; i++) {
        h = hash_mix(h, hash_stable(str_of(r->subject[i].attribute)));
        h = hash_mix(h, hash_stable(r->subject[i].value));
    }
    h = hash_texts(h, &r->serial_number, 1);
    h = hash_texts(h, r->dns_names, r->dns_name_count);
    h = hash_texts(h, r->ip_names, r->ip_name_count);
    h = hash_texts(h, r->uris, r->uri_count);
    h = hash_texts(h, r->emails, r->email_count);
    h = hash_mix(h, r->key);
    h = hash_mix(h, r->rsa_bits);
    h = hash_mix(h, (uint64_t)r->key_is_pkcs1 << 1 | r->is_ca);
    h = hash_mix(h, r->usages);
    return hash_mix(h, (uint64_t)w->lifetime_ms);
}

/* ---- the whole ---- */

void wanted_ask(struct asking *k)
{
    const struct api_certificate *cert = k->cert;
    struct issue_request *r = &k->to->request;

    r->common_name = arena_dup(k->a, cert->common_name);
    r->dns_names = texts(k->a, &cert->dns_names, &r->dns_name_count);
    r->ip_names = texts(k->a, &cert->ip_addresses, &r->ip_name_count);
    r->uris = texts(k->a, &cert->uris, &r->uri_count);
    r->emails = texts(k->a, &cert->email_addresses, &r->email_count);
    r->is_ca = cert->is_ca.v;
    ask_subject(k, r);
    ask_key(k, r);
    ask_usages(k, r);
    ask_times(k);
    k->to->hash = hash_request(k->to);
}
