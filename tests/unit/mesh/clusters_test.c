#include "unit/check.h"
#include "unit/mesh/bench.h"

#define META(kind, api, meta) "---\napiVersion: " api "\nkind: " kind "\nmetadata: {" meta "}\n"
#define SERVICE(spec) META("Service", "v1", "name: s, namespace: ns") "spec: {" spec "}\n"
#define WE(name, spec)                                                                             \
    META("WorkloadEntry", "networking.istio.io/v1", "namespace: ns, name: " name)                  \
    "spec: {" spec "}\n"
#define RULE(meta, spec)                                                                           \
    META("DestinationRule", "networking.istio.io/v1", meta) "spec: {" spec "}\n"
#define POD(name, labels, rest)                                                                    \
    META("Pod", "v1", "namespace: ns, name: " name ", labels: {" labels "}") rest
#define HOLE "BlackHoleCluster least\n"
#define C(subset) "outbound|80|" subset "|s.ns.svc.cluster.local least"

struct row {
    const char *yaml, *clusters, *note; /* note NULL: none at all */
};

static void check_rows(const struct row *rows, size_t n, void (*prepare)(struct bench *))
{
    for (size_t i = 0; i < n; i++) {
        struct bench b;

        CASE(i);
        bench_init(&b);
        if (prepare)
            prepare(&b);
        bench_load(&b, rows[i].yaml);
        CHECK_STRZ(str_of(bench_text(&b, PART_CLUSTER)), rows[i].clusters);
        if (!rows[i].note)
            CHECK_STRZ(str_of(bench_notes(&b, "")), "");
        else if (!bench_notes(&b, rows[i].note)[0])
            CHECK_STRZ(str_of(bench_notes(&b, "")), rows[i].note);
        bench_fini(&b);
    }
}

#define SLICE                                                                                      \
    META("EndpointSlice", "discovery.k8s.io/v1",                                                   \
         "name: s-1, namespace: ns, labels: {kubernetes.io/service-name: s}")                      \
    "addressType: IPv4\nports: [{name: http, port: 8080}]\n"                                       \
    "endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2], conditions: {ready: false}}, "   \
    "{addresses: [10.0.0.3], conditions: {ready: false, terminating: true}}]\n"
#define ENDPOINTS                                                                                  \
    META("Endpoints", "v1", "name: s, namespace: ns")                                              \
    "subsets: [{addresses: [{ip: 10.0.1.1}], notReadyAddresses: [{ip: 10.0.1.2}], ports: [{name: " \
    "http, port: 81}]}]\n"
#define PODS                                                                                       \
    POD("p1", "app: s",                                                                            \
        "spec: {containers: [{name: c, ports: [{name: web, containerPort: "                        \
        "8082}]}]}\nstatus: {podIP: 10.0.2.1, phase: Running}\n")                                  \
    POD("p2", "app: s",                                                                            \
        "spec: {containers: [{name: c}]}\nstatus: {podIP: 10.0.2.2, phase: "                       \
        "Failed}\n")                                                                               \
    POD("p3", "app: t", "spec: {containers: [{name: c}]}\nstatus: {podIP: 10.0.2.3}\n")            \
    POD("p4", "app: s",                                                                            \
        "spec: {containers: [{name: c}]}\nstatus: {podIP: 10.0.2.4, conditions: "                  \
        "[{type: Ready, status: \"False\"}]}\n")
#define ENTRIES WE("w1", "address: 10.0.3.1, labels: {app: s}, weight: 3")
#define SENTRY                                                                                     \
    META("ServiceEntry", "networking.istio.io/v1", "name: e, namespace: ns")                       \
    "spec: {hosts: [s.ns.svc.cluster.local], resolution: STATIC, ports: [{number: 80, name: "      \
    "http, "                                                                                       \
    "protocol: HTTP}], endpoints: [{address: 10.0.4.1}]}\n"
#define HTTP_PORT "ports: [{name: http, port: 80}], selector: {app: s}"

TEST(endpoints_come_from_the_first_source_that_has_some)
{
    static const struct row rows[] = {
        { SERVICE(HTTP_PORT) SLICE ENDPOINTS PODS ENTRIES SENTRY,
          HOLE C("") " 10.0.0.1:8080 10.0.0.2:8080(unhealthy)\n", NULL },
        { SERVICE(HTTP_PORT) ENDPOINTS PODS ENTRIES SENTRY,
          HOLE C("") " 10.0.1.1:81 10.0.1.2:81(unhealthy)\n", NULL },
        { SERVICE(HTTP_PORT) PODS ENTRIES SENTRY,
          HOLE C("") " 10.0.2.1:80 10.0.2.4:80(unhealthy)\n", NULL },
        { SERVICE(HTTP_PORT) ENTRIES SENTRY, HOLE C("") " 10.0.3.1:80*3\n", NULL },
        { SERVICE(HTTP_PORT) SENTRY, HOLE C("") " 10.0.4.1:80\n", NULL },
        { SERVICE(HTTP_PORT), HOLE C("") "\n", NULL },
        /* without a selector only 1 and 4 */
        { SERVICE("ports: [{name: http, port: 80}]") PODS ENTRIES SENTRY,
          HOLE C("") " 10.0.4.1:80\n", NULL },
    };

    check_rows(rows, LEN(rows), NULL);
}

#define TARGET(target)                                                                             \
    SERVICE("ports: [{name: http, port: 80, targetPort: " target "}], selector: {app: s}")

TEST(target_ports_by_number_and_by_name)
{
    static const struct row rows[] = {
        { TARGET("8081") PODS, HOLE C("") " 10.0.2.1:8081 10.0.2.4:8081(unhealthy)\n", NULL },
        { TARGET("web") PODS, HOLE C("") " 10.0.2.1:8082\n", NULL },
        { TARGET("8081") WE("w", "address: 10.0.3.1, labels: {app: s}"),
          HOLE C("") " 10.0.3.1:8081\n", NULL },
        { TARGET("8081") WE("w", "address: 10.0.3.1, labels: {app: s}, ports: {http: 9000}"),
          HOLE C("") " 10.0.3.1:9000\n", NULL },
        { TARGET("web") WE("w", "address: 10.0.3.1, labels: {app: s}, ports: {web: 9001}"),
          HOLE C("") " 10.0.3.1:9001\n", NULL },
        { TARGET("web") WE("w", "address: 10.0.3.1, labels: {app: s}, ports: {http: 9000}"),
          HOLE C("") "\n", "gives no port \"web\"" },
    };

    check_rows(rows, LEN(rows), NULL);
}

TEST(service_entries)
{
#define SE(spec)                                                                                   \
    META("ServiceEntry", "networking.istio.io/v1", "name: e, namespace: ns") "spec: {" spec "}\n"
#define X "outbound|80||x.test least"
    static const struct row rows[] = {
        { SE("hosts: [x.test], resolution: STATIC, ports: [{number: 80, name: h, protocol: HTTP}], "
             "endpoints: [{address: 10.0.0.1, ports: {h: 8080}}, {address: \"::1\", weight: 2}]"),
          HOLE X " 10.0.0.1:8080 [::1]:80*2\n", NULL },
        { SE("hosts: [x.test], resolution: DNS, ports: [{number: 80, name: h, protocol: HTTP}], "
             "endpoints: [{address: 10.0.0.1}]"),
          HOLE X " 10.0.0.1:80\n", NULL },
        { SE("hosts: [x.test], resolution: DNS, ports: [{number: 80, name: h, protocol: HTTP}]"),
          HOLE X "\n", "spec.resolution: unsupported" },
        { SE("hosts: [x.test], resolution: NONE, ports: [{number: 80, name: h, protocol: HTTP}]"),
          HOLE X "\n", "spec.resolution: unsupported" },
        { SE("hosts: [x.test], resolution: STATIC, ports: [{number: 80, name: h, protocol: HTTP, "
             "targetPort: 8080}], workloadSelector: {labels: {app: s}}")
              ENTRIES POD("p", "app: s",
                          "spec: {containers: [{name: c}]}\nstatus: {podIP: 10.0.2.1}\n"),
          HOLE X " 10.0.3.1:8080*3 10.0.2.1:8080\n", NULL },
        /* the older of two */
        { SE("hosts: [x.test], resolution: STATIC, ports: [{number: 80, name: h, protocol: HTTP}], "
             "endpoints: [{address: 10.0.0.1}]") META("ServiceEntry", "networking.istio.io/v1",
                                                      "name: d, namespace: ns, creationTimestamp: "
                                                      "2020-01-01T00:00:00Z") "spec: {hosts: "
                                                                              "[x.test], "
                                                                              "resolution: STATIC, "
                                                                              "ports: [{number: "
                                                                              "80, name: h, "
                                                                              "protocol: "
                                                                              "HTTP}], endpoints: "
                                                                              "[{address: "
                                                                              "10.0.0.2}]}\n",
          HOLE X " 10.0.0.2:80\n", "already defines this host" },
    };

    check_rows(rows, LEN(rows), NULL);
}

#define BACKENDS                                                                                   \
    SERVICE(HTTP_PORT)                                                                             \
    WE("w1", "address: 10.0.0.1, labels: {app: s, version: v1}")                                   \
    WE("w2", "address: 10.0.0.2, labels: {app: s, version: v2}")
#define BASE C("") " 10.0.0.1:80 10.0.0.2:80\n"

TEST(subsets_are_chosen_by_labels_and_rules_are_merged)
{
    static const struct row rows[] = {
        { BACKENDS RULE("name: d, namespace: ns",
                        "host: s, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: "
                        "{version: v2}}, {name: all}, {name: none, labels: {version: v3}}]"),
          HOLE C("all") " 10.0.0.1:80 10.0.0.2:80\n" C("none") "\n" C("v1") " 10.0.0.1:80\n" C(
              "v2") " 10.0.0.2:80\n" BASE,
          NULL },
        /* the first definition of a name wins, the oldest policy wins */
        { BACKENDS RULE("name: a, namespace: ns",
                        "host: s, subsets: [{name: v1, labels: {version: v1}}]")
              RULE("name: b, namespace: ns",
                   "host: s.ns.svc.cluster.local, trafficPolicy: {loadBalancer: {simple: RANDOM}}, "
                   "subsets: [{name: v1, labels: {version: v2}}, {name: v2, labels: {version: "
                   "v2}}]"),
          HOLE "outbound|80|v1|s.ns.svc.cluster.local random 10.0.0.1:80\n"
               "outbound|80|v2|s.ns.svc.cluster.local random 10.0.0.2:80\n"
               "outbound|80||s.ns.svc.cluster.local random 10.0.0.1:80 10.0.0.2:80\n",
          "already defines subset \"v1\"" },
        /* different exportTo: not merged */
        { BACKENDS RULE("name: a, namespace: ns",
                        "host: s, subsets: [{name: v1, labels: {version: v1}}]")
              RULE("name: b, namespace: ns",
                   "host: s, exportTo: [\"*\"], subsets: [{name: v2, labels: {version: v2}}]"),
          HOLE C("v1") " 10.0.0.1:80\n" BASE, NULL },
        /* an exact host hides a wildcard, subsets are not merged */
        { BACKENDS RULE("name: a, namespace: ns",
                        "host: \"*.ns.svc.cluster.local\", subsets: [{name: v1, labels: {version: "
                        "v1}}]") RULE("name: b, namespace: ns",
                                      "host: s, subsets: [{name: v2, labels: {version: v2}}]"),
          HOLE C("v2") " 10.0.0.2:80\n" BASE, NULL },
        { BACKENDS RULE("name: a, namespace: ns",
                        "host: \"*.cluster.local\", subsets: [{name: v1, labels: {version: v1}}]"),
          HOLE C("v1") " 10.0.0.1:80\n" BASE, NULL },
        /* another namespace's rule does not count, the root namespace's is a last resort */
        { BACKENDS RULE(
              "name: a, namespace: far",
              "host: s.ns.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]"),
          HOLE BASE, NULL },
        { BACKENDS RULE(
              "name: a, namespace: istio-system",
              "host: s.ns.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]"),
          HOLE C("v1") " 10.0.0.1:80\n" BASE, NULL },
        { BACKENDS RULE(
              "name: a, namespace: istio-system",
              "host: s.ns.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]")
              RULE("name: b, namespace: ns", "host: s"),
          HOLE BASE, NULL },
    };

    check_rows(rows, LEN(rows), NULL);
}

static void in_ingress(struct bench *b)
{
    b->options.namespace = STR("istio-ingress");
}

TEST(the_gateways_own_namespace_comes_first)
{
    static const struct row rows[] = {
        { BACKENDS RULE(
              "name: a, namespace: istio-ingress",
              "host: s.ns.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]")
              RULE("name: b, namespace: ns",
                   "host: s, subsets: [{name: v2, labels: {version: v2}}]"),
          HOLE C("v1") " 10.0.0.1:80\n" BASE, NULL },
        { BACKENDS RULE("name: b, namespace: ns",
                        "host: s, exportTo: [\".\"], subsets: [{name: v2, labels: {version: v2}}]"),
          HOLE BASE, NULL },
        { BACKENDS RULE(
              "name: b, namespace: ns",
              "host: s, exportTo: [istio-ingress], subsets: [{name: v2, labels: {version: "
              "v2}}]"),
          HOLE C("v2") " 10.0.0.2:80\n" BASE, NULL },
    };

    check_rows(rows, LEN(rows), in_ingress);
}

TEST(policies_are_inherited_by_whole_blocks)
{
#define POLICY(traffic, subset)                                                                    \
    SERVICE(HTTP_PORT)                                                                             \
    RULE("name: d, namespace: ns", "host: s, trafficPolicy: {" traffic                             \
                                   "}, subsets: [{name: v1, trafficPolicy: {" subset "}}]")
#define P(subset) "outbound|80|" subset "|s.ns.svc.cluster.local "
    static const struct row rows[] = {
        { POLICY("loadBalancer: {simple: ROUND_ROBIN}, connectionPool: {tcp: {connectTimeout: 2s}}",
                 "loadBalancer: {simple: RANDOM}"),
          HOLE P("v1") "random connect=2000\n" P("") "rr connect=2000\n", NULL },
        { POLICY("connectionPool: {tcp: {connectTimeout: 2s, idleTimeout: 5s}}",
                 "connectionPool: {http: {maxRequestsPerConnection: 1, idleTimeout: 7s}}"),
          HOLE P("v1") "least idle=7000 max=1\n" P("") "least connect=2000 idle=5000\n", NULL },
        { POLICY("loadBalancer: {simple: ROUND_ROBIN}, portLevelSettings: [{port: {number: 80}, "
                 "connectionPool: {tcp: {connectTimeout: 3s}}}]",
                 "loadBalancer: {simple: LEAST_CONN}"),
          HOLE P("v1") "least connect=3000\n" P("") "least connect=3000\n", "" },
        { POLICY("connectionPool: {tcp: {connectTimeout: 2s}}",
                 "portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]"),
          HOLE P("v1") "random\n" P("") "least connect=2000\n", NULL },
        { POLICY("connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 2, "
                 "http2MaxRequests: 3, maxRetries: 4}}",
                 "connectionPool: {tcp: {maxConnections: 5}}"),
          HOLE P("v1") "least limits=5,0,0,0\n" P("") "least limits=1,2,3,4\n", "" },
        { POLICY("loadBalancer: {simple: PASSTHROUGH}", "loadBalancer: {simple: RANDOM}"),
          HOLE P("v1") "random\n" P("") "least\n", "loadBalancer.simple: unsupported" },
        { POLICY("outlierDetection: {}", "loadBalancer: {simple: RANDOM}"),
          HOLE P("v1") "random\n" P("") "least\n",
          "spec.trafficPolicy.outlierDetection: unsupported" },
        /* what asks for TLS is never sent in clear */
        { POLICY("tls: {mode: ISTIO_MUTUAL}", "tls: {mode: DISABLE}"), HOLE P("v1") "least\n",
          "spec.trafficPolicy.tls.mode: unsupported" },
        { POLICY("tls: {mode: SIMPLE}", "tls: {mode: DISABLE}"),
          HOLE P("v1") "least\n" P("") "least tls= ca=file-root:system(missing)\n", NULL },
        { POLICY("tls: {mode: SIMPLE, sni: A.test, subjectAltNames: [b, c], caCertificates: /ca}",
                 "tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /ca, "
                 "caCrl: /crl}"),
          HOLE
              P("v1") "least tls= ca=file-root:/ca~/crl(missing) cert=file-cert:/c~/k(missing)\n" P(
                  "") "least tls=a.test san=b san=c ca=file-root:/ca(missing)\n",
          "\"/c\" cannot be read" },
        { POLICY("tls: {mode: MUTUAL, credentialName: x}",
                 "tls: {mode: SIMPLE, insecureSkipVerify: true}, connectionPool: {http: "
                 "{h2UpgradePolicy: UPGRADE}}"),
          HOLE P("v1") "least h2 tls= skip alpn=h2\n" P("") "least tls= ca=kubernetes://x-cacert("
                                                            "missing) cert=kubernetes://x(missing)"
                                                            "\n",
          "there is no Secret or Certificate for \"x\"" },
    };

    check_rows(rows, LEN(rows), NULL);
}

static void dev(struct bench *b)
{
    bench_dev(b);
}

TEST(stand_ins_play_workloads_without_endpoints)
{
#define DEPLOYMENT(name, rest)                                                                     \
    META("Deployment", "apps/v1", "namespace: ns, name: " name)                                    \
    "spec: {" rest "selector: {matchLabels: {app: s}}, template: {metadata: {labels: {app: s, "    \
    "version: v1}}, spec: {containers: [{name: c, ports: [{name: web, containerPort: "             \
    "3000}]}]}}}\n"
    struct bench b;
    const struct mesh_summary *sum;

    bench_init(&b);
    dev(&b);
    bench_load(&b, SERVICE(HTTP_PORT) DEPLOYMENT("d", "replicas: 3, "));
    sum = mesh_summary(b.mesh);
    CHECK_EQ(sum->stand_in_count, 1);
    CHECK_STRZ(sum->stand_ins[0].name, "d");
    CHECK_STRZ(sum->stand_ins[0].version, "v1");
    CHECK_EQ(sum->stand_ins[0].replicas, 3);
    CHECK_STRZ(
        str_of(bench_text(&b, PART_HOSTS)),
        "outbound|80||s.ns.svc.cluster.local from stand-in: d/ns/s/v1 d/ns/s/v1 d/ns/s/v1\n");
    bench_load(&b, SERVICE(HTTP_PORT) DEPLOYMENT("d", "replicas: 0, "));
    CHECK_STRZ(str_of(bench_text(&b, PART_CLUSTER)), HOLE C("") "\n");
    bench_load(&b, SERVICE(HTTP_PORT) DEPLOYMENT("d", "") ENTRIES);
    CHECK_EQ(mesh_summary(b.mesh)->stand_in_count, 0);
    CHECK_STRZ(str_of(bench_text(&b, PART_CLUSTER)), HOLE C("") " 10.0.3.1:80*3\n");
    bench_load(&b, TARGET("web") DEPLOYMENT("d", ""));
    CHECK_EQ(mesh_summary(b.mesh)->stand_in_count, 1);
    bench_load(&b, TARGET("nope") DEPLOYMENT("d", ""));
    CHECK(bench_notes(&b, "no container port is named \"nope\"")[0]);
    bench_fini(&b);
    bench_init(&b); /* without --dev there are none */
    bench_load(&b, SERVICE(HTTP_PORT) DEPLOYMENT("d", "replicas: 3, "));
    CHECK_STRZ(str_of(bench_text(&b, PART_CLUSTER)), HOLE C("") "\n");
    bench_fini(&b);
}

TEST(http2_is_spoken_where_port_or_policy_says_so)
{
    static const struct row rows[] = {
        { SERVICE("ports: [{name: grpc-x, port: 80}]"),
          HOLE "outbound|80||s.ns.svc.cluster.local least h2\n", NULL },
        { SERVICE("ports: [{name: web, port: 80, appProtocol: kubernetes.io/h2c}]"),
          HOLE "outbound|80||s.ns.svc.cluster.local least h2\n", NULL },
        { SERVICE("ports: [{name: http, port: 80}]")
              RULE("name: d, namespace: ns",
                   "host: s, trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}"),
          HOLE "outbound|80||s.ns.svc.cluster.local least h2\n", NULL },
        { SERVICE("ports: [{name: tcp, port: 80}]")
              RULE("name: d, namespace: ns",
                   "host: s, trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}"),
          HOLE "outbound|80||s.ns.svc.cluster.local least\n", NULL },
    };

    check_rows(rows, LEN(rows), NULL);
}

TEST(services_may_be_exported_to_some_namespaces_only)
{
    static const struct row rows[] = {
        { META(
              "Service", "v1",
              "name: s, namespace: ns, annotations: {networking.istio.io/exportTo: \".\"}") "spec: "
                                                                                            "{ports"
                                                                                            ": "
                                                                                            "[{"
                                                                                            "port: "
                                                                                            "80}]}"
                                                                                            "\n",
          HOLE, NULL },
        { META("Service", "v1",
               "name: s, namespace: ns, annotations: {networking.istio.io/exportTo: \"a, "
               "istio-ingress\"}") "spec: {ports: [{port: 80}]}\n",
          HOLE "outbound|80||s.ns.svc.cluster.local least\n", NULL },
    };

    check_rows(rows, LEN(rows), in_ingress);
}

TEST(an_external_name_stands_for_a_host_of_the_registry)
{
    static const struct row rows[] = {
        { META("Service", "v1",
               "name: s, namespace: ns") "spec: {type: ExternalName, externalName: "
                                         "x.test, ports: [{port: 80}]}\n" SE(
                                             "hosts: [x.test], resolution: STATIC, ports: "
                                             "[{number: 80, name: h, protocol: HTTP}], endpoints: "
                                             "[{address: 10.0.0.1}]"),
          HOLE C("") " 10.0.0.1:80\n" X " 10.0.0.1:80\n", NULL },
        { META("Service", "v1",
               "name: s, namespace: ns") "spec: {type: ExternalName, externalName: "
                                         "y.test, ports: [{port: 80}]}\n",
          HOLE C("") "\n", "spec.externalName: unsupported" },
    };

    check_rows(rows, LEN(rows), NULL);
}

/* Design 5.5: a security policy without a last good version denies its scope. */
TEST(a_rule_that_never_was_good_and_may_ask_for_tls_forbids_clear_text)
{
    static const char world[] =
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"
        "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n"
        "spec: {hosts: [a.x], gateways: [gw], http: [{route: [{destination: {host: s}}]}]}\n"
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
        "spec: {ports: [{name: http, port: 80}]}\n";
    static const struct {
        const char *rules; /* name, spec */
        bool forbids;
    } cases[] = {
        { "r}\nspec: {host: s, trafficPolicy: {tls: {mode: MAYBE}}}", true },
        { "r}\nspec: {host: '*.default.svc.cluster.local', trafficPolicy: {tls: [1]}}", true },
        { "r}\nspec: {host: s, trafficPolicy: {tls: {mode: MAYBE}}}\n---\napiVersion: "
          "networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: s, "
          "trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
          false }, /* the older one would be in effect */
        { "a}\nspec: {host: s, trafficPolicy: {tls: {mode: MAYBE}}}\n---\napiVersion: "
          "networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: r}\nspec: {host: s, "
          "trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
          true },
        { "r}\nspec: {host: s, trafficPolicy: {loadBalancer: {simple: MAYBE}}}", false },
        { "r}\nspec: {host: other, trafficPolicy: {tls: {mode: MAYBE}}}", false },
        { "r}\nspec: {host: s, workloadSelector: {matchLabels: {a: b}}, trafficPolicy: {tls: "
          "{mode: MAYBE}}}\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
          "metadata: {name: a}\nspec: {host: s, trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
          true }, /* one with a selector comes before the older one */
        { "r, namespace: far}\nspec: {host: s.default.svc.cluster.local, trafficPolicy: {tls: "
          "{mode: MAYBE}}}",
          false }, /* nobody looks there */
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct bench b;
        char rules[1024];

        CASE(i);
        snprintf(rules, sizeof(rules),
                 "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: %s\n",
                 cases[i].rules);
        bench_init(&b);
        bench_file(&b, "world.yaml", world);
        bench_update(&b);
        CHECK(strstr(bench_routes(&b, "http.80/a.x"), "(NC)") == NULL);
        bench_file(&b, "rules.yaml", rules);
        bench_update(&b);
        CHECK_EQ(strstr(bench_routes(&b, "http.80/a.x"), "(NC)") != NULL, cases[i].forbids);
        CHECK_EQ(bench_notes(&b, "is broken, and it may ask for TLS: its requests are answered "
                                 "503 NC until it is mended")[0] != 0,
                 cases[i].forbids);
        bench_remove(&b, "rules.yaml");
        bench_update(&b);
        CHECK(strstr(bench_routes(&b, "http.80/a.x"), "(NC)") == NULL);
        bench_fini(&b);
    }
}

/* What forbids makes all services anew: one that goes with it takes its routes along. */
TEST(a_service_may_go_as_a_broken_rule_comes)
{
    static const char world[] =
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"
        "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n"
        "spec: {hosts: [a.x], gateways: [gw], http: [{route: [{destination: {host: s, port: "
        "{number: 80}}}]}]}\n";
    struct bench b;

    bench_init(&b);
    bench_file(&b, "world.yaml", world);
    bench_file(&b, "s.yaml", META("Service", "v1", "name: s") "spec: {ports: [{port: 80}]}\n");
    bench_update(&b);
    CHECK(strstr(bench_routes(&b, "http.80/a.x"), "(NC)") == NULL);
    bench_file(&b, "s.yaml",
               META("DestinationRule", "networking.istio.io/v1",
                    "name: r") "spec: {host: other, trafficPolicy: {tls: {mode: MAYBE}}}\n");
    bench_update(&b);
    CHECK(strstr(bench_routes(&b, "http.80/a.x"), "(NC)") != NULL);
    CHECK(bench_notes(&b, "there is no Service or ServiceEntry")[0]);
    bench_fini(&b);
}

/* Whichever of them was made last. */
TEST(of_services_that_nearly_fit_the_same_one_is_told)
{
    static const char *const ports[] = { "80", "81" };
    struct bench b;

    bench_init(&b);
    bench_file(&b, "world.yaml",
               META("Gateway", "networking.istio.io/v1",
                    "name: gw") "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, "
                                "hosts: ['*']}]}\n" META(
                                    "VirtualService", "networking.istio.io/v1",
                                    "name: v") "spec: {hosts: [a.x], gateways: [gw], http: "
                                               "[{route: [{destination: {host: "
                                               "s}}]}]}\n" META(
                                                   "Service", "v1",
                                                   "name: s, namespace: b") "spec: {ports: [{port: "
                                                                            "80}]}\n");
    for (size_t i = 0; i < LEN(ports); i++) {
        char service[256];

        CASE(i);
        snprintf(service, sizeof(service),
                 META("Service", "v1", "name: s, namespace: a") "spec: {ports: [{port: %s}]}\n",
                 ports[i]);
        bench_file(&b, "a.yaml", service);
        bench_update(&b);
        CHECK(bench_notes(&b, "Service a/s is there: write s.a.svc.cluster.local")[0]);
    }
    bench_fini(&b);
}
