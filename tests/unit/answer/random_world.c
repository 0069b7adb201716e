/*
 * Manifests and requests made by chance, small enough that they meet.
 */
#include "unit/answer/world.h"

static const char *const hosts[] = { "a.x",   "b.x",   "c.y",   "\"*.x\"",  "\"*.x\"",
                                     "\"*\"", "\"*\"", "\"*\"", "\"*.b.x\"" };
static const char *const paths[] = { "/", "/a", "/a/b", "/A", "/b", "/ab" };
static const char *const regexes[] = { "/a.*", "/[ab]", ".*", "/.*b", "/a/[^/]+" };

static const char *pick(struct rng *r, const char *const *from, size_t n)
{
    return from[rng_below(r, n)];
}
#define PICK(list) pick(r, (list), LEN(list))

static bool chance(struct rng *r, uint32_t in)
{
    return rng_below(r, in) == 0;
}

/* ---- gateways ---- */

static void add_server(struct rng *r, struct buf *b, size_t at)
{
    static const unsigned plain[] = { 80, 8080 };
    bool tls = chance(r, 3);
    unsigned port = tls ? 443 : plain[rng_below(r, 2)];

    buf_printf(b, "  - port: {number: %u, name: p%zu, protocol: %s}\n    hosts: [%s", port, at,
               tls ? "HTTPS" : "HTTP", PICK(hosts));
    if (chance(r, 3))
        buf_printf(b, ", %s", PICK(hosts));
    buf_add(b, STR("]\n"));
    if (tls)
        buf_printf(b, "    tls: {mode: SIMPLE, credentialName: c%u%s}\n", (unsigned)rng_below(r, 4),
                   chance(r, 4) ? ", minProtocolVersion: TLSV1_3" : "");
    else if (chance(r, 8))
        buf_add(b, STR("    tls: {httpsRedirect: true}\n"));
}

static void add_gateway(struct rng *r, struct buf *b, const char *name)
{
    size_t n = 2 + rng_below(r, 4);

    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: Gateway\n"
               "metadata: {name: %s, namespace: ns}\nspec:\n  servers:\n",
               name);
    for (size_t i = 0; i < n; i++)
        add_server(r, b, i);
}

static void add_certificate(struct buf *b, unsigned i, const char *names)
{
    buf_printf(b,
               "---\napiVersion: cert-manager.io/v1\nkind: Certificate\n"
               "metadata: {name: c%u, namespace: ns}\n"
               "spec: {secretName: c%u, dnsNames: [%s], issuerRef: {name: i}}\n",
               i, i, names);
}

/* ---- routes ---- */

static void add_text(struct rng *r, struct buf *b, const char *name, const char *const *values,
                     size_t n)
{
    static const char *const hows[] = { "exact", "prefix", "regex" };
    size_t how = rng_below(r, 3);

    buf_printf(b, "%s: {%s: \"%s\"}", name, hows[how],
               how == 2 && values == paths ? PICK(regexes) : pick(r, values, n));
}

static void add_match(struct rng *r, struct buf *b)
{
    static const char *const methods[] = { "GET", "POST", "GE", "P" };
    static const char *const values[] = { "1", "2", "12" };
    static const char *const headers[] = { "headers", "withoutHeaders" };
    const char *comma = "";

    buf_add(b, STR("{"));
    if (!chance(r, 4)) {
        add_text(r, b, "uri", paths, LEN(paths));
        comma = ", ";
        if (chance(r, 4))
            buf_add(b, STR(", ignoreUriCase: true"));
    }
    if (chance(r, 4)) {
        buf_add(b, str_of(comma));
        add_text(r, b, "method", methods, LEN(methods));
        comma = ", ";
    }
    if (chance(r, 3)) {
        buf_printf(b, "%s%s: {", comma, PICK(headers));
        if (chance(r, 4))
            buf_add(b, STR("h1: {}"));
        else
            add_text(r, b, "h1", values, LEN(values));
        buf_add(b, STR("}"));
        comma = ", ";
    }
    if (chance(r, 5)) {
        buf_printf(b, "%squeryParams: {", comma);
        add_text(r, b, "q", values, LEN(values));
        buf_add(b, STR("}"));
        comma = ", ";
    }
    if (chance(r, 8))
        buf_printf(b, "%sscheme: {exact: %s}", comma, chance(r, 2) ? "http" : "https");
    buf_add(b, STR("}"));
}

static void add_destinations(struct rng *r, struct buf *b)
{
    static const char *const services[] = { "s1", "s1", "s1", "s2", "s3", "e.x", "nosuch" };
    static const char *const subsets[] = {
        "", "", ", subset: v1", ", subset: v2", ", subset: v9", ", subset: none"
    };
    size_t n = 1 + rng_below(r, 3);

    buf_add(b, STR("    route:\n"));
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "    - {destination: {host: %s, port: {number: %u}%s}, weight: %u}\n",
                   PICK(services), chance(r, 6) ? 81U : 80U, PICK(subsets),
                   (unsigned)(i ? rng_below(r, 4) : 1 + rng_below(r, 3)));
}

static void add_rule(struct rng *r, struct buf *b, size_t at)
{
    size_t matches = rng_below(r, 3);

    buf_printf(b, "  - name: r%zu\n", at);
    if (matches)
        buf_add(b, STR("    match:\n"));
    for (size_t i = 0; i < matches; i++) {
        buf_add(b, STR("    - "));
        add_match(r, b);
        buf_addc(b, '\n');
    }
    if (chance(r, 8))
        buf_add(b, chance(r, 2) ? STR("    redirect: {uri: /to, redirectCode: 302}\n")
                                : STR("    redirect: {scheme: https, authority: z.x}\n"));
    else if (chance(r, 8))
        buf_printf(b, "    directResponse: {status: %u}\n", chance(r, 2) ? 204U : 418U);
    else
        add_destinations(r, b);
}

static void add_service_of(struct rng *r, struct buf *b, size_t at, const char *gateways)
{
    size_t n = 1 + rng_below(r, 4);

    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
               "metadata: {name: v%zu, namespace: ns}\nspec:\n  gateways: [%s]\n  hosts: [%s]\n"
               "  http:\n",
               at, gateways, PICK(hosts));
    for (size_t i = 0; i < n; i++)
        add_rule(r, b, i);
}

static void add_service(struct rng *r, struct buf *b, size_t at)
{
    static const char *const gateways[] = { "gw1", "gw2", "gw1, gw2", "gw1, gw2", "gw1, gw2" };

    add_service_of(r, b, at, PICK(gateways));
}

void random_manifests(struct rng *r, struct buf *b)
{
    size_t n = 2 + rng_below(r, 5);

    buf_add(b, STR("apiVersion: v1\nkind: Service\nmetadata: {name: s1, namespace: ns}\n"
                   "spec: {selector: {app: s1}, ports: [{name: http, port: 80}]}\n"
                   "---\napiVersion: v1\nkind: Service\nmetadata: {name: s2, namespace: ns}\n"
                   "spec: {selector: {app: s2}, ports: [{name: http, port: 80}, "
                   "{name: http-b, port: 81}]}\n"
                   "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
                   "metadata: {name: d1, namespace: ns}\nspec:\n  host: s1\n  subsets:\n"
                   "  - {name: v1, labels: {version: v1}}\n  - {name: v2, labels: {version: v2}}\n"
                   "  - {name: v9, labels: {version: v9}}\n"));
    for (unsigned v = 1; v < 3; v++)
        buf_printf(b,
                   "---\napiVersion: apps/v1\nkind: Deployment\n"
                   "metadata: {name: s1-v%u, namespace: ns}\nspec:\n  replicas: %u\n"
                   "  selector: {matchLabels: {app: s1}}\n"
                   "  template: {metadata: {labels: {app: s1, version: v%u}}, spec: {containers: "
                   "[{name: c, image: i}]}}\n",
                   v, v, v);
    add_gateway(r, b, "gw1");
    add_gateway(r, b, "gw2");
    add_certificate(b, 0, "a.x, b.x");
    add_certificate(b, 1, "\"*.x\"");
    add_certificate(b, 2, "c.y");
    for (size_t i = 0; i < n; i++)
        add_service(r, b, i);
}

/* ---- more to meet ---- */

static void add_object(struct buf *b, const char *api, const char *kind, const char *name,
                       const char *labels, const char *rest)
{
    buf_printf(b, "---\napiVersion: %s\nkind: %s\nmetadata: {name: %s, namespace: ns%s}\n%s\n", api,
               kind, name, labels, rest);
}

static void add_rule_of(struct rng *r, struct buf *b, unsigned i)
{
    static const char *const rule_hosts[] = { "s1", "s1",  "s2",
                                              "s3", "e.x", "\"*.ns.svc.cluster.local\"" };
    static const char *const policies[] = { "", "", "trafficPolicy: {tls: {mode: SIMPLE}}, ",
                                            "trafficPolicy: {loadBalancer: {simple: RANDOM}}, ",
                                            "exportTo: [other], " };
    static const char *const subsets[] = { "{name: v1, labels: {version: v1}}",
                                           "{name: v1, labels: {version: v2}}",
                                           "{name: v2, labels: {version: v1}}",
                                           "{name: none, labels: {version: v1}}" };
    char name[16], spec[512];

    snprintf(name, sizeof(name), "r%u", i);
    snprintf(spec, sizeof(spec), "spec: {host: %s, %ssubsets: [%s]}", PICK(rule_hosts),
             PICK(policies), PICK(subsets));
    add_object(b, "networking.istio.io/v1", "DestinationRule", name, "", spec);
}

static void add_endpoints_of(struct rng *r, struct buf *b)
{
    static const char *const slices[] = {
        "addressType: IPv4\nports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.1.0.1]}]",
        "addressType: IPv4\nports: [{name: http, port: 80}]\nendpoints: []",
    };
    static const char *const entries[] = {
        "spec: {hosts: [s3.ns.svc.cluster.local], resolution: STATIC, ports: [{number: 80, name: "
        "http, protocol: HTTP}], endpoints: [{address: 10.2.0.1}]}",
        "spec: {hosts: [e.x, s3.ns.svc.cluster.local], resolution: STATIC, ports: [{number: 80, "
        "name: http, protocol: HTTP}], endpoints: [{address: 10.2.0.2}]}",
        "spec: {hosts: [e.x], resolution: STATIC, ports: [{number: 80, name: http, protocol: "
        "HTTP}], workloadSelector: {labels: {app: s3}}}",
        "spec: {hosts: [e.x], resolution: DNS, ports: [{number: 81, name: http, protocol: "
        "HTTP}]}",
    };

    if (chance(r, 2))
        add_object(b, "discovery.k8s.io/v1", "EndpointSlice", "s3-1",
                   ", labels: {kubernetes.io/service-name: s3}", PICK(slices));
    if (chance(r, 2))
        add_object(b, "networking.istio.io/v1", "WorkloadEntry", "w1", "",
                   "spec: {address: 10.3.0.1, labels: {app: s3, version: v1}}");
    for (unsigned i = 0; i < 3; i++) {
        char name[16];

        snprintf(name, sizeof(name), "e%u", i);
        if (chance(r, 2))
            add_object(b, "networking.istio.io/v1", "ServiceEntry", name, "", PICK(entries));
    }
}

void random_backends(struct rng *r, struct buf *b)
{
    add_object(b, "v1", "Service", "s3", "",
               "spec: {selector: {app: s3}, ports: [{name: http, port: 80}]}");
    add_endpoints_of(r, b);
    for (unsigned i = 0; i < 4; i++)
        add_rule_of(r, b, i);
    add_gateway(r, b, "gw3");
    for (size_t i = 10; i < 13; i++)
        add_service_of(r, b, i, "gw3");
    buf_add(b, STR("---\napiVersion: cert-manager.io/v1\nkind: Certificate\n"
                   "metadata: {name: c0, namespace: istio-system}\n"
                   "spec: {secretName: c0, dnsNames: [a.x], issuerRef: {name: i}}\n"));
}

/* ---- questions ---- */

void random_question(struct rng *r, struct arena *a, struct str *method, struct str *url,
                     struct str *lines, size_t *n)
{
    static const char *const names[] = { "a.x", "a.x", "b.x", "c.y", "z.x", "b.b.x", "A.X", "d" };
    static const char *const targets[] = { "/",         "/a",   "/a/b",   "/A",      "/b",
                                           "/ab",       "/c",   "/a?q=1", "/a/../b", "//a",
                                           "/?q=2&q=1", "/%61", "/%00",   "/a%2fb",  "/a/b?q=12" };
    static const char *const schemes[] = { "http", "http", "https" };
    static const char *const plain[] = { "", ":8080", ":80" };
    static const char *const methods[] = { "GET", "GET", "POST", "PUT" };
    static const char *const headers[] = { "h1: 1",
                                           "h1: 2",
                                           "H1: 12",
                                           "h1:",
                                           "x-other: 1",
                                           "x-forwarded-proto: https",
                                           "x-envoy-internal: true" };
    const char *scheme = PICK(schemes);
    const char *port = strcmp(scheme, "https") == 0 ? "" : PICK(plain);

    *method = str_of(PICK(methods));
    *url = arena_printf(a, "%s://%s%s%s", scheme, PICK(names), port, PICK(targets));
    *n = 0;
    while (*n < 2 && chance(r, 2))
        lines[(*n)++] = str_of(PICK(headers));
    if (chance(r, 8))
        lines[(*n)++] = arena_printf(a, "Host: %s", PICK(names));
    if (chance(r, 40))
        lines[(*n)++] = STR("Upgrade: foo");
}
