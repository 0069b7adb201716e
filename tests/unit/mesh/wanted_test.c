#include "mesh/wanted.h"
#include "unit/check.h"
#include "unit/mesh/bench.h"

#include <stdlib.h>

#define ISSUER(kind, name, ns, spec)                                                               \
    "---\napiVersion: cert-manager.io/v1\nkind: " kind "\nmetadata: {name: " name ns               \
    "}\nspec: {" spec "}\n"
#define CERT(ref, spec)                                                                            \
    "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c, namespace: "      \
    "ns}\nspec: {secretName: s, issuerRef: {" ref "}" spec "}\n"
#define NAMES ", dnsNames: [a.test]"
#define SECRET(ns, name)                                                                           \
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: " name ", namespace: " ns                 \
    "}\nstringData: {tls.crt: chain, tls.key: key}\n"
#define NS ", namespace: ns"

static void bench_certificates(struct bench *b, const char *yaml)
{
    bench_init(b);
    b->options.certificates = true;
    bench_load(b, yaml);
}

static const struct mesh_wanted *only(struct bench *b)
{
    size_t n;
    bool changed;
    const struct mesh_wanted *v = mesh_wanted(b->mesh, &n, &changed);

    CHECK_EQ(n, 1);
    return v;
}

TEST(an_issuer_is_found_or_said_to_be_missing)
{
    static const struct {
        const char *yaml;
        enum mesh_issuer issuer;
        const char *note; /* NULL: none; else there is a problem, too */
    } rows[] = {
        { ISSUER("Issuer", "i", NS, "selfSigned: {}") CERT("name: i", NAMES),
          MESH_ISSUER_SELF_SIGNED, NULL },
        { ISSUER("ClusterIssuer", "i", "", "selfSigned: {}")
              CERT("name: i, kind: ClusterIssuer", NAMES),
          MESH_ISSUER_SELF_SIGNED, NULL },
        { ISSUER("ClusterIssuer", "i", "", "selfSigned: {}") CERT("name: i", NAMES),
          MESH_ISSUER_NONE, "spec.issuerRef: there is no Issuer \"i\"" },
        { ISSUER("Issuer", "i", ", namespace: far", "selfSigned: {}") CERT("name: i", NAMES),
          MESH_ISSUER_NONE, "there is no Issuer \"i\"" },
        { CERT("name: i, kind: ClusterIssuer", NAMES), MESH_ISSUER_NONE,
          "there is no ClusterIssuer \"i\"" },
        { CERT("name: i, kind: AWSPCAIssuer, group: awspca.cert-manager.io", NAMES),
          MESH_ISSUER_NONE, "spec.issuerRef: unsupported: an issuer of another group" },
        { ISSUER("Issuer", "i", NS,
                 "acme: {server: 'https://ca.test/dir', privateKeySecretRef: {name: k}}")
              CERT("name: i", NAMES),
          MESH_ISSUER_NONE, "spec.issuerRef: unsupported: ACME is not carried out yet" },
        { ISSUER("Issuer", "i", NS, "vault: {path: x}") CERT("name: i", NAMES), MESH_ISSUER_NONE,
          "unsupported: Vault is not carried out yet" },
        { ISSUER("Issuer", "i", NS, "ca: {secretName: ca}") SECRET("ns", "ca")
              CERT("name: i", NAMES),
          MESH_ISSUER_CA, NULL },
        { ISSUER("Issuer", "i", NS, "ca: {secretName: ca}") SECRET("far", "ca")
              CERT("name: i", NAMES),
          MESH_ISSUER_CA, "spec.issuerRef: waits for Secret \"ca\"" },
        { ISSUER("ClusterIssuer", "i", "", "ca: {secretName: ca}") SECRET("cert-manager", "ca")
              CERT("name: i, kind: ClusterIssuer", NAMES),
          MESH_ISSUER_CA, NULL },
        { ISSUER("ClusterIssuer", "i", "", "ca: {secretName: ca}") SECRET("far", "ca")
              CERT("name: i, kind: ClusterIssuer", NAMES),
          MESH_ISSUER_CA, NULL },
        { ISSUER("Issuer", "i", NS, "selfSigned: {}") CERT("name: i", NAMES ", usages: [cooking]"),
          MESH_ISSUER_NONE, "spec.usages[0]: \"cooking\" is no usage" },
        { ISSUER("Issuer", "i", NS, "selfSigned: {}")
              CERT("name: i", NAMES ", privateKey: {algorithm: ECDSA, size: 255}"),
          MESH_ISSUER_NONE, "spec.privateKey.size: there is no such key" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct bench b;

        CASE(i);
        bench_certificates(&b, rows[i].yaml);
        CHECK_EQ(only(&b)->issuer, rows[i].issuer);
        CHECK_EQ(str_is_set(only(&b)->problem), rows[i].note != NULL);
        if (rows[i].note)
            CHECK(bench_notes(&b, rows[i].note)[0]);
        else
            CHECK_STRZ(str_of(bench_notes(&b, "Certificate ns/c")), "");
        bench_fini(&b);
    }
}

/* What the field is for may differ; that it makes a difference may not. */
TEST(each_field_of_a_certificate_makes_a_difference)
{
    static const char *const specs[] = {
        NAMES,
        ", dnsNames: [b.test]",
        NAMES ", ipAddresses: [10.0.0.1]",
        NAMES ", uris: ['spiffe://a/b']",
        NAMES ", emailAddresses: [a@b.test]",
        NAMES ", commonName: a.test",
        NAMES ", isCA: true",
        NAMES ", duration: 24h",
        NAMES ", renewBefore: 1h",
        NAMES ", renewBeforePercentage: 10",
        NAMES ", usages: [client auth]",
        NAMES ", usages: [server auth]",
        NAMES ", privateKey: {algorithm: ECDSA}",
        NAMES ", privateKey: {algorithm: ECDSA, size: 384}",
        NAMES ", privateKey: {algorithm: Ed25519}",
        NAMES ", privateKey: {size: 4096}",
        NAMES ", privateKey: {encoding: PKCS8}",
        NAMES ", privateKey: {rotationPolicy: Never}",
        NAMES ", subject: {organizations: [x]}",
        NAMES ", subject: {countries: [x]}",
        NAMES ", subject: {organizationalUnits: [x]}",
        NAMES ", subject: {localities: [x]}",
        NAMES ", subject: {provinces: [x]}",
        NAMES ", subject: {streetAddresses: [x]}",
        NAMES ", subject: {postalCodes: [x]}",
        NAMES ", subject: {serialNumber: x}",
    };
    uint64_t seen[LEN(specs)];

    for (size_t i = 0; i < LEN(specs); i++) {
        const struct mesh_wanted *w;
        char yaml[2000];
        struct bench b;

        CASE(i);
        snprintf(yaml, sizeof(yaml), "%s%s%s}\n", ISSUER("Issuer", "i", NS, "selfSigned: {}"),
                 "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c, "
                 "namespace: ns}\nspec: {secretName: s, issuerRef: {name: i}",
                 specs[i]);
        bench_certificates(&b, yaml);
        CHECK_STRZ(str_of(bench_notes(&b, "Certificate ns/c")), "");
        w = only(&b);
        CHECK_EQ(w->issuer, MESH_ISSUER_SELF_SIGNED);
        seen[i] = w->hash + (uint64_t)w->renew_before_ms * 3 + w->keeps_key;
        for (size_t k = 0; k < i; k++)
            CHECK(seen[k] != seen[i]);
        bench_fini(&b);
    }
}

TEST(the_list_is_made_again_only_where_something_of_it_changed)
{
    struct bench b;
    size_t n;
    bool changed;

    bench_certificates(&b, ISSUER("Issuer", "i", NS, "selfSigned: {}") CERT("name: i", NAMES));
    (void)mesh_wanted(b.mesh, &n, &changed);
    CHECK(changed);
    bench_file(&b, "b.yaml",
               "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ns}\n"
               "spec: {ports: [{name: http, port: 80}]}\n");
    bench_update(&b);
    (void)mesh_wanted(b.mesh, &n, &changed);
    CHECK(!changed);
    CHECK_EQ(n, 1);
    bench_file(&b, "c.yaml", SECRET("ns", "s"));
    bench_update(&b);
    CHECK(only(&b)->has_secret);
    CHECK(!str_is_set(only(&b)->secret_request)); /* the user's own */
    bench_fini(&b);
}
