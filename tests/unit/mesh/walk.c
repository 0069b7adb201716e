/*
 * Four stacks share two listeners; a fifth sends to the hosts of others.
 */
#include "unit/mesh/walk.h"

#include "unit/check.h"

#include <stdlib.h>

const char *const walk_names[STACKS] = { "alpha", "beta", "gamma", "delta", "mixed" };
const char *const walk_files[STACKS][2] = { { "alpha/1.yaml", "alpha/2.yaml" },
                                            { "beta/1.yaml", "beta/2.yaml" },
                                            { "gamma/1.yaml", "gamma/2.yaml" },
                                            { "delta/1.yaml", "delta/2.yaml" },
                                            { "mixed/1.yaml", "mixed/2.yaml" } };

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

static void doc_write(const struct walk *w, struct buf *b, int stack, int at)
{
    const struct doc *d = &docs[at];
    const char *name = walk_names[stack];
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
                   walk_names[w->number[stack][at] % (STACKS - 1)], w->number[stack][at]);
    buf_add(b, STR("\n"));
}

/* All documents of a file: one of them, one more, or the file as a whole cannot be parsed. */
static void docs_write(const struct walk *w, struct buf *b, int stack, int half)
{
    enum syntax syntax = w->syntax[stack][half];

    if (syntax == SYNTAX_FILE)
        buf_add(b, STR("%YAML 1.1\n"));
    for (int i = 0; i < DOCS; i++) {
        bool here = i % 2 == half || (i == 0 && w->twice[stack]);

        if (!here || w->state[stack][i] == GONE)
            continue;
        if (syntax == SYNTAX_ONE && i == w->number[stack][half] % DOCS)
            buf_add(b, STR("---\nkind: [\n"));
        else
            doc_write(w, b, stack, i);
    }
    if (syntax == SYNTAX_MORE || syntax == SYNTAX_FILE)
        buf_add(b, STR("---\nkind: [\n"));
}

void walk_write(const struct walk *w, struct bench *b, int stack, int half)
{
    const char *path = walk_files[stack][half];
    struct buf text;

    if (w->missing[stack][half]) {
        if (bench_has(b, path))
            bench_remove(b, path);
        return;
    }
    buf_init(&text, 1 << 20);
    docs_write(w, &text, stack, half);
    buf_addc(&text, 0);
    bench_file(b, path, text.p);
    buf_fini(&text);
}

int walk_step(struct walk *w)
{
    int stack = (int)rng_below(&w->rng, STACKS), at = (int)rng_below(&w->rng, DOCS);
    uint64_t what = rng_below(&w->rng, 20);
    int half = (int)rng_below(&w->rng, 2);

    if (what == 0 || w->syntax[stack][half])
        w->syntax[stack][half] = w->syntax[stack][half] ? SYNTAX_FINE
                                                        : 1 + (enum syntax)rng_below(&w->rng, 3);
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

void walk_init(struct walk *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    rng_init(&w->rng, seed);
    for (int i = 0; i < STACKS * (DOCS - 1); i++)
        w->state[i % STACKS][i / STACKS] = WHOLE;
}
