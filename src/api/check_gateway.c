#include "api/check.h"
#include "api/gateway.h"

#include "base/addr.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))

/* [namespace/]name; a Gateway takes no short names. */
static void check_host(struct api_checker *c, const struct api_gw_server *s, size_t i)
{
    struct str host = s->hosts.v[i], name = host;
    size_t slash = str_find(host, '/');
    struct buf why;

    buf_init(&why, 512);
    if (slash < host.n) {
        struct str ns = str_sub(host, 0, slash);

        name = str_from(host, slash + 1);
        if (!str_eq(ns, STR("*")) && !str_eq(ns, STR(".")) &&
            (ns.n == 0 || !api_check_dns_label(ns, &why))) {
            api_error(c, ITEM(s, "hosts", i),
                      "\"%.*s\" is no namespace: write */name, ./name or namespace/name", SHOW(ns));
            why.n = 0;
        }
    }
    if (!api_check_wildcard_fqdn(name, &why))
        api_error(c, ITEM(s, "hosts", i), "%.*s", STRF(buf_str(&why)));
    else if (!str_eq(name, STR("*")) && str_find(name, '.') == name.n)
        api_error(c, ITEM(s, "hosts", i),
                  "the short name \"%.*s\" is not allowed in a Gateway: write the full name",
                  SHOW(name));
    buf_fini(&why);
}

static bool is_tls_protocol(struct str p)
{
    return str_eq_nocase(p, STR("HTTPS")) || str_eq_nocase(p, STR("TLS"));
}

static bool is_files(const struct api_gw_tls *t)
{
    return t->server_certificate.n || t->private_key.n;
}

static void check_sources(struct api_checker *c, const struct api_gw_tls *t)
{
    int sources = (t->credential_name.n > 0) + (t->credential_names.n > 0) + is_files(t) +
                  (t->tls_certificates.n > 0);

    if (sources > 1)
        api_error(c, SPOT(t),
                  "only one of credentialName, credentialNames, tlsCertificates and "
                  "serverCertificate with privateKey may be set: remove the others");
    if (t->credential_names.n > 2)
        api_error(c, LEAF(t, "credentialNames"), "at most two: one RSA and one ECDSA certificate");
    if (t->tls_certificates.n > 2)
        api_warn(c, LEAF(t, "tlsCertificates"), "only the first two are used");
}

static void check_istio_mutual(struct api_checker *c, const struct api_gw_tls *t)
{
    const struct {
        const char *name;
        bool set;
    } fields[] = {
        { "credentialName", t->credential_name.n > 0 },
        { "credentialNames", t->credential_names.n > 0 },
        { "tlsCertificates", t->tls_certificates.n > 0 },
        { "serverCertificate", t->server_certificate.n > 0 },
        { "privateKey", t->private_key.n > 0 },
        { "caCertificates", t->ca_certificates.n > 0 },
        { "caCertCredentialName", t->ca_cert_credential_name.n > 0 },
    };

    for (size_t i = 0; i < LEN(fields); i++)
        if (fields[i].set)
            api_error(c, LEAF(t, fields[i].name),
                      "mode ISTIO_MUTUAL uses the workload's own certificate: remove this");
}

static void check_terminating(struct api_checker *c, const struct api_gw_tls *t)
{
    bool mutual = t->mode.v == GW_TLS_MUTUAL || t->mode.v == GW_TLS_OPTIONAL_MUTUAL;

    if (t->credential_name.n || t->credential_names.n)
        return;
    if (!t->tls_certificates.n && !t->server_certificate.n)
        api_error(c, SPOT(t),
                  "no certificate: set credentialName, or serverCertificate and privateKey");
    else if (!t->tls_certificates.n && !t->private_key.n)
        api_error(c, SPOT(t), "serverCertificate needs privateKey: set it");
    if (mutual && !t->ca_certificates.n && !t->ca_cert_credential_name.n)
        api_error(c, SPOT(t), "client certificates cannot be checked: set caCertificates");
    if (!mutual && t->ca_crl.n)
        api_error(c, LEAF(t, "caCrl"), "is for mode MUTUAL and OPTIONAL_MUTUAL: remove it");
}

static void check_versions(struct api_checker *c, const struct api_gw_tls *t)
{
    int32_t min = t->min_protocol_version.v, max = t->max_protocol_version.v;

    if (min && min < GW_PROTO_TLSV1_2 && !t->cipher_suites.n)
        api_warn(c, LEAF(t, "minProtocolVersion"),
                 "below TLS 1.2 nothing is served without cipherSuites that it can use");
    if (min && max && min > max)
        api_warn(c, LEAF(t, "minProtocolVersion"),
                 "is above maxProtocolVersion: no handshake can succeed");
}

static void check_ciphers(struct api_checker *c, const struct api_gw_tls *t)
{
    static const char *const names[] = {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA",
        "DES-CBC3-SHA",
    };

    for (size_t i = 0; i < t->cipher_suites.n; i++) {
        struct str suite = t->cipher_suites.v[i];
        bool known = false, twice = false;

        for (size_t k = 0; k < LEN(names); k++)
            known |= str_eq(suite, str_of(names[k]));
        for (size_t k = 0; k < i; k++)
            twice |= str_eq(suite, t->cipher_suites.v[k]);
        if (!known || twice)
            api_warn(c, ITEM(t, "cipherSuites", i), "\"%.*s\" is %s: it is ignored", SHOW(suite),
                     known ? "named twice" : "no cipher suite that is offered");
    }
}

static void check_tls(struct api_checker *c, const struct api_gw_server *s)
{
    const struct api_gw_tls *t = s->tls;

    check_sources(c, t);
    check_versions(c, t);
    check_ciphers(c, t);
    switch (t->mode.v) {
    case GW_TLS_ISTIO_MUTUAL:
        check_istio_mutual(c, t);
        break;
    case GW_TLS_PASSTHROUGH:
    case GW_TLS_AUTO_PASSTHROUGH:
        if (is_files(t) || t->credential_name.n || t->credential_names.n || t->tls_certificates.n)
            api_warn(c, SPOT(t), "the certificate is not used: mode %s",
                     t->mode.set
                         ? "passes TLS through"
                         : "is not set, which means PASSTHROUGH; set mode: SIMPLE to end TLS here");
        else if (!t->mode.set && s->port && str_eq_nocase(s->port->protocol, STR("HTTPS")))
            api_warn(c, SPOT(t), "mode is not set, which means PASSTHROUGH: set it");
        break;
    default:
        check_terminating(c, t);
    }
}

static void check_transport(struct api_checker *c, const struct api_gw_server *s)
{
    struct str protocol = s->port ? s->port->protocol : STR("");
    bool redirect = s->tls && s->tls->https_redirect.v;

    if (is_tls_protocol(protocol)) {
        if (!s->tls) {
            api_error(c, LEAF(s, "tls"),
                      "is required for protocol %.*s: set its mode and certificate",
                      SHOW(protocol));
            return;
        }
        if (redirect)
            api_warn(c, LEAF(s->tls, "httpsRedirect"), "has a meaning on HTTP servers only");
        check_tls(c, s);
        return;
    }
    if (!s->tls || protocol.n == 0)
        return;
    if (redirect && !str_eq_nocase(protocol, STR("HTTP")))
        api_warn(c, LEAF(s->tls, "httpsRedirect"), "has a meaning on HTTP servers only");
    if (s->tls->mode.set || is_files(s->tls) || s->tls->credential_name.n ||
        (!redirect && !s->tls->https_redirect.set))
        api_error(c, LEAF(s, "tls"),
                  "protocol %.*s has no TLS: use HTTPS or TLS, or remove all but httpsRedirect",
                  SHOW(protocol));
}

static void check_bind(struct api_checker *c, const struct api_gw_server *s)
{
    bool is_unix = str_starts(s->bind, STR("unix://"));
    struct addr addr;

    if (s->bind.n && !is_unix && !addr_parse_ip(s->bind, &addr))
        api_error(c, LEAF(s, "bind"), "\"%.*s\" is neither an IP address nor unix:///path",
                  SHOW(s->bind));
    if (is_unix && !str_starts(s->bind, STR("unix:///")) && !str_starts(s->bind, STR("unix://@")))
        api_error(c, LEAF(s, "bind"), "a socket's path is absolute: unix:///path");
    if (!s->port || !s->port->number.set)
        return;
    if (is_unix && s->port->number.v)
        api_error(c, LEAF(s->port, "number"), "must be 0 where bind is a Unix socket");
    if (!is_unix && !s->port->number.v)
        api_error(c, LEAF(s->port, "number"), "0 is no port: write 1 to 65535");
}

static void check_server(struct api_checker *c, const struct api_gw_server *s)
{
    check_bind(c, s);
    for (size_t i = 0; i < s->hosts.n; i++)
        check_host(c, s, i);
    if (s->port && s->port->target_port.set)
        api_error(c, LEAF(s->port, "targetPort"),
                  "is not supported: remove it, the Service's targetPort is used");
    check_transport(c, s);
}

/* Names are compared to those of the servers before. */
static void check_unique(struct api_checker *c, const struct api_gateway *g, size_t i)
{
    const struct api_gw_server *s = &g->servers.v[i];

    for (size_t k = 0; k < i; k++) {
        const struct api_gw_server *other = &g->servers.v[k];

        if (s->port && other->port && s->port->name.n && str_eq(s->port->name, other->port->name)) {
            api_error(
                c, LEAF(s->port, "name"),
                "\"%.*s\" is the name of servers[%zu]'s port too: names are unique in a Gateway",
                SHOW(s->port->name), k);
            break;
        }
        if (s->name.n && str_eq(s->name, other->name))
            api_warn(c, LEAF(s, "name"), "\"%.*s\" is the name of servers[%zu] too", SHOW(s->name),
                     k);
        if (s->port && other->port && s->port->number.v == other->port->number.v &&
            s->port->number.v && str_eq(s->bind, other->bind) &&
            is_tls_protocol(s->port->protocol) != is_tls_protocol(other->port->protocol))
            api_warn(c, LEAF(s->port, "protocol"),
                     "servers[%zu] has the same port with and without TLS: this server is dropped",
                     k);
    }
}

void api_check_gateway(struct api_checker *c, const void *body)
{
    const struct api_gateway *g = body;
    struct buf why;

    buf_init(&why, 512);
    if (!api_check_dns_label(c->o->meta->name, &why))
        api_error(c, LEAF(c->o->meta, "name"), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    for (size_t i = 0; i < g->servers.n; i++) {
        check_server(c, &g->servers.v[i]);
        check_unique(c, g, i);
    }
}
