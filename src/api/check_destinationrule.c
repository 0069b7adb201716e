#include "api/check.h"
#include "api/check_policy.h"
#include "api/check_route.h"
#include "api/destinationrule.h"

#define SHOW(s) STRF(str_sub(s, 0, 80))

static void check_http_pool(struct api_checker *c, const struct api_http_settings *h)
{
    const struct {
        const char *name;
        int64_t v;
    } numbers[] = {
        { "http1MaxPendingRequests", h->http1_max_pending_requests.v },
        { "http2MaxRequests", h->http2_max_requests.v },
        { "maxRequestsPerConnection", h->max_requests_per_connection.v },
        { "maxRetries", h->max_retries.v },
        { "maxConcurrentStreams", h->max_concurrent_streams.v },
    };

    for (size_t i = 0; i < LEN(numbers); i++)
        if (numbers[i].v < 0)
            api_error(c, LEAF(h, numbers[i].name), "must not be negative");
    if (h->use_client_protocol.v && h->h2_upgrade_policy.v == H2_UPGRADE_UPGRADE)
        api_error(c, LEAF(h, "useClientProtocol"),
                  "cannot stand with h2UpgradePolicy: UPGRADE: remove one");
}

static void check_pool(struct api_checker *c, const struct api_connection_pool *p)
{
    if (!p->tcp && !p->http)
        api_error(c, SPOT(p), "is empty: set tcp or http, or remove it");
    if (p->tcp && p->tcp->max_connections.v < 0)
        api_error(c, LEAF(p->tcp, "maxConnections"), "must not be negative");
    if (p->http)
        check_http_pool(c, p->http);
}

static void check_share(struct api_checker *c, struct api_spot spot, int64_t v)
{
    if (v < 0 || v > 100)
        api_error(c, spot, "%lld is no share: write 0 to 100", (long long)v);
}

static void check_outlier(struct api_checker *c, const struct api_outlier_detection *o)
{
    check_share(c, LEAF(o, "maxEjectionPercent"), o->max_ejection_percent.v);
    check_share(c, LEAF(o, "minHealthPercent"), o->min_health_percent.v);
    if (o->consecutive_local_origin_failures.set && o->consecutive_local_origin_failures.v &&
        !o->split_external_local_origin_errors.v)
        api_error(c, LEAF(o, "consecutiveLocalOriginFailures"),
                  "needs splitExternalLocalOriginErrors: true");
    for (size_t i = 0; i < o->outlier_detection_http_error_codes.n; i++)
        if (o->outlier_detection_http_error_codes.v[i] < 100 ||
            o->outlier_detection_http_error_codes.v[i] > 599)
            api_error(c, ITEM(o, "outlierDetectionHttpErrorCodes", i),
                      "%lld is no status code: write 100 to 599",
                      (long long)o->outlier_detection_http_error_codes.v[i]);
}

static bool is_prime(int64_t n)
{
    if (n < 2)
        return false;
    for (int64_t i = 2; i * i <= n; i++)
        if (n % i == 0)
            return false;
    return true;
}

static void check_cookie(struct api_checker *c, const struct api_hash_cookie *k)
{
    for (size_t i = 1; i < k->attributes.n; i++)
        for (size_t n = 0; n < i; n++)
            if (str_eq(k->attributes.v[i].name, k->attributes.v[n].name)) {
                api_error(c, LEAF(&k->attributes.v[i], "name"),
                          "\"%.*s\" is named twice: remove one", SHOW(k->attributes.v[i].name));
                break;
            }
}

static void check_hash(struct api_checker *c, const struct api_consistent_hash *h)
{
    if (h->http_cookie)
        check_cookie(c, h->http_cookie);
    if (h->maglev && (h->maglev->table_size.v >= 5000011 || !is_prime(h->maglev->table_size.v)))
        api_error(c, LEAF(h->maglev, "tableSize"),
                  "%lld must be a prime below 5000011, such as 65537",
                  (long long)h->maglev->table_size.v);
    if (h->minimum_ring_size.set && (h->ring_hash || h->maglev))
        api_error(c, LEAF(h, "minimumRingSize"), "cannot stand with ringHash or maglev: remove it");
    if ((h->ring_hash && h->ring_hash->minimum_ring_size.v < 0) || h->minimum_ring_size.v < 0)
        api_error(c, SPOT(h), "minimumRingSize must not be negative");
    if (!h->http_header_name.n && !h->http_cookie && !h->use_source_ip.set &&
        !h->http_query_parameter_name.n)
        api_warn(c, SPOT(h),
                 "says not what to hash: set httpHeaderName, httpCookie, useSourceIp or "
                 "httpQueryParameterName");
}

static void check_warmup(struct api_checker *c, const struct api_load_balancer *lb)
{
    const struct api_warmup *w = lb->warmup;

    if (w->minimum_percent.v < 0 || w->minimum_percent.v > 100)
        api_error(c, LEAF(w, "minimumPercent"), "%g is no share: write 0 to 100",
                  w->minimum_percent.v);
    if (w->aggression.set && w->aggression.v <= 0)
        api_error(c, LEAF(w, "aggression"), "must be above 0");
}

static void check_load_balancer(struct api_checker *c, const struct api_load_balancer *lb,
                                bool has_outlier)
{
    if (lb->consistent_hash)
        check_hash(c, lb->consistent_hash);
    if (lb->warmup)
        check_warmup(c, lb);
    if (lb->locality_lb_setting && lb->zone_aware_lb_setting)
        api_error(c, LEAF(lb, "zoneAwareLbSetting"),
                  "cannot stand with localityLbSetting: remove one");
    if (lb->locality_lb_setting)
        api_check_locality(c, lb->locality_lb_setting, has_outlier);
}

static void check_client_files(struct api_checker *c, const struct api_client_tls *t)
{
    const struct {
        const char *name;
        bool set;
    } files[] = { { "clientCertificate", t->client_certificate.n > 0 },
                  { "privateKey", t->private_key.n > 0 },
                  { "caCertificates", t->ca_certificates.n > 0 },
                  { "caCrl", t->ca_crl.n > 0 } };

    for (size_t i = 0; i < LEN(files); i++) {
        if (files[i].set && t->mode.v == CLIENT_TLS_ISTIO_MUTUAL)
            api_error(c, LEAF(t, files[i].name),
                      "mode ISTIO_MUTUAL uses the workload's own certificate: remove this");
        else if (files[i].set && t->credential_name.n)
            api_error(c, LEAF(t, files[i].name), "cannot stand with credentialName: remove one");
    }
}

void api_check_client_tls(struct api_checker *c, const struct api_client_tls *t)
{
    struct str ns = c->o->meta->namespace, name = t->credential_name;

    check_client_files(c, t);
    if (t->mode.v == CLIENT_TLS_ISTIO_MUTUAL && name.n)
        api_error(c, LEAF(t, "credentialName"),
                  "mode ISTIO_MUTUAL uses the workload's own certificate: remove this");
    if (t->mode.v == CLIENT_TLS_MUTUAL && !name.n &&
        (!t->client_certificate.n || !t->private_key.n))
        api_error(c, SPOT(t),
                  "mode MUTUAL needs clientCertificate and privateKey, or credentialName");
    if (t->insecure_skip_verify.v &&
        (t->ca_certificates.n || t->ca_crl.n || t->subject_alt_names.n))
        api_error(c, LEAF(t, "insecureSkipVerify"),
                  "cannot stand with caCertificates, caCrl or subjectAltNames: remove it");
    if (str_starts(name, STR("configmap://"))) {
        struct str path = str_from(name, 12);
        size_t slash = str_find(path, '/');

        if (slash < path.n && !str_eq(str_sub(path, 0, slash), ns))
            api_error(c, LEAF(t, "credentialName"),
                      "a ConfigMap of another namespace cannot be used: copy it to \"%.*s\"",
                      SHOW(ns));
    }
}

/* What TrafficPolicy and PortTrafficPolicy share. */
struct blocks {
    const struct api_load_balancer *lb;
    const struct api_connection_pool *pool;
    const struct api_outlier_detection *outlier;
    const struct api_client_tls *tls;
};

static bool check_blocks(struct api_checker *c, const struct blocks *b)
{
    if (b->lb)
        check_load_balancer(c, b->lb, b->outlier != NULL);
    if (b->pool)
        check_pool(c, b->pool);
    if (b->outlier)
        check_outlier(c, b->outlier);
    if (b->tls)
        api_check_client_tls(c, b->tls);
    return b->lb || b->pool || b->outlier || b->tls;
}

void api_check_pool_and_outlier(struct api_checker *c, const struct api_connection_pool *pool,
                                const struct api_outlier_detection *outlier)
{
    check_blocks(c, &(struct blocks){ NULL, pool, outlier, NULL });
}

static void check_port_policy(struct api_checker *c, const struct api_traffic_policy *t, size_t i)
{
    const struct api_port_policy *p = &t->port_level_settings.v[i];

    if (!check_blocks(c, &(struct blocks){ p->load_balancer, p->connection_pool,
                                           p->outlier_detection, p->tls }))
        api_error(c, SPOT(p),
                  "is empty: set loadBalancer, connectionPool, outlierDetection or tls");
    if (!p->port)
        return;
    if (p->port->number.v == 0)
        api_error(c, LEAF(p->port, "number"), "0 is no port: write 1 to 65535");
    for (size_t k = 0; k < i; k++)
        if (t->port_level_settings.v[k].port &&
            t->port_level_settings.v[k].port->number.v == p->port->number.v)
            api_warn(c, SPOT(p), "portLevelSettings[%zu] is for the same port", k);
}

static void check_tunnel(struct api_checker *c, const struct api_traffic_policy *t)
{
    const struct api_tunnel *n = t->tunnel;
    struct buf why;

    if (t->proxy_protocol)
        api_error(c, LEAF(t, "proxyProtocol"), "cannot stand with tunnel: remove one");
    if (!str_eq_nocase(n->protocol, STR("CONNECT")) && !str_eq_nocase(n->protocol, STR("POST")))
        api_error(c, LEAF(n, "protocol"), "\"%.*s\" is neither CONNECT nor POST",
                  SHOW(n->protocol));
    buf_init(&why, 512);
    if (n->target_host.n && !api_check_fqdn(n->target_host, &why) &&
        !api_check_ip(n->target_host, &why))
        api_error(c, LEAF(n, "targetHost"), "\"%.*s\" is neither a name nor an IP address",
                  SHOW(n->target_host));
    buf_fini(&why);
}

static void check_policy(struct api_checker *c, const struct api_traffic_policy *t)
{
    bool any = check_blocks(
        c, &(struct blocks){ t->load_balancer, t->connection_pool, t->outlier_detection, t->tls });

    if (!any && !t->port_level_settings.n && !t->tunnel && !t->proxy_protocol && !t->retry_budget)
        api_error(c, SPOT(t), "is empty: set a policy, or remove it");
    for (size_t i = 0; i < t->port_level_settings.n; i++)
        check_port_policy(c, t, i);
    if (t->tunnel)
        check_tunnel(c, t);
    if (t->retry_budget)
        api_check_percent(c, t->retry_budget->percent);
}

static void check_selector(struct api_checker *c, const struct api_destinationrule *r)
{
    const struct api_label_selector *s = r->workload_selector;

    if (s->match_labels.n == 0)
        api_warn(c, SPOT(s), "selects every workload of the namespace: name labels");
    for (size_t i = 0; i < r->export_to.n; i++)
        if (!str_eq(r->export_to.v[i], STR(".")) &&
            !str_eq(r->export_to.v[i], c->o->meta->namespace))
            api_error(c, ITEM(r, "exportTo", i),
                      "with workloadSelector the rule is for its own namespace: write \".\", or "
                      "remove exportTo");
}

void api_check_destinationrule(struct api_checker *c, const void *body)
{
    const struct api_destinationrule *r = body;
    struct buf why;

    buf_init(&why, 512);
    if (r->host.n && !api_check_wildcard_fqdn(r->host, &why))
        api_error(c, LEAF(r, "host"), "%.*s", STRF(buf_str(&why)));
    buf_fini(&why);
    if (r->traffic_policy)
        check_policy(c, r->traffic_policy);
    for (size_t i = 0; i < r->subsets.n; i++) {
        const struct api_subset *s = &r->subsets.v[i];

        for (size_t k = 0; k < i; k++)
            if (s->name.n && str_eq(s->name, r->subsets.v[k].name)) {
                api_error(c, LEAF(s, "name"),
                          "\"%.*s\" is the name of subsets[%zu] too: rename one", SHOW(s->name), k);
                break;
            }
        if (s->traffic_policy)
            check_policy(c, s->traffic_policy);
    }
    if (r->workload_selector)
        check_selector(c, r);
    api_check_export_to(c, &r->at, &r->export_to, false);
}
