/*
 * mesh/client_tls - what a DestinationRule demands of TLS to a service, as the cluster's part.
 *
 * Source: istio-api.md 1.5.4.
 */
#include "api/destinationrule.h"
#include "api/serviceentry.h"
#include "mesh/credentials.h"
#include "mesh/mesh_int.h"

/* The names to be accepted: the rule's, else the ServiceEntry's. */
static const struct str_list *names_of(const struct service *s, const struct api_client_tls *tls)
{
    static const struct str_list none;

    if (tls->subject_alt_names.n)
        return &tls->subject_alt_names;
    if (s->is_entry && !tls->insecure_skip_verify.v)
        return &((const struct api_serviceentry *)s->object->body)->subject_alt_names;
    return &none;
}

static struct secret_field field_of(const struct policy *p, const char *name, struct str written)
{
    return (struct secret_field){ p->tls_block.by, LEAF(p->tls, name), written };
}

static slot_id ca_of(struct compile *c, const struct policy *p)
{
    const struct api_client_tls *tls = p->tls;
    struct secret_field ca = field_of(p, "caCertificates", tls->ca_certificates);
    struct secret_field crl = field_of(p, "caCrl", tls->ca_crl);
    struct secret_field credential = field_of(p, "credentialName", tls->credential_name);

    if (tls->insecure_skip_verify.v)
        return SLOT_NONE;
    if (tls->credential_name.n)
        return trust_of_credential(c, &credential);
    return tls->ca_certificates.n ? trust_of_file(c, &ca, &crl) : trust_of_system(c, &ca);
}

static slot_id certificate_of(struct compile *c, const struct policy *p)
{
    const struct api_client_tls *tls = p->tls;
    struct secret_field cert = field_of(p, "clientCertificate", tls->client_certificate);
    struct secret_field key = field_of(p, "privateKey", tls->private_key);
    struct secret_field credential = field_of(p, "credentialName", tls->credential_name);

    if (tls->mode.v != CLIENT_TLS_MUTUAL)
        return SLOT_NONE;
    return tls->credential_name.n ? secret_of_credential(c, &credential)
                                  : secret_of_files(c, &cert, &key);
}

void client_tls_fill(struct compile *c, const struct service *s, const struct policy *policy,
                     struct cluster *k)
{
    const struct api_client_tls *tls = policy->tls;
    struct arena *a = k->part.arena;
    const struct str_list *names = names_of(s, tls);
    struct client_tls *out = ARENA_NEW(a, struct client_tls);

    out->sni = name_lower(a, tls->sni);
    out->skip_verify = tls->insecure_skip_verify.v;
    ARRAY_COPY(&k->part, out->names, names->n);
    for (size_t i = 0; i < names->n; i++)
        out->names.v[i] = arena_dup(a, names->v[i]);
    ARRAY_COPY(&k->part, out->alpn, k->http2 ? 1 : 0);
    if (k->http2)
        out->alpn.v[0] = STR("h2");
    out->ca = ca_of(c, policy);
    out->certificate = certificate_of(c, policy);
    k->tls = out;
}
