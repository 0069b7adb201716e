#include "unit/check.h"
#include "unit/mesh/bench.h"

#define GW(name, servers)                                                                          \
    "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " name               \
    ", namespace: ns}\nspec:\n  selector: {app: gw}\n  servers:\n" servers
#define HTTP(port, hosts)                                                                          \
    "  - port: {number: " port ", name: http-" port ", protocol: HTTP}\n    hosts: [" hosts "]\n"
#define HTTPS(port, hosts)                                                                         \
    "  - port: {number: " port ", name: https-" port ", protocol: HTTPS}\n    hosts: [" hosts      \
    "]\n    tls: {mode: SIMPLE, credentialName: c}\n"
#define DIRECT(name, hosts)                                                                        \
    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " name        \
    ", namespace: ns}\nspec: {hosts: [" hosts "], gateways: [gw, gw2], http: [{name: " name        \
    ", directResponse: {status: 200}}]}\n"

/* The configuration of Istio's reference dump. */
static const char reference[] =
    "apiVersion: networking.istio.io/v1\n"
    "kind: Gateway\n"
    "metadata: {name: gw, namespace: default}\n"
    "spec:\n"
    "  selector: {app: gw}\n"
    "  servers:\n"
    "  - port: {number: 18080, name: http, protocol: HTTP}\n"
    "    bind: 127.0.0.1\n"
    "    hosts: [\"example.test\"]\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: ServiceEntry\n"
    "metadata: {name: a, namespace: default}\n"
    "spec:\n"
    "  hosts: [a.mesh.internal]\n"
    "  location: MESH_INTERNAL\n"
    "  resolution: STATIC\n"
    "  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 18081}]\n"
    "  endpoints: [{address: 127.0.0.1}]\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: ServiceEntry\n"
    "metadata: {name: b, namespace: default}\n"
    "spec:\n"
    "  hosts: [b.mesh.internal]\n"
    "  location: MESH_INTERNAL\n"
    "  resolution: STATIC\n"
    "  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 18082}]\n"
    "  workloadSelector: {labels: {app: b}}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: WorkloadEntry\n"
    "metadata: {name: b-1, namespace: default}\n"
    "spec:\n"
    "  address: 127.0.0.1\n"
    "  labels: {app: b, version: v1}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: DestinationRule\n"
    "metadata: {name: b, namespace: default}\n"
    "spec:\n"
    "  host: b.mesh.internal\n"
    "  trafficPolicy: {tls: {mode: DISABLE}}\n"
    "  subsets: [{name: v1, labels: {version: v1}}]\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: DestinationRule\n"
    "metadata: {name: a, namespace: default}\n"
    "spec:\n"
    "  host: a.mesh.internal\n"
    "  trafficPolicy: {tls: {mode: DISABLE}}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: VirtualService\n"
    "metadata: {name: split, namespace: default}\n"
    "spec:\n"
    "  hosts: [example.test]\n"
    "  gateways: [default/gw]\n"
    "  http:\n"
    "  - name: split\n"
    "    route:\n"
    "    - destination: {host: a.mesh.internal, port: {number: 80}}\n"
    "      weight: 50\n"
    "    - destination: {host: b.mesh.internal, subset: v1, port: {number: 80}}\n"
    "      weight: 50\n";

TEST(names_are_those_of_istiods_dump)
{
    struct bench b;

    bench_init(&b);
    bench_load(&b, reference);
    CHECK_STRZ(str_of(bench_notes(&b, "")), "");
    CHECK_STRZ(str_of(bench_text(&b, PART_LISTENER)),
               "127.0.0.1_18080 18080(18080) 127.0.0.1: 127.0.0.1_18080\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), "http.18080.127.0.0.1: example.test\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_VHOST)),
               "http.18080.127.0.0.1/example.test = example.test:18080\n");
    CHECK_STRZ(str_of(bench_routes(&b, "http.18080.127.0.0.1/example.test")),
               "split -> outbound|80||a.mesh.internal*50 outbound|80|v1|b.mesh.internal*50\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_CLUSTER)),
               "BlackHoleCluster least\n"
               "outbound|80|v1|b.mesh.internal least 127.0.0.1:18082\n"
               "outbound|80||a.mesh.internal least 127.0.0.1:18081\n"
               "outbound|80||b.mesh.internal least 127.0.0.1:18082\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_HOSTS)),
               "outbound|80|v1|b.mesh.internal from ServiceEntry: b-1/default/b/v1\n"
               "outbound|80||a.mesh.internal from ServiceEntry: a-0/default/a-0/latest\n"
               "outbound|80||b.mesh.internal from ServiceEntry: b-1/default/b/v1\n");
    bench_fini(&b);
}

TEST(plain_servers_of_a_port_share_listener_and_routes)
{
    struct bench b;

    bench_init(&b);
    bench_load(&b, GW("gw", HTTP("80", "a.x") HTTP("81", "b.x")) GW("gw2", HTTP("80", "c.x"))
                       DIRECT("all", "a.x, b.x, c.x"));
    CHECK_STRZ(str_of(bench_notes(&b, "")), "");
    CHECK_STRZ(str_of(bench_text(&b, PART_LISTENER)),
               "0.0.0.0_80 80(80): 0.0.0.0_80\n0.0.0.0_81 81(81): 0.0.0.0_81\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), "http.80: a.x c.x\nhttp.81: b.x\n");
    bench_fini(&b);
}

TEST(a_server_that_conflicts_is_left_out_with_a_word)
{
    static const struct {
        const char *yaml, *listeners, *note;
    } rows[] = {
        { GW("gw", HTTP("80", "a.x")) GW("gw2", HTTPS("80", "b.x")) DIRECT("v", "a.x, b.x"),
          "0.0.0.0_80 80(80): 0.0.0.0_80\n", "already has plain text on port 80" },
        { GW("gw", HTTPS("80", "a.x")) GW("gw2", HTTP("80", "b.x")) DIRECT("v", "a.x, b.x"),
          "0.0.0.0_80 80(80) tls: 0.0.0.0_80/https.80.https-80.gw.ns\n",
          "already has TLS on port 80" },
        { GW("gw", HTTPS("443", "a.x")) GW("gw2", HTTPS("443", "b.x, A.X")) DIRECT("v", "a.x, b.x"),
          "0.0.0.0_443 443(443) tls: 0.0.0.0_443/https.443.https-443.gw.ns\n",
          "already has this name on port 443" },
        { GW("gw", "  - port: {number: 27017, name: m, protocol: MONGO}\n    hosts: [\"*\"]\n"), "",
          "only HTTP and HTTPS are carried out yet" },
        { GW("gw", "  - port: {number: 443, name: t, protocol: TLS}\n    hosts: [\"*\"]\n    tls: "
                   "{mode: PASSTHROUGH}\n"),
          "", "only HTTP and HTTPS are carried out yet" },
        { GW("gw", "  - port: {number: 443, name: t, protocol: HTTPS}\n    hosts: [\"*\"]\n    "
                   "tls: {mode: PASSTHROUGH}\n"),
          "", "only SIMPLE, MUTUAL and OPTIONAL_MUTUAL are carried out yet" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct bench b;

        CASE(i);
        bench_init(&b);
        bench_load(&b, rows[i].yaml);
        CHECK_STRZ(str_of(bench_text(&b, PART_LISTENER)), rows[i].listeners);
        if (!bench_notes(&b, rows[i].note)[0])
            CHECK_STRZ(str_of(bench_notes(&b, "")), rows[i].note);
        bench_fini(&b);
    }
}

TEST(a_mode_that_is_not_carried_out_closes_its_own_names_only)
{
    struct bench b;

    bench_init(&b);
    bench_dev(&b);
    bench_load(&b, GW("gw",
                      HTTPS("443", "\"*.x\"") "  - port: {number: 443, name: m, protocol: HTTPS}\n"
                                              "    hosts: [m.x]\n"
                                              "    tls: {mode: ISTIO_MUTUAL}\n")
                       DIRECT("v", "a.x, m.x") "---\napiVersion: cert-manager.io/v1\n"
                                               "kind: Certificate\n"
                                               "metadata: {name: c, namespace: ns}\n"
                                               "spec: {secretName: c, dnsNames: [\"*.x\"], "
                                               "issuerRef: {name: i}}\n");
    CHECK_STRZ(str_of(bench_text(&b, PART_CHAIN)),
               "0.0.0.0_8443/https.443.https-443.gw.ns routes=https.443.https-443.gw.ns sni=*.x "
               "tls kubernetes://ns/c\n"
               "0.0.0.0_8443/https.443.m.gw.ns routes=https.443.m.gw.ns sni=m.x tls\n");
    CHECK(bench_notes(&b, "spec.servers[1].tls.mode: unsupported: only SIMPLE")[0]);
    bench_fini(&b);
}

TEST(labels_decide_which_gateways_count)
{
    struct str_entry entry = { STR("app"), STR("other") };
    struct str_map labels = { &entry, 1 };
    struct bench b;

    bench_init(&b);
    b.options.labels = &labels;
    bench_load(&b, GW("gw", HTTP("80", "a.x")) DIRECT("v", "a.x"));
    CHECK_STRZ(str_of(bench_text(&b, PART_LISTENER)), "");
    CHECK(bench_notes(&b, "does not select")[0]);
    bench_fini(&b);
    entry.value = STR("gw");
    bench_init(&b);
    b.options.labels = &labels;
    bench_load(&b, GW("gw", HTTP("80", "a.x")) DIRECT("v", "a.x"));
    CHECK_STRZ(str_of(bench_text(&b, PART_LISTENER)), "0.0.0.0_80 80(80): 0.0.0.0_80\n");
    bench_fini(&b);
}

TEST(a_host_that_nobody_serves_is_said_and_answers_404)
{
    struct bench b;

    bench_init(&b);
    bench_load(&b, GW("gw", HTTP("80", "a.x")));
    CHECK_STRZ(str_of(bench_text(&b, PART_VHOST)), "http.80/* = blackhole:80\n");
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/*")), "");
    CHECK(bench_notes(&b, "no VirtualService is bound")[0]);
    bench_fini(&b);
}

TEST(https_redirect_answers_for_all_hosts_of_its_server)
{
    static const char yaml[] = GW("gw", "  - port: {number: 80, name: http, protocol: HTTP}\n"
                                        "    hosts: [a.x, b.x]\n"
                                        "    tls: {httpsRedirect: true}\n" HTTPS("443", "a.x"))
        DIRECT("v", "a.x");
    struct bench b;

    bench_init(&b);
    bench_load(&b, yaml);
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> redirect 301 https://:0 https\n");
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "-> redirect 301 https://:0 https\n");
    CHECK_STRZ(str_of(bench_routes(&b, "https.443.https-443.gw.ns/a.x")), "v -> direct 200 \n");
    CHECK(mesh_summary(b.mesh)->listeners[0].is_redirect);
    CHECK(!mesh_summary(b.mesh)->listeners[1].is_redirect);
    bench_fini(&b);
    bench_init(&b); /* mapped ports: the redirect names the one that is bound */
    bench_dev(&b);
    bench_load(&b, yaml);
    CHECK_STRZ(str_of(bench_routes(&b, "http.80/b.x")), "-> redirect 301 https://:8443 https\n");
    bench_fini(&b);
}

TEST(listeners_and_origins_are_told)
{
    struct bench b;
    const struct mesh_summary *sum;

    bench_init(&b);
    bench_load(&b, reference);
    sum = mesh_summary(b.mesh);
    CHECK_EQ(sum->listener_count, 1);
    CHECK_STRZ(sum->listeners[0].hosts[0], "example.test");
    CHECK_STRZ(sum->listeners[0].origin.object, "Gateway default/gw");
    CHECK_STRZ(sum->listeners[0].origin.path, "spec.servers[0]");
    CHECK_STRZ(sum->listeners[0].origin.file, "m.yaml");
    CHECK_EQ(sum->listeners[0].origin.line, 7);
    CHECK_EQ(sum->clusters, 3);
    CHECK_EQ(sum->endpoints, 2);
    CHECK_EQ(sum->routes, 1);
    bench_fini(&b);
}

TEST(a_highest_tls_version_that_is_not_spoken_is_named)
{
    struct bench b;

    bench_init(&b);
    bench_load(&b, "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"
                   "spec: {servers: [{port: {number: 443, name: h, protocol: HTTPS}, hosts: "
                   "[a.x], tls: {mode: SIMPLE, credentialName: c, maxProtocolVersion: "
                   "TLSV1_1}}]}\n");
    CHECK(bench_notes(&b, "maxProtocolVersion: unsupported: TLS 1.2 is the lowest")[0]);
    bench_fini(&b);
}
