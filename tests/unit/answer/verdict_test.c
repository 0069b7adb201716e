/* Each leaf of each object has a verdict, and what is not effective says why and by what. */
#include "mesh/verdict.h"
#include "unit/answer/world.h"

static const char base[] =
    "apiVersion: networking.istio.io/v1\n"
    "kind: Gateway\n"
    "metadata: {name: gw, namespace: ns}\n"
    "spec:\n"
    "  selector: {app: gw}\n"
    "  servers:\n"
    "  - {port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.x], tls: {mode: SIMPLE, "
    "credentialName: c}}\n"
    "  - {port: {number: 443, name: b, protocol: HTTPS}, hosts: [a.x], tls: {mode: SIMPLE, "
    "credentialName: c}}\n"
    "  - {port: {number: 9000, name: t, protocol: TCP}, hosts: [a.x]}\n"
    "---\n"
    "apiVersion: cert-manager.io/v1\n"
    "kind: Certificate\n"
    "metadata: {name: c, namespace: ns}\n"
    "spec: {secretName: c, dnsNames: [a.x], issuerRef: {name: i}}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: VirtualService\n"
    "metadata: {name: v, namespace: ns}\n"
    "spec:\n"
    "  hosts: [a.x]\n"
    "  gateways: [gw, nowhere]\n"
    "  http:\n"
    "  - {name: all, route: [{destination: {host: s}}], retries: {attempts: 2, "
    "retryRemoteLocalities: true}}\n"
    "  - {name: late, directResponse: {status: 200}}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: VirtualService\n"
    "metadata: {name: m, namespace: ns}\n"
    "spec: {hosts: [a.x], http: [{route: [{destination: {host: s}}]}]}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: DestinationRule\n"
    "metadata: {name: d1, namespace: ns}\n"
    "spec: {host: s, subsets: [{name: v1, labels: {version: v1}}]}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: DestinationRule\n"
    "metadata: {name: d2, namespace: ns}\n"
    "spec: {host: s, subsets: [{name: v1, labels: {version: v2}}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: s, namespace: ns}\n"
    "spec: {selector: {app: s}, ports: [{name: http, port: 80, nodePort: 30000}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: s, namespace: ns}\n"
    "spec: {ports: [{port: 81}]}\n"
    "---\n"
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: s, namespace: ns}\n"
    "spec:\n"
    "  selector: {matchLabels: {app: s}}\n"
    "  template: {metadata: {labels: {app: s, version: v1}}, spec: {containers: [{name: c, image: "
    "i}]}}\n";

static const struct row {
    const char *object, *path;
    enum verdict_kind kind;
    uint32_t by; /* line of the other; 0: none */
} rows[] = {
    { "Gateway ns/gw", "spec.selector", VERDICT_NOT_APPLICABLE, 0 },
    { "Gateway ns/gw", "spec.servers[0].tls.credentialName", VERDICT_EFFECTIVE, 0 },
    { "Gateway ns/gw", "spec.servers[1].hosts", VERDICT_OVERRIDDEN, 7 },
    { "Gateway ns/gw", "spec.servers[1].tls.credentialName", VERDICT_OVERRIDDEN, 7 },
    { "Gateway ns/gw", "spec.servers[1].port.number", VERDICT_OVERRIDDEN, 7 },
    { "Gateway ns/gw", "spec.servers[2].port.protocol", VERDICT_UNSUPPORTED, 0 },
    { "Gateway ns/gw", "spec.servers[2].hosts", VERDICT_UNSUPPORTED, 0 },
    { "VirtualService ns/v", "spec.hosts", VERDICT_EFFECTIVE, 0 },
    { "VirtualService ns/v", "spec.gateways", VERDICT_EFFECTIVE, 0 },
    { "VirtualService ns/v", "spec.gateways[1]", VERDICT_NOT_APPLICABLE, 0 },
    { "VirtualService ns/v", "spec.http[0].name", VERDICT_EFFECTIVE, 0 },
    { "VirtualService ns/v", "spec.http[0].retries.retryRemoteLocalities", VERDICT_UNSUPPORTED, 0 },
    { "VirtualService ns/v", "spec.http[1].directResponse.status", VERDICT_SHADOWED, 23 },
    { "VirtualService ns/m", "spec.hosts", VERDICT_NOT_APPLICABLE, 0 },
    { "VirtualService ns/m", "spec.http[0].route[0].destination.host", VERDICT_NOT_APPLICABLE, 0 },
    { "DestinationRule ns/d1", "spec.subsets[0].labels", VERDICT_EFFECTIVE, 0 },
    { "DestinationRule ns/d2", "spec.host", VERDICT_NOT_APPLICABLE, 0 },
    { "DestinationRule ns/d2", "spec.subsets[0].labels", VERDICT_OVERRIDDEN, 34 },
    { "Service ns/s", "spec.selector", VERDICT_EFFECTIVE, 0 },
    { "Service ns/s", "spec.ports[0].port", VERDICT_EFFECTIVE, 0 },
    { "Service ns/s", "spec.ports[0].nodePort", VERDICT_NOT_APPLICABLE, 0 },
    { "Service ns/s", "", VERDICT_OVERRIDDEN, 43 },
};

struct seen {
    size_t times[LEN(rows)];
    size_t all;
};

static void see(void *arg, const struct verdict *v)
{
    struct seen *s = arg;

    s->all++;
    CHECK(v->pos.file.n && v->pos.line);
    CHECK(v->kind == VERDICT_EFFECTIVE || v->text.n);
    for (size_t i = 0; i < LEN(rows); i++) {
        if (!str_eq(v->object, str_of(rows[i].object)) || !str_eq(v->path, str_of(rows[i].path)))
            continue;
        CASE(i);
        s->times[i]++;
        CHECK_EQ(v->kind, rows[i].kind);
        CHECK_EQ(v->note ? v->note->other.line : 0, rows[i].by);
    }
}

TEST(each_leaf_has_a_verdict_with_its_reason)
{
    struct seen seen = { .all = 0 };
    size_t counts[VERDICT_KINDS], sum = 0;
    struct world w;

    worlds_begin();
    world_open(&w, str_of(base), false);
    mesh_each_verdict(w.mesh, &w.notes, see, &seen);
    for (size_t i = 0; i < LEN(rows); i++) {
        CASE(i);
        CHECK_EQ(seen.times[i], 1);
    }
    mesh_count_verdicts(w.mesh, &w.notes, counts);
    for (size_t i = 0; i < VERDICT_KINDS; i++)
        sum += counts[i];
    CHECK_EQ(sum, seen.all);
    /* --strict refuses where a verdict says so. */
    CHECK(counts[VERDICT_UNSUPPORTED] > 0);
    CHECK(mesh_summary(w.mesh)->unsupported > 0);
    world_close(&w);
    worlds_end();
}
