#include "unit/api/manifests.h"

/* istio-api.md 8.1: what a real istioctl and a real API server accept and refuse. */
#define VS                                                                                         \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: "    \
    "web}\nspec:\n"
#define GW                                                                                         \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a, namespace: "           \
    "web}\nspec:\n"
#define DR                                                                                         \
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, namespace: "   \
    "web}\nspec:\n"
#define SE                                                                                         \
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a, namespace: "      \
    "web}\nspec:\n"
#define CE                                                                                         \
    "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a, namespace: "           \
    "web}\nspec:\n"
#define IS                                                                                         \
    "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: a, namespace: web}\nspec:\n"
#define SV "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: web}\nspec:\n"

static const char *const accepted[] = {
    GW "  servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.test], tls: {}}]\n",
    GW "  servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.test], tls: {mode: "
       "SIMPLE, credentialName: x}},{port: {number: 443, name: b, protocol: HTTP}, hosts: "
       "[a.test]}]\n",
    GW "  servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.test], tls: {mode: "
       "SIMPLE, credentialName: x, minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2}}]\n",
    GW "  servers: [{port: {number: 80, name: a, protocol: http}, hosts: [\"*\"], tls: "
       "{httpsRedirect: true}}]\n",
    VS "  hosts: [1.2.3.4]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n",
    VS "  hosts: [a.com, A.com]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{uri: {}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{uri: {prefix: \"\"}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{uri: {exact: \"\"}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{port: 0}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{delegate: {}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n"
       "    fault: {delay: {percent: 101, fixedDelay: 1s}}\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{directResponse: {status: 600}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{redirect: {uri: /x, redirectCode: 0}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{redirect: {uri: /x, redirectCode: 300}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{redirect: {uri: /x, redirectCode: 304}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{redirect: {uri: /x, redirectCode: 399}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{route: [{destination: {host: a}, weight: 3},{destination: {host: b}, weight: "
       "1000}]}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{withoutHeaders: {x: {regex: \"*\"}}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{headers: {x: {}}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    DR "  host: \"*\"\n",
    DR "  host: a\n"
       "  trafficPolicy: {loadBalancer: {}}\n",
    DR "  host: a\n"
       "  trafficPolicy: {outlierDetection: {}}\n",
    DR "  host: a\n"
       "  trafficPolicy: {connectionPool: {tcp: {}}}\n",
    DR "  host: a\n"
       "  trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: x, ttl: -1s}}}}\n",
    DR "  host: a\n"
       "  trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}},{port: "
       "{number: 80}, tls: {mode: SIMPLE}}]}\n",
    DR "  host: a\n"
       "  trafficPolicy: {connectionPool: {tcp: {connectTimeout: .5s, idleTimeout: 5.s, "
       "maxConnectionDuration: +5s}, http: {idleTimeout: 1h1h}}}\n",
    SE "  hosts: [a.test]\n"
       "  resolution: STATIC\n"
       "  ports: [{number: 80, name: http, protocol: HTTP}]\n",
    VS "  hosts: [a.test]\n"
       "  http:\n"
       "  - route:\n"
       "    - destination:\n"
       "        host:\ta\n"
       "      weight:\t0120\n",
    CE "  secretName: c\n"
       "  dnsNames: [a.test]\n"
       "  duration: 90d\n"
       "  privateKey: {size: 512}\n"
       "  issuerRef: {name: x}\n",
    IS "  selfSigned: {}\n"
       "  ca: {secretName: x}\n",
    VS "  hosts: [a.test]\n"
       "  http:\n"
       "  - route: [{destination: {host: a}, weight: \"5\"}]\n",
};

static const char *const refused[] = {
    VS "  hosts: [a.test]\n"
       "  gateways: [\"./gw\"]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n"
       "    retries: {attempts: 1, retryOn: \"5xx, reset\"}\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n"
       "    fault: {abort: {grpcStatus: unavailable}}\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n"
       "    fault: {abort: {grpcStatus: '14'}}\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{route: [{destination: {host: a}},{destination: {host: b}}]}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - route: [{destination: {host: shop}}]\n"
       "    headers: {request: {set: {x: \"100%\"}}}\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{headers: {x: {regex: \"*\"}}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{headers: {x: {prefix: \"\"}}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{headers: {x: null}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    DR "  host: a\n"
       "  subsets: [{name: v1.0}]\n",
    DR "  host: a\n"
       "  trafficPolicy: {}\n",
    SV "  ports: [{port: 80, targetPort: '8080'}]\n",
    SE "  hosts: [\"*.a.test\"]\n"
       "  resolution: DYNAMIC_DNS\n"
       "  ports: [{number: 443, name: a, protocol: HTTPS}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{directResponse: {status: 601}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{uri: {exact: a, prefix: b}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http: [{redirect: {uri: /x, redirectCode: 400}}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{uri: {regex: \"\"}}]\n"
       "    route: [{destination: {host: shop}}]\n",
    VS "  hosts: [a.test]\n"
       "  http: [{route: [{destination: {host: y}}]}]\n",
    SE "  hosts: [a.test, b.test]\n"
       "  resolution: DNS\n"
       "  ports: [{number: 80, name: a}]\n",
    VS "  hosts: [shop.test]\n"
       "  gateways: [edge]\n"
       "  http:\n"
       "  - match: [{uri: {exact: /a}}]\n"
       "    redirect: {prefixRewrite: /b}\n",
};

TEST(what_a_cluster_accepts_is_accepted)
{
    for (size_t i = 0; i < LEN(accepted); i++) {
        struct loaded l = load_text("f.yaml", accepted[i]);

        CASE(i);
        if (l.notes.errors)
            print_error("%.*s", STRF(loaded_notes(&l)));
        CHECK_EQ(l.notes.errors, 0);
        CHECK(!l.objects.v[0]->broken);
        unload(&l);
    }
}

TEST(what_a_cluster_refuses_is_refused)
{
    for (size_t i = 0; i < LEN(refused); i++) {
        struct loaded l = load_text("f.yaml", refused[i]);

        CASE(i);
        CHECK(l.notes.errors > 0);
        CHECK(l.objects.v[0]->broken);
        unload(&l);
    }
}
