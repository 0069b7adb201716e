/* What explain says for each kind of end, near misses and places included. */
#include "unit/answer/world.h"

static const char base[] =
    "apiVersion: networking.istio.io/v1\n"
    "kind: Gateway\n"
    "metadata: {name: gw, namespace: ns}\n"
    "spec:\n"
    "  servers:\n"
    "  - port: {number: 80, name: http, protocol: HTTP}\n"
    "    hosts: [a.x, b.x]\n"
    "  - port: {number: 443, name: https, protocol: HTTPS}\n"
    "    hosts: [a.x]\n"
    "    tls: {mode: SIMPLE, credentialName: c}\n"
    "  - port: {number: 443, name: https-b, protocol: HTTPS}\n"
    "    hosts: [b.x]\n"
    "    tls: {mode: SIMPLE, credentialName: gone}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: Gateway\n"
    "metadata: {name: other, namespace: ns}\n"
    "spec:\n"
    "  servers:\n"
    "  - port: {number: 8080, name: http, protocol: HTTP}\n"
    "    hosts: [c.x]\n"
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
    "  gateways: [gw]\n"
    "  http:\n"
    "  - match: [{uri: {exact: /old}}]\n"
    "    redirect: {uri: /new}\n"
    "  - match: [{uri: {prefix: /h}, headers: {x-v: {exact: '2'}}}]\n"
    "    directResponse: {status: 204}\n"
    "  - match: [{uri: {prefix: /q}, queryParams: {v: {exact: '2'}}}]\n"
    "    directResponse: {status: 204}\n"
    "  - match: [{uri: {prefix: /m}, method: {exact: POST}}]\n"
    "    directResponse: {status: 204}\n"
    "  - match: [{uri: {prefix: /s}, withoutHeaders: {x-v: {}}}]\n"
    "    route: [{destination: {host: s, subset: v9}}]\n"
    "  - match: [{uri: {prefix: /n}}]\n"
    "    route: [{destination: {host: s, subset: none}}]\n"
    "  - match: [{uri: {prefix: /u}}]\n"
    "    route: [{destination: {host: nowhere}}]\n"
    "  - match: [{uri: {prefix: /w}}]\n"
    "    route:\n"
    "    - {destination: {host: s, subset: v1}, weight: 90}\n"
    "    - {destination: {host: s, subset: v9}, weight: 10}\n"
    "  - match: [{uri: {prefix: /w/deep}}]\n"
    "    route: [{destination: {host: s}}]\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: VirtualService\n"
    "metadata: {name: w, namespace: ns}\n"
    "spec: {hosts: [c.x], gateways: [other], http: [{directResponse: {status: 200}}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: s, namespace: ns}\n"
    "spec: {selector: {app: s}, ports: [{name: http, port: 80}]}\n"
    "---\n"
    "apiVersion: networking.istio.io/v1\n"
    "kind: DestinationRule\n"
    "metadata: {name: d, namespace: ns}\n"
    "spec:\n"
    "  host: s\n"
    "  subsets:\n"
    "  - {name: v1, labels: {version: v1}}\n"
    "  - {name: v9, labels: {version: v9}}\n"
    "---\n"
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: s-v1, namespace: ns}\n"
    "spec:\n"
    "  selector: {matchLabels: {app: s}}\n"
    "  template: {metadata: {labels: {app: s, version: v1}}, spec: {containers: [{name: c, image: "
    "i}]}}\n";

struct row {
    const char *url, *header, *first; /* the first line behind the URL */
    const char *parts[3];             /* lines below it; NULL: no more */
};

static struct str told(struct world *w, const struct row *row, struct buf *b)
{
    struct str line = str_of(row->header), why = STR_NONE;
    struct ask *q = ARENA_NEW(&w->arena, struct ask);
    bool fine = ask_parse(STR("GET"), str_of(row->url), &line, row->header ? 1 : 0, &w->arena, q,
                          &why);

    CHECK_STR(why, STR_NONE);
    CHECK(fine);
    buf_reset(b);
    explain_text(explain(w->root, q, &w->arena), b);
    return buf_str(b);
}

static void check_rows(const struct row *rows, size_t n)
{
    struct world w;
    struct buf b;

    worlds_begin();
    buf_init(&b, 1 << 20);
    world_open(&w, str_of(base), false);
    for (size_t i = 0; i < n; i++) {
        struct str text = told(&w, &rows[i], &b);
        struct str rest = text, first = str_cut(&rest, '\n');

        CASE(i);
        CHECK_STRZ(str_from(first, strlen("GET ") + strlen(rows[i].url) + 2), rows[i].first);
        for (size_t k = 0; k < LEN(rows->parts) && rows[i].parts[k]; k++) {
            if (str_find_str(text, str_of(rows[i].parts[k])) == text.n) {
                print_error("no \"%s\" in:\n%.*s\n", rows[i].parts[k], STRF(text));
                CHECK(false);
            }
        }
    }
    world_close(&w);
    buf_fini(&b);
    worlds_end();
}

TEST(a_rule_that_answers_is_told_with_its_place_and_those_before_it)
{
    static const struct row rows[] = {
        { "http://a.x/old",
          NULL,
          "301, to http://a.x/new",
          { "route        rule 1 of 9: path \"/old\"\n",
            "world.yaml:35:13: VirtualService ns/v: spec.http[0].match[0]\n" } },
        { "http://a.x/h",
          "x-v: 2",
          "204, the route's own answer",
          { "route        rule 2 of 9: path prefix \"/h\", header x-v \"2\"\n",
            "near miss    rule 1: the path \"/h\" is not \"/old\"\n" } },
        { "https://a.x/old",
          NULL,
          "301, to https://a.x/new",
          { "certificate  c: for a.x\n", "Certificate ns/c" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_header_that_is_missing_differs_or_should_not_be_there_is_a_near_miss)
{
    static const struct row rows[] = {
        { "http://a.x/h",
          NULL,
          "404, none of the 9 rules of a.x matches [NR route_not_found]",
          { "near miss    rule 2: there is no header \"x-v\"\n",
            "VirtualService ns/v: spec.http[1].match[0].headers.x-v\n" } },
        { "http://a.x/h",
          "x-v: 1",
          "404, none of the 9 rules of a.x matches [NR route_not_found]",
          { "near miss    rule 2: the header \"x-v\" is \"1\": it is not \"2\"\n" } },
        { "http://a.x/s",
          "x-v: 1",
          "404, none of the 9 rules of a.x matches [NR route_not_found]",
          { "near miss    rule 5: there is a header \"x-v\"\n",
            "spec.http[4].match[0].withoutHeaders.x-v\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_method_or_query_parameter_that_differs_is_a_near_miss)
{
    static const struct row rows[] = {
        { "http://a.x/q?v=3",
          NULL,
          "404, none of the 9 rules of a.x matches [NR route_not_found]",
          { "near miss    rule 3: the query parameter \"v\" is \"3\": it is not \"2\"\n" } },
        { "http://a.x/m",
          NULL,
          "404, none of the 9 rules of a.x matches [NR route_not_found]",
          { "near miss    rule 4: the method \"GET\" is not \"POST\"\n",
            "spec.http[3].match[0].method\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_subset_without_endpoints_is_told_with_the_endpoints_it_does_not_take)
{
    static const struct row rows[] = {
        { "http://a.x/s",
          NULL,
          "503, the destination has no healthy endpoint [UH no_healthy_upstream]",
          { "near miss    s-v1, version v1 is an endpoint of the service, but lacks labels of "
            "subset "
            "v9\n",
            "DestinationRule ns/d: spec.subsets[1]\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_destination_that_does_not_exist_is_told_with_what_there_is)
{
    static const struct row rows[] = {
        { "http://a.x/n",
          NULL,
          "503, the destination does not exist [NC cluster_not_found]",
          { "near miss    there is s.ns.svc.cluster.local port 80, subset v1\n" } },
        { "http://a.x/u",
          NULL,
          "503, the destination does not exist [NC cluster_not_found]",
          { "near miss    there is no Service and no ServiceEntry "
            "nowhere.ns.svc.cluster.local\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_rule_shadowed_by_an_earlier_one_is_a_near_miss)
{
    static const struct row rows[] = {
        { "http://a.x/w/deep",
          NULL,
          "forwarded, but not always: a destination cannot answer",
          { "   90 %      s.ns.svc.cluster.local port 80, subset v1\n",
            "   10 %      s.ns.svc.cluster.local port 80, subset v9: 503 UH, the destination has "
            "no "
            "healthy endpoint\n",
            "near miss    rule 9 would match as well: rule 8 stands before it\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_host_that_is_bound_to_another_gateway_is_a_near_miss)
{
    static const struct row rows[] = {
        { "http://c.x/",
          NULL,
          "404, the host c.x is not served here [NR route_not_found]",
          { "near miss    c.x is served on *:8080, clear text, as c.x:8080\n",
            "Gateway ns/other: spec.servers[0]\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_port_without_a_listener_or_of_the_other_kind_is_told_with_the_listeners)
{
    static const struct row rows[] = {
        { "http://a.x:81/",
          NULL,
          "no answer, nothing listens on port 81",
          { "near miss    there is a listener *:80, clear text\n" } },
        { "https://a.x:80/",
          NULL,
          "no answer, port 80 speaks clear text, and the URL says https",
          { "near miss    there is a listener *:443, TLS\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_certificate_or_server_that_is_missing_closes_the_handshake)
{
    static const struct row rows[] = {
        { "https://b.x/",
          NULL,
          "no answer, there is no certificate to show, so the TLS handshake is closed",
          { "certificate  gone: missing\n", "Gateway ns/gw: spec.servers[2]\n" } },
        { "https://z.x/",
          NULL,
          "no answer, no server on port 443 has the name z.x, so the TLS handshake is closed",
          { "near miss    port 443 has a server for a.x\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(another_server_of_the_host_is_told_for_421)
{
    static const struct row rows[] = {
        { "https://a.x/",
          "Host: b.x",
          "421, another server than SNI chose has this host, and the certificate does not cover it "
          "or "
          "the TLS settings differ [- misdirected_request]",
          { "near miss    this server has the host b.x\n", "Gateway ns/gw: spec.servers[2]\n" } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_request_that_is_refused_for_itself_has_no_near_miss)
{
    static const struct row rows[] = {
        { "http://a.x/%00",
          NULL,
          "400, the path cannot be brought into a normal form [- path_normalization_failed]",
          { NULL } },
        { "http://a.x/",
          "Upgrade: foo",
          "403, the protocol to upgrade to is not allowed [- upgrade_failed]",
          { NULL } },
    };

    check_rows(rows, LEN(rows));
}

TEST(a_host_that_only_the_manifests_know_is_told_with_what_keeps_it_back)
{
    static const char yaml[] =
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: ns}\n"
        "spec: {servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.x]}]}\n"
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        "metadata: {name: v, namespace: ns}\n"
        "spec: {hosts: [b.x], gateways: [gw, gone], http: [{directResponse: {status: 200}}]}\n"
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        "metadata: {name: w, namespace: ns}\n"
        "spec: {hosts: [\"*.x\"], http: [{directResponse: {status: 200}}]}\n";
    static const char *const parts[] = {
        "near miss    this VirtualService has the host b.x, but no server of Gateway ns/gw has "
        "it\n",
        "VirtualService ns/v: spec.gateways[0]\n",
        "near miss    this VirtualService has the host b.x, but there is no Gateway ns/gone\n",
        "near miss    this VirtualService has the host b.x, but names no Gateway: it is for "
        "sidecars\n",
    };
    struct ask *q;
    struct explanation *x;
    struct world w;
    struct str why;
    struct buf b;

    worlds_begin();
    buf_init(&b, 1 << 20);
    world_open(&w, str_of(yaml), false);
    q = ARENA_NEW(&w.arena, struct ask);
    CHECK(ask_parse(STR("GET"), STR("http://b.x/"), NULL, 0, &w.arena, q, &why));
    x = explain(w.root, q, &w.arena);
    explain_claims(x, w.mesh);
    explain_text(x, &b);
    for (size_t i = 0; i < LEN(parts); i++) {
        CASE(i);
        CHECK(str_find_str(buf_str(&b), str_of(parts[i])) < b.n);
    }
    world_close(&w);
    buf_fini(&b);
    worlds_end();
}

TEST(a_rule_that_is_left_out_behind_a_catch_all_is_a_near_miss)
{
    static const char yaml[] =
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: ns}\n"
        "spec: {servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.x]}]}\n"
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        "metadata: {name: v, namespace: ns}\n"
        "spec:\n  hosts: [a.x]\n  gateways: [gw]\n  http:\n"
        "  - directResponse: {status: 200}\n"
        "  - {match: [{uri: {prefix: /cart}}], directResponse: {status: 204}}\n";
    struct explanation *x;
    struct world w;
    struct str why;
    struct ask q;
    struct buf b;

    worlds_begin();
    buf_init(&b, 1 << 20);
    world_open(&w, str_of(yaml), false);
    CHECK(ask_parse(STR("GET"), STR("http://a.x/cart"), NULL, 0, &w.arena, &q, &why));
    x = explain(w.root, &q, &w.arena);
    explain_unreached(x, &w.notes);
    explain_text(x, &b);
    CHECK(str_find_str(buf_str(&b),
                       STR("near miss    this is never reached: the rule that answers takes every "
                           "request before it\n             world.yaml:14:5: VirtualService ns/v: "
                           "spec.http[1]\n")) < b.n);
    world_close(&w);
    buf_fini(&b);
    worlds_end();
}

TEST(a_question_is_judged_before_it_is_answered)
{
    static const struct {
        const char *method, *url, *header, *why;
    } cases[] = {
        { "GET", "a.x", NULL, NULL },
        { "GET", "HTTPS://A.x:8443/p?q#f", "a: b", NULL },
        { "GET", "http://[::1]:80/", NULL, NULL },
        { "get", "http://a.x/", NULL, "\"get\" is no method; methods are in capitals" },
        { "GET", "ftp://a.x/", NULL, "the scheme of \"ftp://a.x/\" is neither http nor https" },
        { "GET", "http:///p", NULL, "\"\" is no host" },
        { "GET", "http://a.x:0/", NULL, "\"a.x:0\" is no host" },
        { "GET", "http://a.x/ b", NULL, "a URL has no spaces and no control characters" },
        { "GET", "http://a.x/", "a b: c", "\"a b: c\" is no header; -H 'name: value'" },
        { "GET", "http://a.x/", "Host: a/b", "\"a/b\" is no host" },
    };
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct str line = str_of(cases[i].header), why = STR_NONE;
        struct ask q;
        bool fine = ask_parse(str_of(cases[i].method), str_of(cases[i].url), &line,
                              cases[i].header ? 1 : 0, &a, &q, &why);

        CASE(i);
        CHECK_EQ(fine, cases[i].why == NULL);
        if (!fine)
            CHECK_STRZ(why, cases[i].why);
    }
    arena_fini(&a);
}
