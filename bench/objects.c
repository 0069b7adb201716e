/*
 * bench/objects - what one object more, changed or less costs among many of its kind.
 *
 * For each kind N of them lie in files of 100; one more comes in a file of its own, is changed
 * and taken away again, ROUNDS times. Figures are p50 of the thread's processor time, in
 * milliseconds, without looking at the files (bench/reload.c has that); rounds end after 20 s:
 *
 *   bench-objects [KIND] [N...]     by default every kind among 10,000 and 100,000
 */
#include "base/buf.h"
#include "base/hash.h"
#include "mesh/mesh.h"
#include "source/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PER_FILE 100
#define ROUNDS 21
#define ROUNDS_NS UINT64_C(20000000000)

struct subject {
    const char *name;
    /* Object `i`; `variant` changes it. */
    void (*write)(struct buf *b, size_t i, int variant);
    /* The one that comes and goes, where it is of another kind; NULL: `write`. */
    void (*write_one)(struct buf *b, size_t i, int variant);
    const char *base; /* what is there once */
    size_t max;       /* more take too long to set up */
};

static char *pem_cert, *pem_key; /* base64 */
static size_t the_one;           /* that comes and goes */

/* ---- the kinds ---- */

#define GATEWAY                                                                                    \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\n"    \
    "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"

#define GATEWAY_TLS                                                                                \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\n"    \
    "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}, {port: "     \
    "{number: 443, name: https, protocol: HTTPS}, hosts: ['*.test'], tls: {mode: SIMPLE, "         \
    "credentialName: c000000}}]}\n"

static void add_service(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%06zu, namespace: shop}\n"
               "spec: {ports: [{name: %s, port: 80}]}\n",
               i, variant ? "http2" : "http");
}

static void add_slice(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: "
               "s%06zu-1, namespace: shop, labels: {kubernetes.io/service-name: s%06zu}}\n"
               "addressType: IPv4\nports: [{name: http, port: 80}]\nendpoints: [{addresses: "
               "[10.%d.%zu.%zu]}]\n",
               i, i, variant, i / 250 % 250, i % 250);
}

static void write_service(struct buf *b, size_t i, int variant)
{
    add_service(b, i, variant);
    add_slice(b, i, 0);
}

static void write_endpoint(struct buf *b, size_t i, int variant)
{
    add_slice(b, i, variant);
    add_service(b, i, 0);
}

static void write_rule(struct buf *b, size_t i, int variant)
{
    add_service(b, i, 0);
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: "
               "d%06zu, namespace: shop}\nspec: {host: s%06zu, trafficPolicy: {loadBalancer: "
               "{simple: %s}}}\n",
               i, i, variant ? "RANDOM" : "ROUND_ROBIN");
}

static void write_virtualservice(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: "
               "v%06zu, namespace: shop}\nspec: {hosts: [h%06zu.test], gateways: [g], http: "
               "[{directResponse: {status: 20%d}}]}\n",
               i, i, variant);
}

static void add_gateway(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g%06zu, "
               "namespace: shop}\nspec: {servers: [{port: {number: 443, name: https, protocol: "
               "HTTPS}, hosts: [h%06zu.test], tls: {mode: SIMPLE, credentialName: c%06zu%s}}]}\n",
               i, i, i, variant ? ", minProtocolVersion: TLSV1_3" : "");
}

static void add_secret(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: v1\nkind: Secret\nmetadata: {name: c%06zu, namespace: shop, "
               "labels: {v: '%d'}}\ntype: kubernetes.io/tls\ndata:\n  tls.crt: %s\n  tls.key: %s\n",
               i, variant, pem_cert, pem_key);
}

static void write_gateway(struct buf *b, size_t i, int variant)
{
    add_gateway(b, i, variant);
    add_secret(b, i, 0);
}

/* Each is named by a Gateway, that of the one that comes and goes too. */
static void write_secret(struct buf *b, size_t i, int variant)
{
    add_secret(b, i, variant);
    if (i != the_one)
        add_gateway(b, i, 0);
    if (i == 0)
        add_gateway(b, the_one, 0);
}

/* ---- what comes and goes among VirtualServices ---- */

static void write_hosts(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: "
               "v%06zu, namespace: shop}\nspec: {hosts: [%s], gateways: [g], http: "
               "[{directResponse: {status: 200}}]}\n",
               i, variant ? "h000003.test" : "'*.wide.test'");
}

static void write_gateways(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: "
               "v%06zu, namespace: shop}\nspec: {hosts: [h%06zu.test], gateways: [%s], http: "
               "[{directResponse: {status: 200}}]}\n",
               i, i, variant ? "g, tls" : "tls");
}

static void add_tls(struct buf *b, const char *hosts, const char *more)
{
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, "
               "namespace: shop}\nspec: {servers: [{port: {number: 80, name: http, protocol: "
               "HTTP}, hosts: ['*']}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: "
               "[%s], tls: {mode: SIMPLE, credentialName: c000000%s}}]}\n",
               hosts, more);
}

/* The Gateway that all are bound to: coming and going it binds and frees them all. */
static void write_tls(struct buf *b, size_t i, int variant)
{
    (void)i;
    add_tls(b, "'*.test'", variant ? ", minProtocolVersion: TLSV1_3" : "");
}

static void write_tls_hosts(struct buf *b, size_t i, int variant)
{
    (void)i;
    add_tls(b, variant ? "'*.test', h000007.other" : "'*.test'", "");
}

static void write_other(struct buf *b, size_t i, int variant)
{
    buf_printf(b,
               "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g%06zu, "
               "namespace: shop}\nspec: {servers: [{port: {number: %d, name: http, protocol: "
               "HTTP}, hosts: [h%06zu.test]}]}\n",
               i, variant ? 8080 : 80, i);
}

static void write_tls_secret(struct buf *b, size_t i, int variant)
{
    (void)i;
    add_secret(b, 0, variant);
}

static const struct subject subjects[] = {
    { "Service", write_service, NULL, "", 100000 },
    { "EndpointSlice", write_endpoint, NULL, "", 100000 },
    { "DestinationRule", write_rule, NULL, "", 100000 },
    { "VirtualService", write_virtualservice, NULL, GATEWAY, 100000 },
    { "hosts", write_virtualservice, write_hosts, GATEWAY, 100000 },
    { "gateways", write_virtualservice, write_gateways, GATEWAY, 100000 },
    { "Gateway-other", write_virtualservice, write_other, GATEWAY, 100000 },
    { "Gateway-tls", write_virtualservice, write_tls, "", 100000 },
    { "Gateway-hosts", write_virtualservice, write_tls_hosts, "", 100000 },
    { "Secret-tls", write_virtualservice, write_tls_secret, GATEWAY_TLS, 100000 },
    { "Gateway", write_gateway, NULL, "", 10000 },
    { "Secret", write_secret, NULL, "", 10000 },
};

/* ---- files in memory ---- */

struct world {
    const struct subject *s;
    struct source_file *files; /* the base, N / 100 files, and the one that comes and goes */
    size_t n;
    struct mesh *mesh;
};

static void file_set(struct source_file *f, const char *name, struct buf *octets)
{
    char *copy = must_alloc(octets->n + 1), *path = must_alloc(strlen(name) + 1);

    memcpy(copy, octets->p, octets->n);
    memcpy(path, name, strlen(name));
    *f = (struct source_file){ .path = str_of(path),
                               .octets = str_make(copy, octets->n),
                               .hash = hash_stable(str_make(copy, octets->n)),
                               .changed = true };
}

static void file_drop(struct source_file *f)
{
    free((char *)(uintptr_t)f->octets.p);
    free((char *)(uintptr_t)f->path.p);
}

static void world_fill(struct world *w, const struct subject *s, size_t n)
{
    char name[32];
    struct buf b;

    *w = (struct world){ .s = s, .files = must_alloc((n / PER_FILE + 2) * sizeof(*w->files)) };
    buf_init(&b, SIZE_MAX);
    buf_add(&b, str_of(s->base));
    file_set(&w->files[w->n++], "base.yaml", &b);
    for (size_t i = 0; i < n; i++) {
        if (i % PER_FILE == 0)
            buf_reset(&b);
        s->write(&b, i, 0);
        if (i % PER_FILE < PER_FILE - 1 && i + 1 < n)
            continue;
        snprintf(name, sizeof(name), "f%06zu.yaml", i / PER_FILE);
        file_set(&w->files[w->n++], name, &b);
    }
    buf_fini(&b);
}

static uint64_t now_ns(void *arg)
{
    struct timespec t;

    (void)arg;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct cost {
    uint64_t store, compile, all;
};

static struct cost update(struct world *w)
{
    const struct source_scan scan = { .files = w->files, .n = w->n, .changed = true };
    struct root *root = NULL;
    struct arena arena;
    struct notes notes;
    struct cost cost;
    uint64_t begun = now_ns(NULL);
    enum mesh_verdict verdict;

    arena_init(&arena, 65536);
    notes_init(&notes, &arena);
    verdict = mesh_update(w->mesh, &scan, &notes, &root);
    root_unref(root);
    cost.all = now_ns(NULL) - begun;
    cost.store = mesh_counts(w->mesh)->store_ns;
    cost.compile = mesh_counts(w->mesh)->compile_ns;
    MUST(verdict != MESH_REFUSED);
    arena_fini(&arena);
    return cost;
}

/* ---- figures ---- */

enum step { ADD, CHANGE, REMOVE, STEPS };
static const char *const step_names[STEPS] = { "add", "change", "remove" };

static int compare_cost(const void *a, const void *b)
{
    uint64_t x = ((const struct cost *)a)->all, y = ((const struct cost *)b)->all;

    return x < y ? -1 : x > y;
}

static struct cost one_step(struct world *w, enum step step, size_t i)
{
    struct source_file *f = &w->files[w->n - (step == ADD ? 0 : 1)];
    struct cost cost;
    struct buf b;

    if (step != ADD)
        file_drop(f);
    if (step == REMOVE) {
        w->n--;
        return update(w);
    }
    buf_init(&b, SIZE_MAX);
    (w->s->write_one ? w->s->write_one : w->s->write)(&b, i, step == CHANGE);
    file_set(f, "zz.yaml", &b);
    w->n += step == ADD;
    cost = update(w);
    buf_fini(&b);
    f->changed = false;
    return cost;
}

static void bench(const struct subject *s, size_t n)
{
    static struct cost costs[STEPS][ROUNDS];
    struct mesh_options o = { .hooks = { .now_ns = now_ns } };
    size_t rounds = 0;
    uint64_t begun;
    struct world w;

    the_one = n;
    world_fill(&w, s, n);
    w.mesh = mesh_new(&o);
    printf("%s among %zu: start %.0f ms;", s->name, n, (double)update(&w).all / 1e6);
    for (size_t i = 0; i < w.n; i++)
        w.files[i].changed = false;
    for (begun = now_ns(NULL); rounds < ROUNDS && now_ns(NULL) - begun < ROUNDS_NS; rounds++)
        for (int step = 0; step < STEPS; step++)
            costs[step][rounds] = one_step(&w, (enum step)step, n);
    for (int step = 0; step < STEPS; step++) {
        const struct cost *c;

        qsort(costs[step], rounds, sizeof(struct cost), compare_cost);
        c = &costs[step][rounds / 2];
        printf(" %s %.2f (decode %.2f, compile %.2f)%s", step_names[step], (double)c->all / 1e6,
               (double)c->store / 1e6, (double)c->compile / 1e6, step < STEPS - 1 ? "," : " ms\n");
    }
    fflush(stdout);
    mesh_free(w.mesh);
    for (size_t i = 0; i < w.n; i++)
        file_drop(&w.files[i]);
    free(w.files);
}

/* The octets of a command's output, as base64 on one line. */
static char *output_of(const char *command)
{
    static char text[65536];
    FILE *f = popen(command, "r");
    size_t n;

    MUST(f != NULL);
    n = fread(text, 1, sizeof(text) - 1, f);
    MUST(pclose(f) == 0 && n > 0);
    text[n] = 0;
    return strdup(text);
}

static void make_certificate(void)
{
    char dir[] = "/tmp/bench-objects.XXXXXX", command[512];

    MUST(mkdtemp(dir) != NULL);
    snprintf(command, sizeof(command),
             "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "
             "30 -subj /CN=x -addext 'subjectAltName=DNS:*.test' -keyout k -out c 2>/dev/null && "
             "base64 -w0 c",
             dir);
    pem_cert = output_of(command);
    snprintf(command, sizeof(command), "base64 -w0 %s/k; rm -r %s", dir, dir);
    pem_key = output_of(command);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 10000, 100000 };
    const char *only = argc > 1 ? argv[1] : NULL;

    make_certificate();
    for (size_t i = 0; i < LEN(subjects); i++) {
        const struct subject *s = &subjects[i];

        if (only && strcmp(only, s->name) != 0)
            continue;
        for (int k = 2; k < argc; k++)
            bench(s, strtoul(argv[k], NULL, 10));
        for (size_t k = 0; argc < 3 && k < LEN(sizes); k++)
            if (sizes[k] <= s->max)
                bench(s, sizes[k]);
    }
    free(pem_cert);
    free(pem_key);
    return 0;
}
