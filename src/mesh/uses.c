#include "mesh/uses.h"

#include "api/certmanager.h"
#include "api/core.h"
#include "api/destinationrule.h"
#include "api/gateway.h"
#include "api/meshconfig.h"
#include "api/serviceentry.h"
#include "api/virtualservice.h"

static void use(struct compile *c, const struct api_object *o, struct api_spot spot)
{
    trace_use(c->trace, o, spot);
}

static void use_config(struct compile *c, struct api_spot spot)
{
    trace_use(c->trace, c->config_object, spot);
}

/* ---- Gateway ---- */

static void use_files(struct compile *c, const struct api_object *gw, const struct api_gw_tls *tls)
{
    for (size_t i = 0; i < MIN(tls->tls_certificates.n, (size_t)2); i++) {
        use(c, gw, LEAF(&tls->tls_certificates.v[i], "serverCertificate"));
        use(c, gw, LEAF(&tls->tls_certificates.v[i], "privateKey"));
    }
    if (tls->tls_certificates.n)
        return;
    use(c, gw, LEAF(tls, "serverCertificate"));
    use(c, gw, LEAF(tls, "privateKey"));
}

static void use_demand(struct compile *c, const struct api_object *gw, const struct api_gw_tls *tls)
{
    bool checks = !tls->insecure_skip_verify.v, apart = tls->ca_cert_credential_name.n > 0;
    bool named = apart || tls->credential_name.n || tls->credential_names.n;
    const struct {
        const char *field;
        bool counts;
    } fields[] = {
        { "insecureSkipVerify", true },
        { "subjectAltNames", true },
        { "verifyCertificateSpki", true },
        { "verifyCertificateHash", true },
        { "caCertCredentialName", checks && apart },
        { "caCertificates", checks && !named },
        { "caCrl", checks && !named },
    };

    for (size_t i = 0; i < LEN(fields); i++)
        if (fields[i].counts)
            use(c, gw, LEAF(tls, fields[i].field));
}

static void use_tls(struct compile *c, const struct api_object *gw, const struct api_gw_tls *tls,
                    bool is_tls, bool is_closed)
{
    static const char *const open[] = { "credentialName", "credentialNames", "minProtocolVersion",
                                        "maxProtocolVersion", "cipherSuites" };

    use(c, gw, LEAF(tls, "httpsRedirect"));
    if (is_tls)
        use(c, gw, LEAF(tls, "mode"));
    if (is_tls && !is_closed && !tls->credential_name.n && !tls->credential_names.n) {
        use_files(c, gw, tls);
    }
    if (is_tls && !is_closed && tls->mode.v != GW_TLS_SIMPLE)
        use_demand(c, gw, tls);
    for (size_t i = 0; is_tls && !is_closed && i < LEN(open); i++)
        use(c, gw, LEAF(tls, open[i]));
}

void uses_server(struct compile *c, const struct api_object *gw, const struct api_gw_server *s,
                 bool is_tls, bool is_closed)
{
    if (!c->trace)
        return;
    if (c->o->labels)
        use(c, gw, LEAF((const struct api_gateway *)gw->body, "selector"));
    use(c, gw, SPOT(s));
    use(c, gw, SPOT(s->port));
    if (s->tls)
        use_tls(c, gw, s->tls, is_tls, is_closed);
}

/* ---- MeshConfig ---- */

static void use_proxy_config(struct compile *c, const struct api_proxy_config *pc)
{
    const struct api_proxy_headers *h = pc->proxy_headers;

    if (h)
        use_config(c, SPOT(h));
    if (h && h->server)
        use_config(c, LEAF(h->server, "disabled"));
    if (h && h->server && !h->server->disabled.v)
        use_config(c, LEAF(h->server, "value"));
    if (pc->gateway_topology)
        use_config(c, LEAF(pc->gateway_topology, "forwardClientCertDetails"));
    if (pc->gateway_topology)
        use_config(c, SPOT(pc->gateway_topology));
    if (pc->connection_settings)
        use_config(c, SPOT(pc->connection_settings));
}

void uses_manager(struct compile *c)
{
    if (!c->trace)
        return;
    if (c->config->path_normalization)
        use_config(c, SPOT(c->config->path_normalization));
    if (c->config->default_config)
        use_proxy_config(c, c->config->default_config);
}

/* ---- VirtualService ---- */

void uses_virtualservice(struct compile *c, const struct api_object *vs)
{
    const struct api_virtualservice *body = vs->body;

    if (!c->trace)
        return;
    use(c, vs, SPOT(body));
    if (!body->export_to.n)
        use_config(c, LEAF(c->config, "defaultVirtualServiceExportTo"));
}

static void use_text(struct compile *c, const struct rule_ref *r, const struct api_string_match *m)
{
    if (m)
        use(c, r->vs, SPOT(m));
}

static void use_match(struct compile *c, const struct rule_ref *r)
{
    const struct api_http_match *m = r->match;

    use(c, r->vs, LEAF(m, "name"));
    use(c, r->vs, LEAF(m, "port"));
    use(c, r->vs, LEAF(m, "gateways"));
    if (m->uri && (str_is_set(m->uri->exact) || str_is_set(m->uri->prefix)))
        use(c, r->vs, LEAF(m, "ignoreUriCase"));
    if (!m->gateways.n && c->o->labels)
        use(c, r->vs, LEAF(m, "sourceLabels"));
    if (!m->gateways.n && str_is_set(c->o->namespace))
        use(c, r->vs, LEAF(m, "sourceNamespace"));
    use_text(c, r, m->uri);
    use_text(c, r, m->scheme);
    use_text(c, r, m->method);
    use_text(c, r, m->authority);
    for (size_t i = 0; i < m->headers.n; i++)
        use_text(c, r, m->headers.v[i].value);
    for (size_t i = 0; i < m->without_headers.n; i++)
        use_text(c, r, m->without_headers.v[i].value);
    for (size_t i = 0; i < m->query_params.n; i++)
        use_text(c, r, m->query_params.v[i].value);
}

static void use_headers(struct compile *c, const struct rule_ref *r, const struct api_headers *h)
{
    if (h && h->request)
        use(c, r->vs, SPOT(h->request));
    if (h && h->response)
        use(c, r->vs, SPOT(h->response));
}

static void use_retries(struct compile *c, const struct rule_ref *r)
{
    static const char *const fields[] = { "retryOn", "perTryTimeout", "backoff",
                                          "retryIgnorePreviousHosts" };
    const struct api_retries *own = r->http->retries;
    const struct api_retries *by = own ? own : c->config->default_http_retry_policy;
    const struct api_object *o = own ? r->vs : c->config_object;

    if (!by)
        return;
    use(c, o, LEAF(by, "attempts"));
    for (size_t i = 0; by->attempts.v > 0 && i < LEN(fields); i++)
        use(c, o, LEAF(by, fields[i]));
}

static void use_rewrite(struct compile *c, const struct rule_ref *r, const struct api_rewrite *w)
{
    use(c, r->vs, LEAF(w, "authority"));
    if (w->uri_regex_rewrite)
        use(c, r->vs, SPOT(w->uri_regex_rewrite));
    else
        use(c, r->vs, LEAF(w, "uri"));
}

static void use_delay(struct compile *c, const struct rule_ref *r, const struct api_fault_delay *d)
{
    if (d->percentage)
        use(c, r->vs, SPOT(d->percentage));
    else
        use(c, r->vs, LEAF(d, "percent"));
    if (d->percentage ? percent_ppm(d->percentage) > 0 : d->percent.v > 0)
        use(c, r->vs, LEAF(d, "fixedDelay"));
}

static void use_abort(struct compile *c, const struct rule_ref *r, const struct api_fault_abort *a)
{
    if (a->percentage && (a->http_status.set || str_is_set(a->grpc_status)))
        use(c, r->vs, SPOT(a->percentage));
    if (!percent_ppm(a->percentage))
        return;
    use(c, r->vs, LEAF(a, str_is_set(a->grpc_status) ? "grpcStatus" : "httpStatus"));
}

static void use_cors(struct compile *c, const struct rule_ref *r, const struct api_cors *p)
{
    static const char *const fields[] = {
        "allowMethods", "allowHeaders",     "exposeHeaders",
        "maxAge",       "allowCredentials", "unmatchedPreflights"
    };

    if (!p->allow_origins.n)
        use(c, r->vs, LEAF(p, "allowOrigin"));
    for (size_t i = 0; i < p->allow_origins.n; i++)
        use(c, r->vs, SPOT(&p->allow_origins.v[i]));
    for (size_t i = 0; i < LEN(fields); i++)
        use(c, r->vs, LEAF(p, fields[i]));
}

static void use_mirror(struct compile *c, const struct rule_ref *r, const struct api_destination *d)
{
    use(c, r->vs, SPOT(d));
    if (d->port)
        use(c, r->vs, SPOT(d->port));
}

static void use_mirrors(struct compile *c, const struct rule_ref *r)
{
    const struct api_http_route *http = r->http;

    if (http->mirror && http->mirror_percentage)
        use(c, r->vs, SPOT(http->mirror_percentage));
    else if (http->mirror)
        use(c, r->vs, LEAF(http, "mirrorPercent"));
    if (http->mirror && rule_mirror_share(http))
        use_mirror(c, r, http->mirror);
    for (size_t i = 0; i < http->mirrors.n; i++) {
        const struct api_mirror *m = &http->mirrors.v[i];

        if (m->percentage)
            use(c, r->vs, SPOT(m->percentage));
        if (m->destination && (!m->percentage || percent_ppm(m->percentage)))
            use_mirror(c, r, m->destination);
    }
}

static void use_forward(struct compile *c, const struct rule_ref *r)
{
    size_t n = r->http->route.n;

    if (r->http->fault && r->http->fault->delay)
        use_delay(c, r, r->http->fault->delay);
    if (r->http->fault && r->http->fault->abort)
        use_abort(c, r, r->http->fault->abort);
    if (r->http->cors_policy)
        use_cors(c, r, r->http->cors_policy);
    use_mirrors(c, r);
    if (r->http->rewrite)
        use_rewrite(c, r, r->http->rewrite);
    use(c, r->vs, LEAF(r->http, "timeout"));
    use_retries(c, r);
    for (size_t i = 0; i < n; i++) {
        const struct api_http_destination *d = &r->http->route.v[i];

        if (n > 1)
            use(c, r->vs, LEAF(d, "weight"));
        if (!d->destination || (n > 1 && d->weight.v <= 0))
            continue;
        use(c, r->vs, SPOT(d->destination));
        if (d->destination->port)
            use(c, r->vs, SPOT(d->destination->port));
        use_headers(c, r, d->headers);
    }
}

static void use_reply(struct compile *c, const struct rule_ref *r)
{
    static const char *const fields[] = { "uri", "authority", "port", "scheme", "redirectCode" };
    const struct api_redirect *to = r->http->redirect;
    const struct api_direct_response *direct = r->http->direct_response;

    for (size_t i = 0; to && !str_is_set(to->prefix_rewrite) && i < LEN(fields); i++)
        use(c, r->vs, LEAF(to, fields[i]));
    if (!to && direct)
        use(c, r->vs, SPOT(direct));
    if (!to && direct && direct->body)
        use(c, r->vs, SPOT(direct->body));
}

void uses_rule(struct compile *c, const struct rule_ref *r)
{
    if (!c->trace || !r->http)
        return;
    use(c, r->vs, LEAF(r->http, "name"));
    if (r->match)
        use_match(c, r);
    use_headers(c, r, r->http->headers);
    if (r->http->redirect || r->http->direct_response)
        use_reply(c, r);
    else
        use_forward(c, r);
}

/* ---- clusters ---- */

static void use_export(struct compile *c, const struct api_object *service)
{
    const struct api_meta *meta = service->meta;

    use(c, service, LEAF(meta, "annotations"));
    if (!str_is_set(api_map_get(&meta->annotations, STR("networking.istio.io/exportTo"))))
        use_config(c, LEAF(c->config, "defaultServiceExportTo"));
}

static void use_service_port(struct compile *c, const struct service *s,
                             const struct api_service_port *p)
{
    use(c, s->object, LEAF(p, "port"));
    use(c, s->object, LEAF(p, "protocol"));
    use(c, s->object, p->app_protocol.n ? LEAF(p, "appProtocol") : LEAF(p, "name"));
}

static void use_entry_port(struct compile *c, const struct service *s, struct api_spot port)
{
    const struct api_serviceentry *body = s->object->body;

    use(c, s->object, LEAF(body, "hosts"));
    use(c, s->object, LEAF(body, "exportTo"));
    port.field = "number";
    use(c, s->object, port);
    port.field = "protocol";
    use(c, s->object, port);
}

/* A rule's own fields: that it is the one. */
static void use_rule_of(struct compile *c, const struct api_object *rule)
{
    const struct api_destinationrule *d = rule->body;

    use(c, rule, LEAF(d, "host"));
    use(c, rule, LEAF(d, "exportTo"));
    if (d->workload_selector && c->o->labels)
        use(c, rule, LEAF(d->workload_selector, "matchLabels"));
    if (!d->export_to.n)
        use_config(c, LEAF(c->config, "defaultDestinationRuleExportTo"));
    if (str_eq(rule->meta->namespace, c->root_namespace))
        use_config(c, LEAF(c->config, "rootNamespace"));
}

void uses_cluster(struct compile *c, const struct service *s, const struct service_port *port,
                  const struct found *found, const struct rule_subset *subset)
{
    if (!c->trace)
        return;
    use_config(c, LEAF(c->config, "connectTimeout")); /* the black hole's, if nobody's else */
    if (s->is_entry) {
        use_entry_port(c, s, port->spot);
    } else {
        use_service_port(c, s, (const struct api_service_port *)(const void *)port->spot.at);
        use_export(c, s->object);
    }
    if (!subset)
        return;
    use(c, subset->object, LEAF(subset->subset, "name"));
    if (found->n)
        use(c, subset->object, LEAF(subset->subset, "labels"));
    use_rule_of(c, subset->object);
}

static void use_block(struct compile *c, const struct policy_block *b)
{
    if (!b->by)
        return;
    use_rule_of(c, b->by);
    if (b->port)
        use(c, b->by, SPOT(b->port));
}

static void use_pool(struct compile *c, const struct policy *p, const struct service_port *port)
{
    static const char *const limits[] = { "maxRequestsPerConnection", "http1MaxPendingRequests",
                                          "http2MaxRequests", "maxRetries" };
    const struct api_object *by = p->pool_block.by;
    const struct api_tcp_settings *tcp = p->pool ? p->pool->tcp : NULL;
    const struct api_http_settings *http = p->pool ? p->pool->http : NULL;
    bool is_said = http && http->h2_upgrade_policy.v != H2_UPGRADE_DEFAULT;
    bool is_http = str_eq(port->protocol, STR("HTTP"));

    if (tcp)
        use(c, by, LEAF(tcp, "connectTimeout"));
    if (tcp)
        use(c, by, LEAF(tcp, "maxConnections"));
    if (tcp && !(http && http->idle_timeout.set))
        use(c, by, LEAF(tcp, "idleTimeout"));
    if (http)
        use(c, by, LEAF(http, "idleTimeout"));
    for (size_t i = 0; http && i < LEN(limits); i++)
        use(c, by, LEAF(http, limits[i]));
    if (http && is_http)
        use(c, by, LEAF(http, "h2UpgradePolicy"));
    if (!is_said && is_http)
        use_config(c, LEAF(c->config, "h2UpgradePolicy"));
}

static void use_client_tls(struct compile *c, const struct policy *p)
{
    const struct api_client_tls *tls = p->tls;
    bool mutual = tls->mode.v == CLIENT_TLS_MUTUAL, skips = tls->insecure_skip_verify.v;
    const struct {
        const char *field;
        bool counts;
    } fields[] = {
        { "sni", true },
        { "insecureSkipVerify", true },
        { "subjectAltNames", true },
        { "caCertificates", !skips && !tls->credential_name.n },
        { "caCrl", !skips && tls->ca_certificates.n },
        { "credentialName", !skips || mutual },
        { "clientCertificate", mutual },
        { "privateKey", mutual },
    };

    for (size_t i = 0; i < LEN(fields); i++)
        if (fields[i].counts)
            use(c, p->tls_block.by, LEAF(tls, fields[i].field));
}

void uses_policy(struct compile *c, const struct policy *p, const struct service_port *port)
{
    if (!c->trace)
        return;
    if (p->tls)
        use(c, p->tls_block.by, LEAF(p->tls, "mode"));
    use_block(c, &p->tls_block);
    if (p->tls && p->tls->mode.v != CLIENT_TLS_DISABLE && !p->needs_tls)
        use_client_tls(c, p);
    if (p->needs_tls)
        return; /* there is no cluster for the rest to act on */
    if (p->balancer)
        use(c, p->lb_block.by, LEAF(p->balancer, "simple"));
    use_block(c, &p->lb_block);
    use_block(c, &p->pool_block);
    use_pool(c, p, port);
}

/* ---- credentials ---- */

void uses_secret_key(struct compile *c, const struct api_object *secret, struct str key)
{
    const struct api_secret *s = secret->body;

    if (!c->trace)
        return;
    use(c, secret,
        str_is_set(api_map_get(&s->string_data, key)) ? LEAF(s, "stringData") : LEAF(s, "data"));
}

static void use_secret(struct compile *c, const struct api_object *o)
{
    static const struct str keys[] = { STR_INIT("cert"), STR_INIT("key"), STR_INIT("tls.crt"),
                                       STR_INIT("tls.key") };
    const struct api_secret *s = o->body;
    bool old = (str_is_set(api_map_get(&s->data, keys[0])) ||
                str_is_set(api_map_get(&s->string_data, keys[0]))) &&
               (str_is_set(api_map_get(&s->data, keys[1])) ||
                str_is_set(api_map_get(&s->string_data, keys[1])));

    for (size_t i = old ? 0 : 2; i < (old ? 2 : 4); i++)
        uses_secret_key(c, o, keys[i]);
}

void uses_credential(struct compile *c, const struct api_object *o)
{
    static const char *const fields[] = { "commonName", "duration", "dnsNames", "ipAddresses",
                                          "secretName" };
    const struct api_certificate *cert = o->body;

    if (!c->trace)
        return;
    if (str_eq(o->kind->kind, STR("Secret"))) {
        use_secret(c, o);
        return;
    }
    for (size_t i = 0; i < LEN(fields); i++)
        use(c, o, LEAF(cert, fields[i]));
}

/* Each field of a message that is set and carried out. */
#define USE_ALL(c, o, msg, names)                                                                  \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < LEN(names); i_++)                                                 \
            use(c, o, LEAF(msg, (names)[i_]));                                                     \
    } while (0)

void uses_certificate(struct compile *c, const struct api_object *o)
{
    static const char *const spec[] = {
        "commonName", "duration",    "renewBefore", "renewBeforePercentage",
        "dnsNames",   "ipAddresses", "uris",        "emailAddresses",
        "secretName", "isCA",        "usages"
    };
    static const char *const subject[] = { "organizations", "countries",   "organizationalUnits",
                                           "localities",    "provinces",   "streetAddresses",
                                           "postalCodes",   "serialNumber" };
    static const char *const key[] = { "rotationPolicy", "encoding", "algorithm", "size" };
    static const char *const issuer[] = { "name", "kind", "group" };
    const struct api_certificate *cert = o->body;

    if (!c->trace)
        return;
    USE_ALL(c, o, cert, spec);
    USE_ALL(c, o, cert->issuer_ref, issuer);
    if (cert->subject)
        USE_ALL(c, o, cert->subject, subject);
    if (cert->private_key)
        USE_ALL(c, o, cert->private_key, key);
}

void uses_issuer(struct compile *c, const struct api_object *o)
{
    const struct api_issuer *issuer = o->body;

    if (!c->trace)
        return;
    if (issuer->ca)
        use(c, o, LEAF(issuer->ca, "secretName"));
    else
        use(c, o, LEAF(issuer, "selfSigned"));
}
