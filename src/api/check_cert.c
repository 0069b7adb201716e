#include "api/certmanager.h"
#include "api/check.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))
#define HOUR INT64_C(3600000000000)
#define MINUTE INT64_C(60000000000)

static void check_names(struct api_checker *c, const struct api_certificate *k)
{
    for (size_t i = 0; i < k->dns_names.n; i++) {
        struct buf why;

        buf_init(&why, 512);
        if (str_eq(k->dns_names.v[i], STR("*")) ||
            !api_check_wildcard_fqdn(k->dns_names.v[i], &why))
            api_error(c, ITEM(k, "dnsNames", i), "\"%.*s\" is no name that can be certified",
                      SHOW(k->dns_names.v[i]));
        buf_fini(&why);
    }
    if (!k->dns_names.n && !k->common_name.n && !k->ip_addresses.n && !k->uris.n &&
        !k->email_addresses.n && !k->other_names && !k->literal_subject.n)
        api_error(c, LEAF(k, "dnsNames"), "no names: set dnsNames, or another kind of name");
    if (k->common_name.n > 64)
        api_error(c, LEAF(k, "commonName"), "has %zu octets, at most 64 are allowed: use dnsNames",
                  k->common_name.n);
}

static void check_times(struct api_checker *c, const struct api_certificate *k)
{
    if (k->duration.set && k->duration.ns < HOUR)
        api_error(c, LEAF(k, "duration"), "must be at least 1h");
    if (k->renew_before.set && k->renew_before.ns < 5 * MINUTE)
        api_error(c, LEAF(k, "renewBefore"), "must be at least 5m");
    if (k->duration.set && k->renew_before.set && k->renew_before.ns >= k->duration.ns)
        api_error(c, LEAF(k, "renewBefore"), "must be shorter than duration");
}

static void check_key(struct api_checker *c, const struct api_cert_private_key *p)
{
    int64_t size = p->size.v;

    if (!p->size.set)
        return;
    if (p->algorithm.v == CERT_KEY_RSA && (size < 2048 || size > 8192))
        api_warn(c, LEAF(p, "size"), "cert-manager makes RSA keys of 2048 to 8192 bits only");
    if (p->algorithm.v == CERT_KEY_ECDSA && size != 256 && size != 384 && size != 521)
        api_warn(c, LEAF(p, "size"), "cert-manager makes ECDSA keys of 256, 384 or 521 bits only");
}

void api_check_certificate(struct api_checker *c, const void *body)
{
    const struct api_certificate *k = body;
    const struct api_issuer_ref *r = k->issuer_ref;

    check_names(c, k);
    check_times(c, k);
    if (k->private_key)
        check_key(c, k->private_key);
    if (r && str_eq(r->group, STR("cert-manager.io")) && !str_eq(r->kind, STR("Issuer")) &&
        !str_eq(r->kind, STR("ClusterIssuer")))
        api_error(c, LEAF(r, "kind"), "\"%.*s\" is neither Issuer nor ClusterIssuer",
                  SHOW(r->kind));
}

void api_check_issuer(struct api_checker *c, const void *body)
{
    const struct api_issuer *i = body;
    int n = (i->acme != NULL) + (i->ca != NULL) + (i->self_signed != NULL) + (i->vault != NULL) +
            (i->venafi != NULL);

    if (n == 0)
        api_error(c, SPOT(i), "no type: set acme, ca or selfSigned");
    if (n > 1)
        api_warn(c, SPOT(i), "several types are set: keep one");
}
