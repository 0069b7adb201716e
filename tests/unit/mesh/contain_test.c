/*
 * Design 5.5: removing or breaking one object never changes what others are made into. Two
 * stacks share a listener; whatever happens to the objects of one, each part that carries
 * the other's name stays the very same pointer.
 */
#include "unit/check.h"
#include "unit/mesh/bench.h"

#define DOCS 8

static const char *const kinds[DOCS][2] = {
    { "networking.istio.io/v1", "Gateway" },
    { "networking.istio.io/v1", "VirtualService" },
    { "v1", "Service" },
    { "networking.istio.io/v1", "DestinationRule" },
    { "networking.istio.io/v1", "WorkloadEntry" },
    { "networking.istio.io/v1", "ServiceEntry" },
    { "cert-manager.io/v1", "Certificate" },
    { "networking.istio.io/v1", "VirtualService" },
};

static const char *const specs[DOCS] = {
    "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*.%s.test\"]}, {port: "
    "{number: 443, name: https, protocol: HTTPS}, hosts: [w.%s.test], tls: {mode: SIMPLE, "
    "credentialName: c-%s}}]}",
    "{hosts: [w.%s.test], gateways: [g-%s], http: [{route: [{destination: {host: s-%s, subset: "
    "v1}}]}]}",
    "{ports: [{name: http, port: 80}], selector: {app: %s}}",
    "{host: s-%s, subsets: [{name: v1, labels: {version: v1}}]}",
    "{address: 10.0.0.1, labels: {app: %s, version: v1}}",
    "{hosts: [e.%s.test], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], "
    "endpoints: [{address: 10.0.0.2}]}",
    "{secretName: c-%s, dnsNames: [w.%s.test], issuerRef: {name: i}}",
    "{hosts: [x.%s.test], gateways: [g-%s], http: [{route: [{destination: {host: e.%s.test}}]}]}",
};

static const char letters[DOCS] = "gvsdweck";

/* A stack's documents; `odd` is left out, or broken in one of the ways. */
enum way { WHOLE, REMOVED, BROKEN_FIELD, BROKEN_TYPE };

static void write_stack(char *out, size_t size, const char *name, int odd, enum way way)
{
    size_t n = 0;

    out[0] = 0;
    for (int i = 0; i < DOCS; i++) {
        char spec[512];

        if (i == odd && way == REMOVED)
            continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(spec, sizeof(spec), specs[i], name, name, name);
#pragma GCC diagnostic pop
        n += (size_t)snprintf(out + n, size - n,
                              "---\napiVersion: %s\nkind: %s\nmetadata: {name: %c-%s, namespace: "
                              "ns}\nspec: %s\n",
                              kinds[i][0], kinds[i][1], letters[i], name,
                              i == odd && way == BROKEN_FIELD  ? "{nonsense: 1}"
                              : i == odd && way == BROKEN_TYPE ? "[1, 2]"
                                                               : spec);
    }
}

/* Parts of the stack "beta", in the order of kinds and slots. */
static size_t parts_of_beta(const struct root *root, const struct part **v)
{
    size_t n = 0;

    for (int kind = 0; kind < PART_KINDS; kind++)
        for (slot_id i = 0; i < root_slots(root, (enum part_kind)kind); i++) {
            const struct part *p = root_part(root, (enum part_kind)kind, i);

            if (p && str_find_str(p->name, STR("beta")) < p->name.n)
                v[n++] = p;
        }
    return n;
}

static void check_beta(const struct bench *b, const struct part *const *want, size_t want_n)
{
    const struct part *v[64];
    size_t n = parts_of_beta(b->root, v);

    CHECK_EQ(n, want_n);
    for (size_t i = 0; i < n; i++)
        CHECK(v[i] == want[i]);
}

TEST(whatever_happens_to_one_stack_leaves_the_other_alone)
{
    struct bench b;
    char whole[8192], odd[8192], beta[8192];
    const struct part *want[64];
    size_t n;

    write_stack(whole, sizeof(whole), "alpha", -1, WHOLE);
    write_stack(beta, sizeof(beta), "beta", -1, WHOLE);
    bench_init(&b);
    bench_dev(&b);
    bench_file(&b, "alpha.yaml", whole);
    bench_file(&b, "beta.yaml", beta);
    bench_update(&b);
    CHECK_STRZ(str_of(bench_notes(&b, "")), "");
    n = parts_of_beta(b.root, want);
    CHECK(n >= 12); /* its chain, 3 routes and hosts, clusters and hosts, a secret */
    for (int i = 0; i < DOCS; i++)
        for (enum way way = REMOVED; way <= BROKEN_TYPE; way++) {
            CASE(i * 10 + (int)way);
            write_stack(odd, sizeof(odd), "alpha", i, way);
            bench_file(&b, "alpha.yaml", odd);
            bench_update(&b);
            check_beta(&b, want, n);
            bench_file(&b, "alpha.yaml", "kind: [\n"); /* a file that cannot be parsed */
            bench_update(&b);
            check_beta(&b, want, n);
            bench_file(&b, "alpha.yaml", whole);
            bench_update(&b);
            check_beta(&b, want, n);
        }
    bench_remove(&b, "alpha.yaml");
    bench_update(&b);
    n = parts_of_beta(b.root, want);
    CHECK(n >= 12);
    bench_fini(&b);
}
