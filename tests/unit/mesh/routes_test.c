#include "unit/check.h"
#include "unit/mesh/bench.h"

#define GATEWAY(hosts)                                                                             \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: ns}\n"     \
    "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [" hosts "]}]}\n"
#define VS_META(meta, spec)                                                                        \
    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {" meta "}\n"        \
    "spec: {gateways: [ns/gw], " spec "}\n"
#define VS(name, spec) VS_META("namespace: ns, name: " name, spec)
#define OK(name) "{name: " name ", directResponse: {status: 200}}"
#define AT(name, path)                                                                             \
    "{name: " name ", match: [{uri: {prefix: " path "}}], directResponse: {status: 200}}"

struct row {
    const char *yaml, *domains, *note; /* note NULL: none at all; "": any */
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct bench b;

        CASE(i);
        bench_init(&b);
        bench_load(&b, rows[i].yaml);
        CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), rows[i].domains);
        if (!rows[i].note)
            CHECK_STRZ(str_of(bench_notes(&b, "")), "");
        else if (!bench_notes(&b, rows[i].note)[0])
            CHECK_STRZ(str_of(bench_notes(&b, "")), rows[i].note);
        bench_fini(&b);
    }
}

TEST(hosts_are_those_that_gateway_and_virtual_service_share)
{
    static const struct row rows[] = {
        { GATEWAY("a.x, b.x") VS("v", "hosts: [b.x, a.x], http: [" OK("r") "]"),
          "http.80: a.x b.x\n", NULL },
        { GATEWAY("\"*\"") VS("v", "hosts: [a.x, short], http: [" OK("r") "]"),
          "http.80: a.x short.ns.svc.cluster.local\n", NULL },
        { GATEWAY("\"*.x\"") VS("v", "hosts: [A.x, \"*.b.x\", x], http: [" OK("r") "]"),
          "http.80: *.b.x a.x\n", NULL },
        { GATEWAY("a.x, b.x") VS("v", "hosts: [\"*.x\"], http: [" OK("r") "]"),
          "http.80: a.x b.x\n", NULL },
        { GATEWAY("ns/a.x") VS("v", "hosts: [a.x], http: [" OK("r") "]"), "http.80: a.x\n", NULL },
        { GATEWAY("./a.x") VS("v", "hosts: [a.x], http: [" OK("r") "]"), "http.80: a.x\n", NULL },
        { GATEWAY("other/a.x") VS("v", "hosts: [a.x], http: [" OK("r") "]"), "http.80: *\n",
          "none of these hosts is one of the Gateway's" },
        { GATEWAY("a.x") VS("v", "hosts: [c.x], http: [" OK("r") "]"), "http.80: *\n",
          "none of these hosts is one of the Gateway's" },
        { GATEWAY("a.x") VS_META("name: v, namespace: far", "hosts: [a.x], http: [" OK("r") "]"),
          "http.80: a.x\n", NULL },
        { GATEWAY("a.x") VS_META("name: v, namespace: far",
                                 "hosts: [a.x], exportTo: [\".\"], http: [" OK("r") "]"),
          "http.80: a.x\n", "exportTo is measured as if" },
        { GATEWAY("a.x") VS_META("name: v, namespace: far",
                                 "hosts: [a.x], exportTo: [elsewhere], http: [" OK("r") "]"),
          "http.80: *\n", "" },
        { GATEWAY("a.x") "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
                         "metadata: {name: v, namespace: ns}\n"
                         "spec: {gateways: [gw, nowhere], hosts: [a.x], http: [" OK("r") "]}\n",
          "http.80: a.x\n", "spec.gateways[1]: there is no Gateway ns/nowhere" },
        { GATEWAY("a.x") "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
                         "metadata: {name: v, namespace: ns}\n"
                         "spec: {hosts: [a.x], http: [" OK("r") "]}\n",
          "http.80: *\n", "names no Gateway" },
    };

    check_rows(rows, LEN(rows));
}

TEST(exports_are_measured_from_the_gateways_own_namespace)
{
    struct bench b;

    bench_init(&b);
    b.options.namespace = STR("istio-ingress");
    bench_load(&b,
               GATEWAY("a.x, b.x") VS("v", "hosts: [a.x], exportTo: [\".\"], http: [" OK("r") "]")
                   VS("w", "hosts: [b.x], exportTo: [istio-ingress], http: [" OK("r") "]"));
    CHECK_STRZ(str_of(bench_text(&b, PART_ROUTES)), "http.80: b.x\n");
    bench_fini(&b);
}

struct routes_row {
    const char *yaml, *routes, *note;
};

static void check_routes(const struct routes_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct bench b;

        CASE(i);
        bench_init(&b);
        bench_load(&b, rows[i].yaml);
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), rows[i].routes);
        if (!rows[i].note)
            CHECK_STRZ(str_of(bench_notes(&b, "")), "");
        else if (!bench_notes(&b, rows[i].note)[0])
            CHECK_STRZ(str_of(bench_notes(&b, "")), rows[i].note);
        bench_fini(&b);
    }
}

TEST(virtual_services_of_one_host_are_merged_by_age_and_catch_alls_go_last)
{
    static const struct routes_row rows[] = {
        /* by name, then namespace, where nothing has an age */
        { GATEWAY("a.x") VS("w", "hosts: [a.x], http: [" AT("w1", "/w") "]")
              VS("v", "hosts: [a.x], http: [" AT("v1", "/v") "]")
                  VS_META("name: v, namespace: aa", "hosts: [a.x], http: [" AT("v0", "/v") "]"),
          "v0 path^/v -> direct 200 \nv1 path^/v -> direct 200 \nw1 path^/w -> direct 200 \n",
          NULL },
        /* the oldest first; without an age youngest */
        { GATEWAY("a.x")
              VS_META("name: young, namespace: ns", "hosts: [a.x], http: [" AT("r1", "/") "]")
                  VS_META("name: old, namespace: ns, creationTimestamp: 2020-01-01T00:00:00Z",
                          "hosts: [a.x], http: [" AT("r2", "/b") "]")
                      VS_META("name: older, namespace: ns, creationTimestamp: "
                              "2019-01-01T00:00:00Z",
                              "hosts: [a.x], http: [" AT("r3", "/b") "]"),
          "r3 path^/b -> direct 200 \nr2 path^/b -> direct 200 \nr1 path^/ -> direct 200 \n",
          NULL },
        /* a catch-all anywhere moves behind the others' rules */
        { GATEWAY("a.x") VS("v", "hosts: [a.x], http: [" AT("v1", "/v") ", " OK("all") "]")
              VS("w", "hosts: [a.x], http: [" AT("w1", "/w") ", " OK("all2") "]"),
          "v1 path^/v -> direct 200 \nw1 path^/w -> direct 200 \nall -> direct 200 \n"
          "all2 -> direct 200 \n",
          NULL },
        /* what follows a catch-all in its own VirtualService is dropped */
        { GATEWAY("a.x") VS("v", "hosts: [a.x], http: [" OK("all") ", " AT("never", "/v") "]"),
          "all -> direct 200 \n", "spec.http[1]: is never reached" },
        { GATEWAY("a.x") VS("v", "hosts: [a.x], http: [{name: r, match: [{uri: {regex: .*}}, "
                                 "{uri: {exact: /x}}], directResponse: {status: 200}}]"),
          "r path~.* -> direct 200 \n", "spec.http[0].match[1]: is never reached" },
        /* a condition beside the path makes it no catch-all */
        { GATEWAY("a.x")
              VS("v", "hosts: [a.x], http: [{name: r, match: [{uri: {prefix: /}, method: "
                      "{exact: GET}}], directResponse: {status: 200}}, " OK("s") "]"),
          "r path^/ method=GET -> direct 200 \ns -> direct 200 \n", NULL },
        /* more specific host: it alone decides */
        { GATEWAY("\"*\"") VS("v", "hosts: [\"*\"], http: [" AT("v1", "/v") "]")
              VS("w", "hosts: [a.x], http: [" AT("w1", "/w") "]"),
          "w1 path^/w -> direct 200 \n", NULL },
    };

    check_routes(rows, LEN(rows));
}

#define RULE(rule) GATEWAY("a.x") VS("v", "hosts: [a.x], http: [" rule "]")
#define MATCH(match) RULE("{match: [" match "], directResponse: {status: 200}}")

TEST(matches_become_matchers)
{
    static const struct routes_row rows[] = {
        { MATCH("{uri: {exact: /a}}"), "path=/a -> direct 200 \n", NULL },
        { MATCH("{uri: {prefix: /a}, ignoreUriCase: true}"), "path^/a(nocase) -> direct 200 \n",
          NULL },
        { MATCH("{uri: {regex: /a+}, ignoreUriCase: true}"), "path~/a+ -> direct 200 \n", NULL },
        { MATCH("{scheme: {exact: http}, authority: {prefix: a}}"),
          "authority^a scheme=http -> direct 200 \n", NULL },
        { MATCH("{headers: {X-A: {exact: b}, x-c: {}}}"), "x-a=b x-c? -> direct 200 \n", NULL },
        { MATCH("{withoutHeaders: {x-a: {}, x-b: {regex: \"*\"}}}"), "!x-a? !x-b? -> direct 200 \n",
          NULL },
        { MATCH("{queryParams: {q: {exact: \"\"}, r: {regex: \"[0-9]+\"}}}"),
          "?q= ?r~[0-9]+ -> direct 200 \n", NULL },
        { MATCH("{port: 80, uri: {prefix: /a}}"), "path^/a -> direct 200 \n", NULL },
        { MATCH("{port: 81, uri: {prefix: /a}}, {uri: {prefix: /b}}"), "path^/b -> direct 200 \n",
          NULL },
        { MATCH("{gateways: [gw], uri: {prefix: /a}}, {gateways: [mesh], uri: {prefix: /b}}"),
          "path^/a -> direct 200 \n", "" },
        { MATCH("{sourceLabels: {a: b}, uri: {prefix: /a}}"), "path^/a -> direct 200 \n", NULL },
        { MATCH("{name: m, uri: {prefix: /a}}"), "m path^/a -> direct 200 \n", NULL },
        { RULE("{name: r, match: [{name: m, uri: {prefix: /a}}], directResponse: {status: 200}}"),
          "r.m path^/a -> direct 200 \n", NULL },
        { MATCH("{headers: {\"@request.auth.claims.role\": {exact: admin}}}, {uri: {prefix: /b}}"),
          "path^/b -> direct 200 \n", "no token is verified yet" },
    };

    check_routes(rows, LEN(rows));
}

TEST(replies_made_here)
{
    static const struct routes_row rows[] = {
        { RULE("{directResponse: {status: 404, body: {string: gone}}}"), "-> direct 404 gone\n",
          NULL },
        { RULE("{directResponse: {status: 200, body: {bytes: aGk=}}}"), "-> direct 200 hi\n",
          NULL },
        { RULE("{redirect: {authority: b.x, uri: /y}}"), "-> redirect 301 ://b.x:0/y\n", NULL },
        { RULE("{redirect: {scheme: https, redirectCode: 308}}"), "-> redirect 308 https://:0\n",
          NULL },
        { RULE("{redirect: {port: 8000}}"), "-> redirect 301 ://:8000\n", NULL },
        { RULE("{match: [{uri: {prefix: /a}}], redirect: {prefixRewrite: /b}}"),
          "path^/a -> direct 500 redirect.prefixRewrite is not carried out yet\n\n",
          "spec.http[0].redirect.prefixRewrite: unsupported" },
        { RULE("{redirect: {derivePort: FROM_REQUEST_PORT}}"), "-> redirect 301 ://:0\n",
          "unsupported: FROM_REQUEST_PORT" },
    };

    check_routes(rows, LEN(rows));
}

#define SERVICE                                                                                    \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ns}\n"                     \
    "spec: {ports: [{port: 80}]}\n"                                                                \
    "---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: s, namespace: ns}\n"                   \
    "subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]\n"
#define TO(rest) RULE("{route: [{destination: {host: s}}]" rest "}") SERVICE
#define S "outbound|80||s.ns.svc.cluster.local"

TEST(timeouts_and_retries)
{
    static const struct routes_row rows[] = {
        { TO(""), "-> " S "*1\n", NULL },
        { TO(", timeout: 1.5s"), "-> " S "*1 timeout=1500\n", NULL },
        { TO(", retries: {attempts: 0}"), "-> " S "*1 retry=0/0/0\n", NULL },
        { TO(", retries: {attempts: 5}"), "-> " S "*1 retry=5/15/1\n", NULL },
        { TO(", retries: {attempts: 1, retryOn: \"connect-failure,cancelled\"}"),
          "-> " S "*1 retry=1/9/1\n", NULL },
        { TO(", retries: {attempts: 1, retryOn: \"5xx,connect-failure\"}"),
          "-> " S "*1 retry=1/17/1\n", NULL },
        { TO(", retries: {attempts: 1, retryOn: \"503,envoy-ratelimited\"}"),
          "-> " S "*1 retry=1/512/1\n", "retries.retryOn: unsupported: \"envoy-ratelimited\"" },
        { TO(", retries: {attempts: 1, perTryTimeout: 1s}"), "-> " S "*1 retry=1/15/1\n", NULL },
    };

    check_routes(rows, LEN(rows));
}

TEST(weights_and_destinations)
{
    static const struct routes_row rows[] = {
        { RULE("{route: [{destination: {host: s}, weight: 7}]}") SERVICE, "-> " S "*1\n", NULL },
        { RULE("{route: [{destination: {host: s}, weight: 7}, {destination: {host: s, port: "
               "{number: 80}}, weight: 3}]}") SERVICE,
          "-> " S "*7 " S "*3\n", NULL },
        { RULE("{route: [{destination: {host: s}, weight: 0}, {destination: {host: s.ns.svc."
               "cluster.local}, weight: 3}]}") SERVICE,
          "-> " S "*3\n", NULL },
        { RULE("{route: [{destination: {host: nobody}}]}"),
          "-> outbound|80||nobody.ns.svc.cluster.local(NC)*1\n",
          "route[0].destination.host: there is no Service or ServiceEntry" },
        { RULE("{route: [{destination: {host: s, port: {number: 81}}}]}") SERVICE,
          "-> outbound|81||s.ns.svc.cluster.local(NC)*1\n", "has no port 81" },
        { RULE("{route: [{destination: {host: s, subset: v9}}]}") SERVICE,
          "-> outbound|80|v9|s.ns.svc.cluster.local(NC)*1\n",
          "no DestinationRule defines subset \"v9\"" },
    };

    check_routes(rows, LEN(rows));
}

TEST(header_operations_are_lines_of_the_filter)
{
    static const struct routes_row rows[] = {
        { TO(", headers: {request: {set: {b: \"2\", a: \"1\"}, add: {c: \"3\"}, remove: [d]}, "
             "response: {remove: [e]}}"),
          "-> " S "*1 [request remove d] [response remove e] [request set a: 1] [request set b: 2] "
          "[request add c: 3]\n",
          NULL },
        { RULE("{headers: {request: {set: {a: route}}}, route: [{destination: {host: s}, headers: "
               "{request: {set: {a: dest}, remove: [z]}}}]}") SERVICE,
          "-> " S "*1 [request remove z] [request set a: route] [request set a: dest] "
          "[request set a: route]\n",
          NULL },
        { TO(", headers: {request: {set: {Host: b.x, a: \"%REQ(b)%\"}}}"),
          "-> " S "*1 [request host b.x]\n", "commands between % signs" },
        { TO(", rewrite: {uri: /b, authority: c.x}, headers: {request: {set: {Host: b.x}}}"),
          "-> " S "*1 rewrite >/b [request host c.x]\n", NULL },
        { TO(", rewrite: {uriRegexRewrite: {match: /a, rewrite: /b}}"),
          "-> " S "*1 rewrite /a>/b\n", NULL },
    };

    check_routes(rows, LEN(rows));
}

TEST(faults_are_lines_of_the_filter)
{
    static const struct routes_row rows[] = {
        { TO(", fault: {delay: {percentage: {value: 0.5}, fixedDelay: 2s}, abort: {percentage: "
             "{value: 100}, httpStatus: 503}}"),
          "-> " S "*1 [delay 5000 2000] [abort 1000000 http 503]\n", NULL },
        { TO(", fault: {abort: {percentage: {value: 10}, grpcStatus: UNAVAILABLE}}"),
          "-> " S "*1 [abort 100000 grpc 14]\n", NULL },
        { TO(", fault: {delay: {percent: 7, fixedDelay: 1ms}}"), "-> " S "*1 [delay 70000 1]\n",
          "deprecated" },
        { TO(", fault: {abort: {httpStatus: 500}}"), "-> " S "*1\n", "which means 0" },
    };

    check_routes(rows, LEN(rows));
}

TEST(cors_policies_are_lines_of_the_filter)
{
    static const struct routes_row rows[] = {
        { TO(", corsPolicy: {allowOrigins: [{exact: \"https://a.x\"}, {prefix: b}, {regex: "
             "\".*\"}], "
             "allowMethods: [GET, PUT], allowHeaders: [x-a], exposeHeaders: [x-e, x-f], maxAge: "
             "60s, allowCredentials: true, unmatchedPreflights: IGNORE}"),
          "-> " S "*1 [origin exact https://a.x] [origin prefix b] [origin regex .*] [methods "
          "GET,PUT] [headers x-a] [expose x-e,x-f] [max-age 60] [credentials]\n",
          NULL },
        { TO(", corsPolicy: {allowOrigins: [{exact: \"*\"}]}"),
          "-> " S "*1 [origin exact *] [forward]\n", NULL },
    };

    check_routes(rows, LEN(rows));
}

TEST(mirrors_are_clusters_with_a_share)
{
    static const struct routes_row rows[] = {
        { TO(", mirror: {host: s}"), "-> " S "*1 mirror " S "*1000000\n", NULL },
        { TO(", mirror: {host: s}, mirrorPercentage: {value: 0.5}"),
          "-> " S "*1 mirror " S "*5000\n", NULL },
        { TO(", mirror: {host: s}, mirrorPercentage: {value: 0}"), "-> " S "*1\n", NULL },
        { TO(", mirrors: [{destination: {host: s}, percentage: {value: 10}}, {destination: {host: "
             "s}}]"),
          "-> " S "*1 mirror " S "*100000 mirror " S "*1000000\n", NULL },
    };

    check_routes(rows, LEN(rows));
}

TEST(fields_that_are_not_carried_out_are_said_at_their_place)
{
    static const char *const rows[][2] = {
        { "retries: {attempts: 2, retryRemoteLocalities: true}",
          "VirtualService ns/v: spec.http[0].retries.retryRemoteLocalities: unsupported" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct bench b;
        char yaml[2048];

        CASE(i);
        snprintf(yaml, sizeof(yaml), "%s", TO(""));
        bench_init(&b);
        b.options.strict = true;
        bench_load(&b, yaml);
        CHECK_EQ(b.verdict, MESH_NEW);
        snprintf(yaml, sizeof(yaml),
                 GATEWAY("a.x") "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
                                "metadata: {name: v, namespace: ns}\n"
                                "spec: {gateways: [ns/gw], hosts: [a.x], http: [{%s, route: "
                                "[{destination: {host: s}}]}]}\n" SERVICE,
                 rows[i][0]);
        bench_load(&b, yaml);
        CHECK_EQ(b.verdict, MESH_REFUSED);
        if (!bench_notes(&b, rows[i][1])[0])
            CHECK_STRZ(str_of(bench_notes(&b, "")), rows[i][1]);
        CHECK_STRZ(str_of(bench_routes(&b, "http.80/a.x")), "-> " S "*1\n");
        bench_fini(&b);
    }
}
