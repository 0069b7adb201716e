#include "unit/check.h"
#include "unit/mesh/bench.h"

#include <stdlib.h>

#define GATEWAY(credential)                                                                        \
    "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: "     \
    "ns}\n"                                                                                        \
    "spec: {servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.x], tls: "     \
    "{mode: SIMPLE, credentialName: \"" credential "\"}}]}\n"                                      \
    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, "          \
    "namespace: "                                                                                  \
    "ns}\nspec: {hosts: [a.x], gateways: [gw], http: [{directResponse: {status: 200}}]}\n"
#define CERT(ns, name, secret, host)                                                               \
    "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: " name               \
    ", namespace: " ns "}\nspec: {secretName: " secret ", dnsNames: [" host                        \
    "], issuerRef: {name: i}}\n"

TEST(credentials_are_looked_up_in_this_order)
{
    static const struct {
        const char *yaml, *own_namespace, *secret, *origin, *note;
    } rows[] = {
        { GATEWAY("c") CERT("ns", "k", "c", "a.x") CERT("istio-system", "k", "c", "a.x")
              CERT("istio-ingress", "k", "c", "a.x"),
          NULL, "kubernetes://istio-ingress/c", "Certificate istio-ingress/k", NULL },
        { GATEWAY("c") CERT("ns", "k", "c", "a.x") CERT("istio-system", "k", "c", "a.x"), NULL,
          "kubernetes://istio-system/c", "Certificate istio-system/k", NULL },
        { GATEWAY("c") CERT("ns", "k", "c", "a.x") CERT("far", "k", "c", "a.x"), NULL,
          "kubernetes://ns/c", "Certificate ns/k", NULL },
        { GATEWAY("c") CERT("far", "k", "c", "a.x"), NULL, "kubernetes://far/c",
          "Certificate far/k", NULL },
        { GATEWAY("c") CERT("far", "k", "c", "a.x") CERT("away", "k", "c", "a.x"), NULL,
          "kubernetes://away/c", "Certificate away/k", "is 2 things; Certificate away/k is used" },
        { GATEWAY("c") CERT("ns", "k", "c", "a.x"), "mine", "", "", "no Secret or Certificate" },
        { GATEWAY("c") CERT("mine", "k", "c", "a.x") CERT("istio-ingress", "k", "c", "a.x"), "mine",
          "kubernetes://mine/c", "Certificate mine/k", NULL },
        { GATEWAY("kubernetes://far/c") CERT("far", "k", "c", "a.x")
              CERT("istio-ingress", "k", "c", "a.x"),
          NULL, "kubernetes://far/c", "Certificate far/k", NULL },
        { GATEWAY("kubernetes://c") CERT("istio-ingress", "k", "c", "a.x"), NULL,
          "kubernetes://istio-ingress/c", "Certificate istio-ingress/k", NULL },
        { GATEWAY("sds://c") CERT("istio-ingress", "k", "c", "a.x"), NULL, "", "",
          "credentialName: unsupported" },
        { GATEWAY("c") CERT("ns", "k", "c", "b.x"), NULL, "kubernetes://ns/c", "Certificate ns/k",
          "does not name a.x" },
        { GATEWAY("c") CERT("ns", "k", "c", "refused.test"), NULL, "kubernetes://ns/c",
          "Certificate ns/k", "cannot be issued: the CA says no" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct bench b;
        const struct mesh_summary *sum;

        CASE(i);
        bench_init(&b);
        bench_dev(&b);
        if (rows[i].own_namespace)
            b.options.namespace = str_of(rows[i].own_namespace);
        bench_load(&b, rows[i].yaml);
        sum = mesh_summary(b.mesh);
        CHECK_EQ(sum->credential_count, 1);
        CHECK_STRZ(sum->credentials[0].secret, rows[i].secret);
        CHECK_STRZ(sum->credentials[0].origin, rows[i].origin);
        CHECK_STRZ(sum->credentials[0].hosts[0], "a.x");
        if (!rows[i].note)
            CHECK_STRZ(str_of(bench_notes(&b, "")), "");
        else if (!bench_notes(&b, rows[i].note)[0])
            CHECK_STRZ(str_of(bench_notes(&b, "")), rows[i].note);
        CHECK_STRZ(str_of(bench_text(&b, PART_LISTENER)),
                   "0.0.0.0_8443 8443(443) tls: 0.0.0.0_8443/https.443.https.gw.ns\n");
        bench_fini(&b);
    }
}

/* A Secret of what openssl makes for `host`, with the keys named; the private key stands behind
 * the certificate as well. */
static const char *secret_of(struct bench *b, const char *host, const char *cert_key,
                             const char *key_key)
{
    static char yaml[8192];
    struct str name = str_of(host), chain, key, error;
    struct mesh_certificate rq = { .dns_names = &name, .dns_name_count = 1 };
    size_t n;

    CHECK(b->options.hooks.issue(b, &rq, &b->arena, &chain, &key, &error));
    chain = arena_printf(&b->arena, "%.*s%.*s", STRF(chain), STRF(key));
    n = (size_t)snprintf(yaml, sizeof(yaml),
                         "---\napiVersion: v1\nkind: Secret\nmetadata: {name: c, namespace: ns}\n"
                         "stringData:\n  %s: |\n    ",
                         cert_key);
    for (int k = 0; k < 2; k++) {
        struct str from = k ? key : chain;

        if (k)
            n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "\n  %s: |\n    ", key_key);
        for (size_t i = 0; i < from.n; i++)
            n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, from.p[i] == '\n' ? "\n    " : "%c",
                                  from.p[i]);
    }
    snprintf(yaml + n, sizeof(yaml) - n, "\n");
    return yaml;
}

TEST(a_secret_serves_and_a_broken_one_keeps_its_last_good_version)
{
    static const char *const keys[][2] = { { "tls.crt", "tls.key" }, { "cert", "key" } };

    for (size_t i = 0; i < LEN(keys); i++) {
        struct bench b;
        const struct part *before;

        CASE(i);
        bench_init(&b);
        bench_dev(&b);
        bench_file(&b, "gw.yaml", GATEWAY("c"));
        bench_file(&b, "s.yaml", secret_of(&b, "a.x", keys[i][0], keys[i][1]));
        bench_update(&b);
        CHECK_STRZ(str_of(bench_notes(&b, "")), "");
        CHECK_STRZ(str_of(bench_text(&b, PART_SECRET)), "kubernetes://ns/c\n");
        CHECK_STRZ(mesh_summary(b.mesh)->credentials[0].dns_names[0], "a.x");
        CHECK(mesh_summary(b.mesh)->credentials[0].not_after_ms > 0);
        before = root_part(b.root, PART_SECRET, 0);
        bench_file(&b, "s.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: c, namespace: ns}\n"
                   "stringData: {tls.crt: nonsense, tls.key: nonsense}\n");
        bench_update(&b);
        CHECK(bench_notes(&b, "s.yaml:3:11: error: Secret ns/c: metadata: ")[0]);
        CHECK(bench_notes(&b, "the certificate that was in use stays")[0]);
        CHECK_EQ(b.verdict, MESH_SAME);
        CHECK(root_part(b.root, PART_SECRET, 0) == before);
        CHECK_STRZ(mesh_summary(b.mesh)->credentials[0].dns_names[0], "a.x");
        bench_remove(&b, "s.yaml");
        bench_update(&b);
        CHECK_STRZ(str_of(bench_text(&b, PART_SECRET)), "");
        CHECK_STRZ(str_of(bench_text(&b, PART_CHAIN)),
                   "0.0.0.0_8443/https.443.https.gw.ns routes=https.443.https.gw.ns sni=a.x tls\n");
        bench_fini(&b);
    }
}

TEST(a_secret_that_says_the_same_in_other_words_is_shown_as_before)
{
    struct str head = STR("metadata: {name: c, namespace: ns"), text;
    char again[16384];
    struct bench b;
    size_t at;

    bench_init(&b);
    bench_dev(&b);
    bench_file(&b, "gw.yaml", GATEWAY("c"));
    text = str_of(secret_of(&b, "a.x", "tls.crt", "tls.key"));
    at = str_find_str(text, head) + head.n;
    CHECK(at < text.n);
    snprintf(again, sizeof(again), "%.*s, labels: {a: b}%.*s", (int)at, text.p,
             STRF(str_from(text, at)));
    bench_file(&b, "s.yaml", text.p);
    bench_update(&b);
    bench_file(&b, "s.yaml", again);
    bench_update(&b);
    CHECK_STRZ(str_of(bench_notes(&b, "")), "");
    CHECK_EQ(b.verdict, MESH_SAME);
    CHECK_EQ(mesh_summary(b.mesh)->credentials[0].dns_name_count, 1);
    CHECK(mesh_summary(b.mesh)->credentials[0].not_after_ms > 0);
    bench_fini(&b);
}

TEST(a_certificate_is_asked_for_again_only_when_its_names_change)
{
    struct bench b;

    bench_init(&b);
    bench_dev(&b);
    bench_load(&b, GATEWAY("c") CERT("ns", "k", "c", "a.x"));
    bench_load(&b, CERT("ns", "k", "c", "a.x") GATEWAY("c"));
    CHECK_EQ(b.issues, 1);
    bench_load(&b, GATEWAY("c") CERT("ns", "k", "c", "a.x, b.x"));
    CHECK_EQ(b.issues, 2);
    CHECK_EQ(b.verdict, MESH_NEW);
    bench_load(&b, GATEWAY("c") CERT("ns", "k", "c", "refused.test"));
    CHECK(bench_notes(&b, "cannot be issued: the CA says no")[0]);
    CHECK(bench_notes(&b, "the certificate that was in use stays")[0]);
    CHECK_STRZ(str_of(bench_text(&b, PART_SECRET)), "kubernetes://ns/c\n");
    bench_fini(&b);
}

TEST(with_dev_every_certificate_is_issued)
{
    struct bench b;

    bench_init(&b);
    bench_dev(&b);
    bench_load(&b, GATEWAY("c") CERT("ns", "k", "c", "a.x") CERT("far", "l", "d", "b.x"));
    CHECK_EQ(b.issues, 2);
    CHECK_STRZ(str_of(bench_text(&b, PART_SECRET)), "kubernetes://far/d\nkubernetes://ns/c\n");
    CHECK_EQ(mesh_summary(b.mesh)->credential_count, 1);
    bench_fini(&b);
}

TEST(a_certificate_without_its_secret_closes_its_server)
{
    struct bench b;

    bench_init(&b);
    bench_load(&b, GATEWAY("c") CERT("ns", "k", "c", "a.x"));
    CHECK(bench_notes(&b, "Certificate ns/k: spec.secretName: Secret \"c\" is not there yet")[0]);
    CHECK(bench_notes(&b, "handshakes for these hosts are closed")[0]);
    CHECK_STRZ(str_of(bench_text(&b, PART_CHAIN)),
               "0.0.0.0_443/https.443.https.gw.ns routes=https.443.https.gw.ns sni=a.x tls "
               "kubernetes://ns/c(missing)\n");
    bench_fini(&b);
}

/* Two chains present it; one of them goes. */
TEST(what_is_said_of_a_broken_secret_stays_as_long_as_a_server_names_it)
{
    static const char other[] =
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a, namespace: "
        "ns}\nspec: {servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [b.x], "
        "tls: {mode: SIMPLE, credentialName: c}}]}\n";
    struct bench b;

    bench_init(&b);
    bench_dev(&b);
    bench_file(&b, "a.yaml", other);
    bench_file(&b, "gw.yaml", GATEWAY("c"));
    bench_file(&b, "s.yaml",
               "apiVersion: v1\nkind: Secret\nmetadata: {name: c, namespace: ns}\n"
               "stringData: {tls.crt: nonsense, tls.key: nonsense}\n");
    bench_update(&b);
    CHECK(bench_notes(&b, "s.yaml:3:11: error: Secret ns/c: metadata: ")[0]);
    bench_remove(&b, "a.yaml");
    bench_update(&b);
    CHECK(bench_notes(&b, "s.yaml:3:11: error: Secret ns/c: metadata: ")[0]);
    bench_fini(&b);
}
