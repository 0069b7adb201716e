/*
 * Design 5.10 and 5.5 over random steps: after each one the mesh that remembers has the same
 * root and says the same as one that does everything anew, and what nobody touched stays the
 * very same pointer. Four stacks share two listeners; a fifth sends to the hosts of others.
 */
#include "base/rng.h"
#include "unit/check.h"
#include "unit/mesh/bench.h"

#include <stdlib.h>

#define STACKS 5
#define DOCS 9
#define STEPS 2500

static const char *const names[STACKS] = { "alpha", "beta", "gamma", "delta", "mixed" };
static const char *const files[STACKS][2] = { { "alpha-1.yaml", "alpha-2.yaml" },
                                              { "beta-1.yaml", "beta-2.yaml" },
                                              { "gamma-1.yaml", "gamma-2.yaml" },
                                              { "delta-1.yaml", "delta-2.yaml" },
                                              { "mixed-1.yaml", "mixed-2.yaml" } };

/* In specs S is the stack, T another one, NUM a number that an edit changes. */
struct doc {
    const char *api, *kind;
    const char *specs[4];
};

static const struct doc docs[DOCS] = {
    { "networking.istio.io/v1",
      "Gateway",
      { "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.S.test']}]}",
        "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [w.S.test, x.S.test]}, "
        "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [w.S.test], tls: {mode: "
        "SIMPLE, credentialName: c-S}}]}",
        "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.S.test'], tls: "
        "{httpsRedirect: true}}, {port: {number: 8080, name: more, protocol: HTTP}, hosts: "
        "['S/*.S.test']}]}",
        "{servers: [{port: {number: 443, name: tcp, protocol: TCP}, hosts: ['*']}]}" } },
    { "networking.istio.io/v1",
      "VirtualService",
      { "{hosts: [w.S.test], gateways: [g-S], http: [{match: [{uri: {prefix: /NUM}}], route: "
        "[{destination: {host: s-S, subset: v1}}]}, {route: [{destination: {host: s-S}}]}]}",
        "{hosts: [w.S.test, x.S.test], gateways: [g-S], http: [{route: [{destination: {host: s-S}, "
        "weight: NUM}, {destination: {host: s-S, subset: v2}, weight: 100}]}, {redirect: {uri: "
        "/never}}]}",
        "{hosts: ['*.S.test'], gateways: [g-S, gone], http: [{match: [{port: 8080, uri: {regex: "
        "'/a/NUM+'}}], route: [{destination: {host: none-S}}]}]}",
        "{hosts: [w.S.test], gateways: [g-S], exportTo: [.], http: [{delegate: {name: d}}, {route: "
        "[{destination: {host: e.S.test, port: {number: 80}}}], mirror: {host: s-S}, retries: "
        "{attempts: NUM, retryOn: 5xx}}]}" } },
    { "networking.istio.io/v1",
      "VirtualService",
      { "{hosts: [x.S.test], gateways: [g-S], http: [{match: [{headers: {a: {exact: 'NUM'}}}], "
        "route: [{destination: {host: e.S.test}}]}]}",
        "{hosts: [w.S.test, y.S.test], gateways: [g-S, mesh], http: [{name: nm, directResponse: "
        "{status: 2NUM}}]}",
        "{hosts: [other.test], gateways: [g-S], http: [{route: [{destination: {host: s-S}}]}]}",
        "{hosts: [x.S.test], gateways: [mesh], http: [{timeout: NUMs, route: [{destination: {host: "
        "s-S}}]}]}" } },
    { "v1",
      "Service",
      { "{ports: [{name: http, port: 80}], selector: {app: S}}",
        "{ports: [{name: http, port: 80}, {name: grpc, port: 8080}], selector: {app: S}}",
        "{ports: [{name: http, port: NUM}], selector: {app: S, no: one}}",
        "{ports: [{name: http2, port: 80}], selector: {app: S}}" } },
    { "networking.istio.io/v1",
      "DestinationRule",
      { "{host: s-S, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: "
        "v2}}]}",
        "{host: s-S, subsets: [{name: v1, labels: {version: v2}}], trafficPolicy: "
        "{loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {connectTimeout: NUMs}}}}",
        "{host: s-S, trafficPolicy: {tls: {mode: SIMPLE}}}",
        "{host: '*.S.svc.cluster.local', subsets: [{name: v2, labels: {version: v1}}]}" } },
    { "networking.istio.io/v1",
      "DestinationRule",
      { "{host: s-S, subsets: [{name: v1, labels: {version: v3}}]}",
        "{host: e.S.test, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}",
        "{host: nobody, subsets: [{name: v1}]}",
        "{host: s-S, exportTo: [elsewhere], subsets: [{name: v3}]}" } },
    { "networking.istio.io/v1",
      "WorkloadEntry",
      { "{address: 10.0.0.NUM, labels: {app: S, version: v1}}",
        "{address: 10.0.0.NUM, labels: {app: S, version: v2}, weight: 3}",
        "{address: 10.0.0.NUM, labels: {app: none}}", "{address: name.test, labels: {app: S}}" } },
    { "networking.istio.io/v1",
      "ServiceEntry",
      { "{hosts: [e.S.test], resolution: STATIC, ports: [{number: 80, name: http, protocol: "
        "HTTP}], endpoints: [{address: 10.1.0.NUM}]}",
        "{hosts: [e.S.test, s-S.S.svc.cluster.local], resolution: STATIC, ports: [{number: 80, "
        "name: http, protocol: HTTP}], endpoints: [{address: 10.1.0.NUM}]}",
        "{hosts: [e.S.test], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}, "
        "{number: 81, name: b, protocol: GRPC}], endpoints: [{address: d.test}]}",
        "{hosts: [f.S.test], resolution: STATIC, ports: [{number: 80, name: http, protocol: "
        "HTTP}], workloadSelector: {labels: {app: S}}}" } },
    { "v1", "Endpoints", { "[1]", "{}", "{}", "{}" } }, /* has no spec: always a note */
};

/* The fifth stack binds to the Gateway of one of the others and sends to its hosts. */
static const char *const mixed_specs[3] = {
    "{hosts: [m.T.test], gateways: [T/g-T], http: [{route: [{destination: {host: "
    "s-T.T.svc.cluster.local}}]}]}",
    "{hosts: [w.T.test, '*'], gateways: [T/g-T], http: [{match: [{uri: {prefix: /m}}], route: "
    "[{destination: {host: e.T.test, port: {number: 81}}}]}]}",
    "{hosts: ['*'], gateways: [T/g-T], http: [{route: [{destination: {host: "
    "s-T.T.svc.cluster.local, subset: v2}}]}]}",
};

enum state { GONE, WHOLE, BAD_FIELD, BAD_TYPE, STATES };

struct world {
    struct rng rng;
    enum state state[STACKS][DOCS];
    int variant[STACKS][DOCS], number[STACKS][DOCS];
    bool unparsable[STACKS][2], missing[STACKS][2];
    bool twice[STACKS]; /* the first document stands in both files */
};

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* `spec` with S, T and NUM replaced where they stand as words of their own. */
static void spec_write(struct buf *b, const char *spec, const char *stack, const char *target,
                       int number)
{
    for (const char *p = spec; *p; p++) {
        if (strncmp(p, "NUM", 3) == 0) {
            buf_printf(b, "%d", number);
            p += 2;
        } else if ((*p == 'S' || *p == 'T') && !is_letter(p[1]) && !is_letter(p[-1])) {
            buf_add(b, str_of(*p == 'S' ? stack : target));
        } else {
            buf_addc(b, *p);
        }
    }
}

static void doc_write(const struct world *w, struct buf *b, int stack, int at)
{
    const struct doc *d = &docs[at];
    const char *name = names[stack];
    bool mixed = stack == STACKS - 1 && (at == 1 || at == 2);
    int variant = w->variant[stack][at];

    buf_printf(b, "---\napiVersion: %s\nkind: %s\nmetadata: {name: %c%s-%s, namespace: %s}\nspec: ",
               d->api, d->kind,
               at == 0   ? 'g'
               : at == 3 ? 's'
                         : 'a' + at,
               at == 0 || at == 3 ? "" : "x", name, name);
    if (w->state[stack][at] == BAD_FIELD)
        buf_add(b, STR("{nonsense: 1, hosts: [w.test]}"));
    else if (w->state[stack][at] == BAD_TYPE)
        buf_add(b, STR("[1, 2]"));
    else
        spec_write(b, mixed ? mixed_specs[variant % 3] : d->specs[variant], name,
                   names[w->number[stack][at] % (STACKS - 1)], w->number[stack][at]);
    buf_add(b, STR("\n"));
}

static void file_write(const struct world *w, struct bench *b, int stack, int half)
{
    struct buf text;

    if (w->missing[stack][half]) {
        for (size_t i = 0; i < b->n; i++)
            if (str_eq(b->files[i].path, str_of(files[stack][half]))) {
                bench_remove(b, files[stack][half]);
                break;
            }
        return;
    }
    buf_init(&text, 1 << 20);
    for (int i = 0; i < DOCS; i++)
        if (w->state[stack][i] != GONE && (i % 2 == half || (i == 0 && w->twice[stack])))
            doc_write(w, &text, stack, i);
    if (w->unparsable[stack][half])
        buf_add(&text, STR("---\nkind: [\n"));
    buf_addc(&text, 0);
    bench_file(b, files[stack][half], text.p);
    buf_fini(&text);
}

/* One step; the stack it touched. */
static int world_step(struct world *w)
{
    int stack = (int)rng_below(&w->rng, STACKS), at = (int)rng_below(&w->rng, DOCS);
    uint64_t what = rng_below(&w->rng, 20);
    int half = (int)rng_below(&w->rng, 2);

    if (what == 0 || w->unparsable[stack][half])
        w->unparsable[stack][half] ^= true;
    else if (what == 1 || w->missing[stack][half])
        w->missing[stack][half] ^= true;
    else if (what == 2)
        w->twice[stack] ^= true;
    else if (what < 6)
        w->state[stack][at] = (enum state)rng_below(&w->rng, STATES);
    else
        w->state[stack][at] = WHOLE;
    w->variant[stack][at] = (int)rng_below(&w->rng, 4);
    w->number[stack][at] = (int)rng_below(&w->rng, 90) + 1;
    return stack;
}

/* ---- what must hold ---- */

static void check_same(const struct root *a, const struct root *b)
{
    CHECK_EQ(root_hash(a), root_hash(b));
    for (int kind = 0; kind < PART_KINDS; kind++) {
        slot_id n = MAX(root_slots(a, (enum part_kind)kind), root_slots(b, (enum part_kind)kind));

        for (slot_id i = 0; i < n; i++) { /* a name has one slot in the process */
            const struct part *x = root_part(a, (enum part_kind)kind, i);
            const struct part *y = root_part(b, (enum part_kind)kind, i);

            CHECK((x == NULL) == (y == NULL));
            if (x)
                CHECK(x->hash == y->hash && x->origin_hash == y->origin_hash);
        }
    }
}

/* Parts named after a stack that the step did not touch, and which the mixed one never names. */
static void check_untouched(const struct root *before, const struct root *now, int touched)
{
    for (int kind = 0; kind < PART_KINDS; kind++)
        for (slot_id i = 0; i < root_slots(before, (enum part_kind)kind); i++) {
            const struct part *p = root_part(before, (enum part_kind)kind, i);

            for (int s = 0; p && s < STACKS - 1; s++)
                if (s != touched && str_find_str(p->name, str_of(names[s])) < p->name.n)
                    CHECK(p == root_part(now, (enum part_kind)kind, i));
        }
}

static void check_step(struct bench *kept, struct bench *fresh, struct root *before, int touched)
{
    char *said;

    CHECK_EQ(kept->verdict, fresh->verdict);
    check_same(kept->root, fresh->root);
    said = strdup(bench_notes(kept, ""));
    CHECK_STRZ(str_of(said), bench_notes(fresh, ""));
    free(said);
    CHECK_EQ(mesh_summary(kept->mesh)->routes, mesh_summary(fresh->mesh)->routes);
    CHECK_EQ(mesh_summary(kept->mesh)->clusters, mesh_summary(fresh->mesh)->clusters);
    CHECK_EQ(mesh_summary(kept->mesh)->endpoints, mesh_summary(fresh->mesh)->endpoints);
    CHECK_EQ(mesh_summary(kept->mesh)->unsupported, mesh_summary(fresh->mesh)->unsupported);
    CHECK_EQ(mesh_summary(kept->mesh)->virtual_services,
             mesh_summary(fresh->mesh)->virtual_services);
    if (before && touched < STACKS - 1)
        check_untouched(before, kept->root, touched);
}

static void walk(uint64_t seed, int steps)
{
    static struct world w; /* large */
    struct bench kept, fresh;

    memset(&w, 0, sizeof(w));
    rng_init(&w.rng, seed);
    for (int i = 0; i < STACKS * (DOCS - 1); i++)
        w.state[i % STACKS][i / STACKS] = WHOLE;
    bench_init(&kept);
    bench_init(&fresh);
    for (int i = 0; i < steps; i++) {
        int touched = world_step(&w);
        struct root *before = kept.root ? root_ref(kept.root) : NULL;

        CASE(i);
        for (int half = 0; half < 2; half++) {
            file_write(&w, &kept, touched, half);
            file_write(&w, &fresh, touched, half);
        }
        arena_reset(&kept.arena);
        arena_reset(&fresh.arena);
        if (fresh.mesh)
            mesh_forget(fresh.mesh);
        bench_update(&kept);
        bench_update(&fresh);
        check_step(&kept, &fresh, before, touched);
        root_unref(before);
    }
    bench_fini(&kept);
    bench_fini(&fresh);
}

TEST(after_each_of_2500_steps_what_is_remembered_equals_what_is_made_anew)
{
    for (uint64_t seed = 1; seed <= STEPS / 250; seed++)
        walk(seed, 250);
}
