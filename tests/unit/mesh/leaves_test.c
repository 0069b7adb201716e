/* No field is ignored in silence: each leaf that the tables call carried out changes what is
 * compiled, or a note names it. */
#include "api/schema.h"
#include "mesh/verdict.h"
#include "unit/check.h"
#include "unit/mesh/bench.h"

#include <stdlib.h>

#define ISTIO(kind, name, ns)                                                                      \
    "---\napiVersion: networking.istio.io/v1\nkind: " kind "\nmetadata: {name: " name              \
    ", namespace: " ns "}\nspec:\n"
#define SERVICE(name, ports)                                                                       \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: app}\n"             \
    "spec: {selector: {app: " name "}, ports: " ports "}\n"
#define CERTIFICATE(name)                                                                          \
    "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: " name               \
    ", namespace: ns}\nspec: {secretName: " name ", dnsNames: [a.test], issuerRef: {name: i}}\n"
/* A policy whose numbers all begin with `n`, so that each can be found in the text. */
#define POLICY(n)                                                                                  \
    "loadBalancer: {simple: ROUND_ROBIN}, connectionPool: {tcp: {connectTimeout: " n               \
    "1s, idleTimeout: " n "2s}, http: {maxRequestsPerConnection: " n "3, idleTimeout: " n          \
    "4s, h2UpgradePolicy: DEFAULT}}"

static const char base[] = CERTIFICATE("c") CERTIFICATE("c2")
    ISTIO(
        "Gateway", "gw",
        "ns") "  selector: {app: gw}\n"
              "  servers:\n"
              "  - {port: {number: 8080, name: http, protocol: HTTP}, bind: 127.0.0.1, hosts: "
              "[a.test]}\n"
              "  - {port: {number: 8443, name: https, protocol: HTTPS}, hosts: [a.test], tls: "
              "{mode: SIMPLE, credentialName: c, minProtocolVersion: TLSV1_2, maxProtocolVersion: "
              "TLSV1_3, "
              "cipherSuites: [ECDHE-ECDSA-AES128-GCM-SHA256]}}\n" ISTIO(
                  "VirtualService", "vs",
                  "app") "  exportTo: [\"*\"]\n"
                         "  hosts: [a.test]\n"
                         "  gateways: [ns/gw]\n"
                         "  http:\n"
                         "  - {match: [{uri: {prefix: /m}}], route: [{destination: {host: svc, "
                         "subset: v1, port: "
                         "{number: 80}}, weight: 60}, {destination: {host: other}, weight: 40}], "
                         "timeout: 5s, "
                         "retries: {attempts: 2, retryOn: connect-failure}}\n"
                         "  - {match: [{uri: {prefix: /s81}}], route: [{destination: {host: svc, "
                         "subset: v1, port: "
                         "{number: 81}}}], rewrite: {uriRegexRewrite: {match: x, rewrite: xx}}, "
                         "fault: {delay: {percentage: {value: 1}, fixedDelay: 1s}, abort: "
                         "{percentage: {value: 3}, httpStatus: 500}}}\n"
                         "  - {match: [{uri: {prefix: /t82}}], corsPolicy: {allowOrigin: [c]}, "
                         "route: [{destination: {host: svc}}]}\n"
                         "  - {match: [{uri: {prefix: /t83}}], mirror: {host: svc, subset: v1, "
                         "port: {number: 81}}, mirrorPercentage: {value: 5}, route: [{destination: "
                         "{host: svc}}]}\n"
                         "  - {match: [{uri: {prefix: /t84}}], mirrors: [{destination: {host: svc, "
                         "subset: v1, port: {number: 80}}, percentage: {value: 7}}], route: "
                         "[{destination: {host: svc}}]}\n"
                         "  - {match: [{uri: {prefix: /t80}}], corsPolicy: {allowOrigins: [{exact: "
                         "co}], allowMethods: [GET], allowHeaders: [x-a], exposeHeaders: [x-b], "
                         "maxAge: 60s, allowCredentials: true, unmatchedPreflights: IGNORE}, "
                         "route: [{destination: {host: svc, "
                         "port: {number: 80}}}]}\n"
                         "  - {match: [{uri: {prefix: /t81}}], route: [{destination: {host: svc, "
                         "port: {number: 81}}}]}\n"
                         "  - {match: [{uri: {prefix: /e}}], route: [{destination: {host: se.test, "
                         "subset: e1}}]}\n"
                         "  - {match: [{uri: {prefix: /f}}], route: [{destination: {host: "
                         "se.test}}]}\n"
                         "  - {match: [{uri: {prefix: /w}}], route: [{destination: {host: "
                         "se2.test, subset: w1}}]}\n"
                         "  - {match: [{uri: {prefix: /r}}], redirect: {uri: /n, redirectCode: "
                         "302}}\n"
                         "  - {match: [{uri: {prefix: /d}}], directResponse: {status: 200, body: "
                         "{string: hi}}}\n" SERVICE("svc", "[{name: http, port: 80, targetPort: "
                                                           "8000}, {name: http-81, port: 81}]")
                             SERVICE("other", "[{name: http, port: 80}]") ISTIO("WorkloadEntry", "svc-1", "app") "  {address: 127.0.0.1, labels: {app: svc, version: v1}}\n" ISTIO(
                                 "DestinationRule", "svc",
                                 "app") "  exportTo: [app, ns]\n"
                                        "  host: svc.app.svc.cluster.local\n"
                                        "  trafficPolicy: {" POLICY(
                                            "1") ", portLevelSettings: [{port: {number: "
                                                 "81}, " POLICY("2") "}]}\n"
                                                                     "  subsets: [{name: v1, "
                                                                     "labels: {version: v1}, "
                                                                     "trafficPolicy: {" POLICY("3") ", portLevelSettings: [{port: {number: 81}, " POLICY("4") "}]}}]\n" ISTIO(
                                                                         "ServiceEntry",
                                                                         "se",
                                                                         "app") "  exportTo: "
                                                                                "[\".\", ns]\n"
                                                                                "  hosts: "
                                                                                "[se.test]\n"
                                                                                "  ports: "
                                                                                "[{number: 90, "
                                                                                "name: http, "
                                                                                "protocol: HTTP, "
                                                                                "targetPort: "
                                                                                "9090}]\n"
                                                                                "  resolution: "
                                                                                "STATIC\n"
                                                                                "  endpoints: "
                                                                                "[{address: "
                                                                                "127.0.0.9, ports: "
                                                                                "{http: 9091}, "
                                                                                "labels: {version: "
                                                                                "e1}, locality: "
                                                                                "r/y, "
                                                                                "weight: 3}, "
                                                                                "{address: "
                                                                                "127.0.0.10}]"
                                                                                "\n" ISTIO(
                                                                                    "DestinationRul"
                                                                                    "e",
                                                                                    "se",
                                                                                    "app") "  "
                                                                                           "{host: "
                                                                                           "se."
                                                                                           "test, "
                                                                                           "subsets"
                                                                                           ": "
                                                                                           "[{name:"
                                                                                           " e1, "
                                                                                           "labels:"
                                                                                           " {"
                                                                                           "version"
                                                                                           ": "
                                                                                           "e1}}]}"
                                                                                           "\n" ISTIO(
                                                                                               "Ser"
                                                                                               "vic"
                                                                                               "eEn"
                                                                                               "tr"
                                                                                               "y",
                                                                                               "se"
                                                                                               "2",
                                                                                               "ap"
                                                                                               "p") "  hosts: [se2.test]\n"
                                                                                                    "  ports: [{number: 90, name: http, protocol: HTTP}]\n"
                                                                                                    "  resolution: STATIC\n"
                                                                                                    "  workloadSelector: {labels: {app: wl}}\n" ISTIO(
                                                                                                        "WorkloadEntry",
                                                                                                        "wl",
                                                                                                        "app") "  {address: 127.0.0.11, ports: {http: 9092}, labels: {app: wl, version: w1}, locality: r/z, "
                                                                                                               "weight: 2}\n" ISTIO(
                                                                                                                   "DestinationRule",
                                                                                                                   "se2",
                                                                                                                   "app") "  {host: se2.test, subsets: [{name: w1, labels: {version: w1}}]}\n";

struct row {
    const char *path;      /* as the walk below spells it */
    const char *old, *new; /* what is written instead, at its first place in the base */
};

#define MATCH "uri: {prefix: /m}"
#define AND(more) MATCH, MATCH ", " more
#define TLS_ANCHOR(n)                                                                              \
    "loadBalancer: {simple: ROUND_ROBIN}, connectionPool: {tcp: {connectTimeout: " n "1s"
#define POLICY_ROWS(at, n)                                                                         \
    { at ".loadBalancer.simple",                                                                   \
      "{simple: ROUND_ROBIN}, connectionPool: {tcp: {connectTimeout: " n "1s",                     \
      "{simple: RANDOM}, connectionPool: {tcp: {connectTimeout: " n "1s" },                        \
        { at ".connectionPool.tcp.connectTimeout", "connectTimeout: " n "1s",                      \
          "connectTimeout: 9s" },                                                                  \
        { at ".connectionPool.tcp.idleTimeout",                                                    \
          "idleTimeout: " n "2s}, http: {maxRequestsPerConnection: " n "3, idleTimeout: " n        \
          "4s, ",                                                                                  \
          "idleTimeout: 9s}, http: {maxRequestsPerConnection: " n "3, " },                         \
        { at ".connectionPool.http.maxRequestsPerConnection", "maxRequestsPerConnection: " n "3",  \
          "maxRequestsPerConnection: 9" },                                                         \
        { at ".connectionPool.http.idleTimeout", "idleTimeout: " n "4s", "idleTimeout: 9s" },      \
        { at ".connectionPool.http.h2UpgradePolicy", n "4s, h2UpgradePolicy: DEFAULT",             \
          n "4s, h2UpgradePolicy: UPGRADE" },                                                      \
        { at ".connectionPool.tcp.maxConnections", "idleTimeout: " n "2s}",                        \
          "idleTimeout: " n "2s, maxConnections: 5}" },                                            \
        { at ".connectionPool.http.http1MaxPendingRequests", n "4s, h2UpgradePolicy: DEFAULT",     \
          n "4s, http1MaxPendingRequests: 5" },                                                    \
        { at ".connectionPool.http.http2MaxRequests", n "4s, h2UpgradePolicy: DEFAULT",            \
          n "4s, http2MaxRequests: 5" },                                                           \
        { at ".connectionPool.http.maxRetries", n "4s, h2UpgradePolicy: DEFAULT",                  \
          n "4s, maxRetries: 5" },                                                                 \
        { at ".tls.clientCertificate", TLS_ANCHOR(n),                                              \
          "tls: {mode: MUTUAL, clientCertificate: /a, privateKey: /b}, " TLS_ANCHOR(n) },          \
        { at ".tls.privateKey", TLS_ANCHOR(n),                                                     \
          "tls: {mode: MUTUAL, clientCertificate: /a, privateKey: /c}, " TLS_ANCHOR(n) },          \
        { at ".tls.caCertificates", TLS_ANCHOR(n),                                                 \
          "tls: {mode: SIMPLE, caCertificates: /a}, " TLS_ANCHOR(n) },                             \
        { at ".tls.caCrl", TLS_ANCHOR(n),                                                          \
          "tls: {mode: SIMPLE, caCertificates: /a, caCrl: /b}, " TLS_ANCHOR(n) },                  \
        { at ".tls.credentialName", TLS_ANCHOR(n),                                                 \
          "tls: {mode: SIMPLE, credentialName: c}, " TLS_ANCHOR(n) },                              \
        { at ".tls.subjectAltNames[]", TLS_ANCHOR(n),                                              \
          "tls: {mode: SIMPLE, subjectAltNames: [a.test]}, " TLS_ANCHOR(n) },                      \
        { at ".tls.sni", TLS_ANCHOR(n), "tls: {mode: SIMPLE, sni: a.test}, " TLS_ANCHOR(n) },      \
        { at ".tls.insecureSkipVerify", TLS_ANCHOR(n),                                             \
          "tls: {mode: SIMPLE, insecureSkipVerify: true}, " TLS_ANCHOR(n) },                       \
    {                                                                                              \
        at ".tls.mode", TLS_ANCHOR(n), "tls: {mode: SIMPLE}, " TLS_ANCHOR(n)                       \
    }
#define OPS_ROWS(at, anchor)                                                                       \
    { at ".request.set{}", anchor, anchor ", headers: {request: {set: {x: a}}}" },                 \
        { at ".request.add{}", anchor, anchor ", headers: {request: {add: {x: a}}}" },             \
        { at ".request.remove[]", anchor, anchor ", headers: {request: {remove: [x]}}" },          \
        { at ".response.set{}", anchor, anchor ", headers: {response: {set: {x: a}}}" },           \
        { at ".response.add{}", anchor, anchor ", headers: {response: {add: {x: a}}}" },           \
    {                                                                                              \
        at ".response.remove[]", anchor, anchor ", headers: {response: {remove: [x]}}"             \
    }

static const struct row rows[] = {
    { "Gateway.selector{}", "selector: {app: gw}", "selector: {app: none}" },
    { "Gateway.servers[].port.number", "number: 8080", "number: 8081" },
    { "Gateway.servers[].port.protocol", "protocol: HTTP}", "protocol: TCP}" },
    { "Gateway.servers[].bind", "bind: 127.0.0.1", "bind: 127.0.0.2" },
    { "Gateway.servers[].hosts[]", "bind: 127.0.0.1, hosts: [a.test]",
      "bind: 127.0.0.1, hosts: [b.test]" },
    { "Gateway.servers[].tls.httpsRedirect", "bind: 127.0.0.1",
      "bind: 127.0.0.1, tls: {httpsRedirect: true}" },
    { "Gateway.servers[].tls.mode", "mode: SIMPLE", "mode: MUTUAL" },
    { "Gateway.servers[].tls.credentialName", "credentialName: c,", "credentialName: c2," },
    { "Gateway.servers[].tls.credentialNames[]", "credentialName: c,",
      "credentialNames: [c, c2]," },
    { "Gateway.servers[].tls.serverCertificate", "mode: SIMPLE, credentialName: c,",
      "mode: SIMPLE, serverCertificate: /a, privateKey: /b," },
    { "Gateway.servers[].tls.privateKey", "mode: SIMPLE, credentialName: c,",
      "mode: SIMPLE, serverCertificate: /a, privateKey: /c," },
    { "Gateway.servers[].tls.caCertificates", "mode: SIMPLE, credentialName: c,",
      "mode: MUTUAL, serverCertificate: /a, privateKey: /b, caCertificates: /c," },
    { "Gateway.servers[].tls.caCrl", "mode: SIMPLE, credentialName: c,",
      "mode: MUTUAL, serverCertificate: /a, privateKey: /b, caCertificates: /c, caCrl: /d," },
    { "Gateway.servers[].tls.caCertCredentialName", "mode: SIMPLE, credentialName: c,",
      "mode: MUTUAL, credentialName: c, caCertCredentialName: c2," },
    { "Gateway.servers[].tls.subjectAltNames[]", "mode: SIMPLE, credentialName: c,",
      "mode: MUTUAL, credentialName: c, subjectAltNames: [a]," },
    { "Gateway.servers[].tls.verifyCertificateSpki[]", "mode: SIMPLE, credentialName: c,",
      "mode: MUTUAL, credentialName: c, verifyCertificateSpki: [a]," },
    { "Gateway.servers[].tls.verifyCertificateHash[]", "mode: SIMPLE, credentialName: c,",
      "mode: MUTUAL, credentialName: c, verifyCertificateHash: [a]," },
    { "Gateway.servers[].tls.insecureSkipVerify", "mode: SIMPLE, credentialName: c,",
      "mode: MUTUAL, credentialName: c, insecureSkipVerify: true," },
    { "Gateway.servers[].tls.tlsCertificates[].serverCertificate",
      "mode: SIMPLE, credentialName: c,",
      "mode: SIMPLE, tlsCertificates: [{serverCertificate: /a, privateKey: /b}]," },
    { "Gateway.servers[].tls.tlsCertificates[].privateKey", "mode: SIMPLE, credentialName: c,",
      "mode: SIMPLE, tlsCertificates: [{serverCertificate: /a, privateKey: /c}]," },
    { "Gateway.servers[].tls.minProtocolVersion", "minProtocolVersion: TLSV1_2",
      "minProtocolVersion: TLSV1_3" },
    { "Gateway.servers[].tls.maxProtocolVersion", "maxProtocolVersion: TLSV1_3",
      "maxProtocolVersion: TLSV1_2" },
    { "Gateway.servers[].tls.cipherSuites[]", "AES128", "AES256" },
    { "VirtualService.hosts[]", "  hosts: [a.test]\n  gateways", "  hosts: [c.test]\n  gateways" },
    { "VirtualService.gateways[]", "gateways: [ns/gw]", "gateways: [ns/none]" },
    { "VirtualService.http[].name", "{match: [{" MATCH "}]", "{name: named, match: [{" MATCH "}]" },
    { "VirtualService.http[].match[].name", AND("name: named") },
    { "VirtualService.http[].match[].uri", MATCH, "uri: {exact: /m}" },
    { "VirtualService.http[].match[].scheme", AND("scheme: {exact: https}") },
    { "VirtualService.http[].match[].method", AND("method: {exact: PUT}") },
    { "VirtualService.http[].match[].authority", AND("authority: {exact: a.test}") },
    { "VirtualService.http[].match[].headers{}", AND("headers: {x: {exact: a}}") },
    { "VirtualService.http[].match[].withoutHeaders{}", AND("withoutHeaders: {x: {exact: a}}") },
    { "VirtualService.http[].match[].queryParams{}", AND("queryParams: {x: {exact: a}}") },
    { "VirtualService.http[].match[].ignoreUriCase", AND("ignoreUriCase: true") },
    { "VirtualService.http[].match[].port", AND("port: 8443") },
    { "VirtualService.http[].match[].sourceLabels{}", AND("sourceLabels: {app: none}") },
    { "VirtualService.http[].match[].sourceNamespace", AND("sourceNamespace: none") },
    { "VirtualService.http[].match[].gateways[]", AND("gateways: [ns/none]") },
    { "VirtualService.http[].route[].destination.host", "{host: other}", "{host: none}" },
    { "VirtualService.http[].route[].destination.subset", "subset: v1", "subset: v2" },
    { "VirtualService.http[].route[].destination.port.number", "{number: 80}", "{number: 81}" },
    { "VirtualService.http[].route[].weight", "weight: 60", "weight: 61" },
    OPS_ROWS("VirtualService.http[].route[].headers", "weight: 60"),
    { "VirtualService.http[].redirect.uri", "redirect: {uri: /n", "redirect: {uri: /o" },
    { "VirtualService.http[].redirect.prefixRewrite", "redirect: {uri: /n",
      "redirect: {prefixRewrite: /n" },
    { "VirtualService.http[].redirect.authority", "redirect: {", "redirect: {authority: b.test, " },
    { "VirtualService.http[].redirect.port", "redirect: {", "redirect: {port: 99, " },
    { "VirtualService.http[].redirect.derivePort", "redirect: {",
      "redirect: {derivePort: FROM_REQUEST_PORT, " },
    { "VirtualService.http[].redirect.scheme", "redirect: {", "redirect: {scheme: https, " },
    { "VirtualService.http[].redirect.redirectCode", "redirectCode: 302", "redirectCode: 307" },
    { "VirtualService.http[].directResponse.status", "status: 200", "status: 201" },
    { "VirtualService.http[].directResponse.body.string", "{string: hi}", "{string: ho}" },
    { "VirtualService.http[].directResponse.body.bytes", "{string: hi}", "{bytes: aG8=}" },
    { "VirtualService.http[].rewrite.uri", "timeout: 5s", "timeout: 5s, rewrite: {uri: /x}" },
    { "VirtualService.http[].rewrite.authority", "timeout: 5s",
      "timeout: 5s, rewrite: {authority: x.test}" },
    { "VirtualService.http[].rewrite.uriRegexRewrite.match", "{match: x,", "{match: z," },
    { "VirtualService.http[].rewrite.uriRegexRewrite.rewrite", "rewrite: xx}", "rewrite: yy}" },
    { "VirtualService.http[].fault.delay.percent", "delay: {percentage: {value: 1}, ",
      "delay: {percent: 2, " },
    { "VirtualService.http[].fault.delay.percentage.value", "delay: {percentage: {value: 1}, ",
      "delay: {percentage: {value: 2}, " },
    { "VirtualService.http[].fault.delay.fixedDelay", "fixedDelay: 1s", "fixedDelay: 2s" },
    { "VirtualService.http[].fault.abort.percentage.value", "{percentage: {value: 3}",
      "{percentage: {value: 2}" },
    { "VirtualService.http[].fault.abort.httpStatus", "httpStatus: 500", "httpStatus: 501" },
    { "VirtualService.http[].fault.abort.grpcStatus", "httpStatus: 500", "grpcStatus: ABORTED" },
    { "VirtualService.http[].corsPolicy.allowOrigin[]", "allowOrigin: [c]", "allowOrigin: [d]" },
    { "VirtualService.http[].corsPolicy.allowOrigins[]", "[{exact: co}]",
      "[{exact: co}, {exact: oc}]" },
    { "VirtualService.http[].corsPolicy.allowOrigins[].exact", "{exact: co}", "{exact: ox}" },
    { "VirtualService.http[].corsPolicy.allowOrigins[].prefix", "{exact: co}", "{prefix: co}" },
    { "VirtualService.http[].corsPolicy.allowOrigins[].regex", "{exact: co}", "{regex: co}" },
    { "VirtualService.http[].corsPolicy.allowMethods[]", "allowMethods: [GET]",
      "allowMethods: [PUT]" },
    { "VirtualService.http[].corsPolicy.allowHeaders[]", "allowHeaders: [x-a]",
      "allowHeaders: [x-z]" },
    { "VirtualService.http[].corsPolicy.exposeHeaders[]", "exposeHeaders: [x-b]",
      "exposeHeaders: [x-z]" },
    { "VirtualService.http[].corsPolicy.maxAge", "maxAge: 60s", "maxAge: 61s" },
    { "VirtualService.http[].corsPolicy.allowCredentials", "allowCredentials: true",
      "allowCredentials: false" },
    { "VirtualService.http[].corsPolicy.unmatchedPreflights", "unmatchedPreflights: IGNORE",
      "unmatchedPreflights: FORWARD" },
    { "VirtualService.http[].mirror.host", "mirror: {host: svc,", "mirror: {host: nobody," },
    { "VirtualService.http[].mirror.subset", "subset: v1, port: {number: 81}}, mirrorPercentage",
      "port: {number: 81}}, mirrorPercentage" },
    { "VirtualService.http[].mirror.port.number", "port: {number: 81}}, mirrorPercentage",
      "port: {number: 80}}, mirrorPercentage" },
    { "VirtualService.http[].mirrorPercent", "mirrorPercentage: {value: 5}", "mirrorPercent: 6" },
    { "VirtualService.http[].mirrorPercentage.value", "mirrorPercentage: {value: 5}",
      "mirrorPercentage: {value: 6}" },
    { "VirtualService.http[].mirrors[].destination.host", "mirrors: [{destination: {host: svc",
      "mirrors: [{destination: {host: nobody" },
    { "VirtualService.http[].mirrors[].destination.subset",
      "subset: v1, port: {number: 80}}, percentage", "port: {number: 80}}, percentage" },
    { "VirtualService.http[].mirrors[].destination.port.number", "port: {number: 80}}, percentage",
      "port: {number: 81}}, percentage" },
    { "VirtualService.http[].mirrors[].percentage.value", "percentage: {value: 7}}]",
      "percentage: {value: 8}}]" },
    { "VirtualService.http[].timeout", "timeout: 5s", "timeout: 6s" },
    { "VirtualService.http[].retries.attempts", "attempts: 2", "attempts: 3" },
    { "VirtualService.http[].retries.perTryTimeout", "retryOn: connect-failure",
      "retryOn: connect-failure, perTryTimeout: 1s" },
    { "VirtualService.http[].retries.retryIgnorePreviousHosts", "retryOn: connect-failure",
      "retryOn: connect-failure, retryIgnorePreviousHosts: false" },
    { "VirtualService.http[].retries.backoff", "retryOn: connect-failure",
      "retryOn: connect-failure, backoff: 1s" },
    { "VirtualService.http[].retries.retryOn", "retryOn: connect-failure", "retryOn: 5xx" },
    OPS_ROWS("VirtualService.http[].headers", "timeout: 5s"),
    { "VirtualService.exportTo[]", "exportTo: [\"*\"]", "exportTo: [\".\"]" },
    { "DestinationRule.host", "host: svc.app.svc.cluster.local", "host: none" },
    POLICY_ROWS("DestinationRule.trafficPolicy", "1"),
    { "DestinationRule.trafficPolicy.portLevelSettings[].port.number",
      "{port: {number: 81}, loadBalancer", "{port: {number: 80}, loadBalancer" },
    POLICY_ROWS("DestinationRule.trafficPolicy.portLevelSettings[]", "2"),
    { "DestinationRule.subsets[].name", "{name: v1", "{name: v2" },
    { "DestinationRule.subsets[].labels{}", "{version: v1}, traffic", "{version: v2}, traffic" },
    POLICY_ROWS("DestinationRule.subsets[].trafficPolicy", "3"),
    { "DestinationRule.subsets[].trafficPolicy.portLevelSettings[].port.number",
      "34s, h2UpgradePolicy: DEFAULT}}, portLevelSettings: [{port: {number: 81}",
      "34s, h2UpgradePolicy: DEFAULT}}, portLevelSettings: [{port: {number: 80}" },
    POLICY_ROWS("DestinationRule.subsets[].trafficPolicy.portLevelSettings[]", "4"),
    { "DestinationRule.exportTo[]", "exportTo: [app, ns]", "exportTo: [app]" },
    /* With a selector it is the gateway's namespace alone that may use it. */
    { "DestinationRule.workloadSelector.matchLabels{}",
      "exportTo: [app, ns]\n  host: svc.app.svc.cluster.local\n",
      "host: svc.app.svc.cluster.local\n  workloadSelector: {matchLabels: {app: gw}}\n" },
    { "ServiceEntry.hosts[]", "hosts: [se.test]", "hosts: [none.test]" },
    { "ServiceEntry.ports[].number", "number: 90,", "number: 91," },
    { "ServiceEntry.ports[].protocol", "protocol: HTTP, targetPort",
      "protocol: HTTP2, targetPort" },
    { "ServiceEntry.ports[].name", "name: http, protocol: HTTP}]",
      "name: http-x, protocol: HTTP}]" },
    { "ServiceEntry.ports[].targetPort", "targetPort: 9090", "targetPort: 9099" },
    { "ServiceEntry.resolution", "resolution: STATIC\n  workload", "resolution: NONE\n  workload" },
    { "ServiceEntry.endpoints[].address", "address: 127.0.0.10", "address: 127.0.0.12" },
    { "ServiceEntry.endpoints[].ports{}", "{http: 9091}", "{http: 9099}" },
    { "ServiceEntry.endpoints[].labels{}", "labels: {version: e1}, locality",
      "labels: {version: e2}, locality" },
    { "ServiceEntry.endpoints[].locality", "r/y", "r/x" },
    { "ServiceEntry.endpoints[].weight", "weight: 3", "weight: 4" },
    { "ServiceEntry.workloadSelector.labels{}", "{labels: {app: wl}}", "{labels: {app: none}}" },
    { "ServiceEntry.exportTo[]", "exportTo: [\".\", ns]", "exportTo: [\".\"]" },
    { "WorkloadEntry.address", "127.0.0.11", "127.0.0.12" },
    { "WorkloadEntry.ports{}", "{http: 9092}", "{http: 9099}" },
    { "WorkloadEntry.labels{}", "{app: wl, version: w1}", "{app: wl, version: w2}" },
    { "WorkloadEntry.locality", "r/z", "r/x" },
    { "WorkloadEntry.weight", "weight: 2", "weight: 4" },
    { "Service.selector", "selector: {app: svc}", "selector: {app: none}" },
    { "Service.ports[].port", "port: 80, targetPort: 8000", "port: 82, targetPort: 8000" },
    { "Service.ports[].targetPort", "targetPort: 8000", "targetPort: 8002" },
    { "Service.ports[].appProtocol", "targetPort: 8000", "targetPort: 8000, appProtocol: http2" },
};

/* What the rows write there keeps the rule from the gateway: its verdict is "not applicable", and
 * every_leaf_test shows it effective. */
static const char *const turned_off[] = {
    "VirtualService.http[].match[].sourceLabels{}",
    "VirtualService.http[].match[].sourceNamespace",
    "VirtualService.http[].match[].gateways[]",
    "DestinationRule.workloadSelector.matchLabels{}",
};

static bool is_turned_off(const char *path)
{
    for (size_t i = 0; i < LEN(turned_off); i++)
        if (strcmp(path, turned_off[i]) == 0)
            return true;
    return false;
}

static struct buf changed_text(const struct row *row)
{
    const char *at = strstr(base, row->old);
    struct buf b;

    buf_init(&b, 1 << 20);
    if (!at)
        print_error("%s: the base has no \"%s\"\n", row->path, row->old);
    CHECK(at);
    buf_add(&b, str_make(base, (size_t)(at - base)));
    buf_add(&b, str_of(row->new));
    buf_add(&b, str_of(at + strlen(row->old)));
    buf_addc(&b, 0);
    return b;
}

/* ---- what is told of it ---- */

struct told {
    char want[256]; /* "VirtualService.http[].redirect.port" */
    bool is_effective, is_said;
};

/* "spec.http[0].match[0].headers.x.exact" of a VirtualService, as a row spells it. */
static void spell(const struct verdict *v, char out[static 256])
{
    size_t n = str_find(v->object, ' ');
    bool in_index = false;

    memcpy(out, v->object.p, n);
    for (size_t i = 4; i < v->path.n && n < 250; i++) {
        in_index = v->path.p[i - 1] == '[' || (in_index && v->path.p[i - 1] != ']');
        if (!in_index || v->path.p[i] < '0' || v->path.p[i] > '9')
            out[n++] = v->path.p[i];
    }
    out[n] = 0;
}

static void see(void *arg, const struct verdict *v)
{
    struct told *t = arg;
    char is[256];

    spell(v, is);
    if (strncmp(is, t->want, strlen(t->want)) != 0)
        return;
    t->is_effective |= v->kind == VERDICT_EFFECTIVE;
    t->is_said |= v->note != NULL;
}

/* The verdict of the leaf of a row: it counts as effective, or a note says why not. */
static bool is_told(const struct bench *b, const char *path)
{
    struct told t = { .is_effective = false };
    size_t n;

    snprintf(t.want, sizeof(t.want), "%s", path);
    n = strlen(t.want);
    if (n > 2 && (t.want[n - 1] == ']' || t.want[n - 1] == '}'))
        t.want[n - 2] = 0;
    mesh_each_verdict(b->mesh, &b->notes, see, &t);
    return t.is_effective || t.is_said;
}

/* "VirtualService.http[].redirect.port" -> "port". */
static const char *leaf_name(const char *path, char out[static 64])
{
    const char *dot = strrchr(path, '.');

    snprintf(out, 64, "%.*s", (int)strcspn(dot + 1, "[{"), dot + 1);
    return out;
}

TEST(each_leaf_that_is_carried_out_changes_what_is_compiled_or_is_named_in_a_note)
{
    struct str_entry label = { STR("app"), STR("gw") };
    struct str_map labels = { &label, 1 };
    struct bench b;
    uint64_t before;
    int silent = 0;

    bench_init(&b);
    bench_dev(&b);
    b.options.verdicts = true;
    b.options.namespace = STR("ns");
    b.options.labels = &labels;
    bench_load(&b, base);
    before = root_hash(b.root);
    for (size_t i = 0; i < LEN(rows); i++) {
        struct buf text = changed_text(&rows[i]);
        char name[64];
        bool told;

        CASE(i);
        bench_load(&b, text.p);
        leaf_name(rows[i].path, name);
        if (root_hash(b.root) == before && !strstr(bench_notes(&b, name), ": unsupported: ")) {
            print_error("%s is ignored in silence\n", rows[i].path);
            silent++;
        }
        told = is_told(&b, rows[i].path);
        buf_fini(&text);
        bench_load(&b, base);
        CHECK_EQ(root_hash(b.root), before);
        if (!told && !is_told(&b, rows[i].path) && !is_turned_off(rows[i].path)) {
            print_error("%s counts as without effect\n", rows[i].path);
            silent++;
        }
    }
    CASE(-1);
    CHECK_EQ(silent, 0);
    bench_fini(&b);
}

static bool has_row(const char *path)
{
    for (size_t i = 0; i < LEN(rows); i++)
        if (strcmp(rows[i].path, path) == 0)
            return true;
    return false;
}

static int leaves_without_row(const char *path, const struct api_record *r)
{
    static const char *const marks[] = { "", "[]", "{}" };
    int missing = 0;

    for (size_t i = 0; i < r->n; i++) {
        const struct api_field *f = &r->fields[i];
        char at[256];

        if (f->state != API_YES)
            continue;
        snprintf(at, sizeof(at), "%s.%.*s%s", path, STRF(f->name), marks[f->shape]);
        /* The three ways to match a string are tested where they are compiled. */
        if (f->type == API_MSG && f->record->n && strcmp(f->record->name, "StringMatch") != 0) {
            missing += leaves_without_row(at, f->record);
        } else if (!has_row(at)) {
            print_error("no row for %s\n", at);
            missing++;
        }
    }
    return missing;
}

TEST(each_leaf_that_the_tables_call_carried_out_has_a_row_here)
{
    static const char *const kinds[] = { "Gateway", "VirtualService", "DestinationRule",
                                         "ServiceEntry", "WorkloadEntry" };

    for (size_t i = 0; i < LEN(kinds); i++) {
        const struct api_kind *k = api_kind_find(STR("networking.istio.io"), str_of(kinds[i]));

        CHECK(k);
        CHECK_EQ(leaves_without_row(kinds[i], k->body), 0);
    }
}
