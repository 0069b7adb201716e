/*
 * bench/reload - what a saved file costs, phase by phase, by the size of the configuration.
 *
 * The fixture: 100 routes a VirtualService, one VirtualService a file, two weighted
 * destinations each, a Gateway and ten Services in one more file. A change rewrites one
 * file. Waiting (10 ms of quiet) is not in it; publishing and the first request are measured
 * on the running program (bench/live.py).
 *
 *   bench-reload [--cpu] [--steps N] [ROUTES...]      by default 10, 1,000, 10,000 and 100,000
 *
 * --cpu counts the thread's processor time instead of the clock's: for a busy machine.
 */
#include "api/object.h"
#include "mesh/mesh.h"
#include "source/files.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#define PER_FILE 100

enum phase { READ, DECODE, STORE, COMPILE, FREE, PHASES };
static const char *const phase_names[PHASES] = { "read", "decode", "store", "compile", "free" };

struct fixture {
    char dir[64];
    size_t routes, files;
};

static clockid_t clock_used = CLOCK_MONOTONIC;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(clock_used, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t resident_kb(void)
{
    size_t pages = 0, all = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f && fscanf(f, "%zu %zu", &all, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- the fixture ---- */

static FILE *file_begin(const struct fixture *x, const char *name)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/.%s", x->dir, name);
    f = fopen(path, "w");
    MUST(f != NULL);
    return f;
}

static void file_end(const struct fixture *x, const char *name, FILE *f)
{
    char from[256], to[256];

    MUST(fclose(f) == 0);
    snprintf(from, sizeof(from), "%s/.%s", x->dir, name);
    snprintf(to, sizeof(to), "%s/%s", x->dir, name);
    MUST(rename(from, to) == 0);
}

static void write_base(const struct fixture *x)
{
    FILE *f = file_begin(x, "base.yaml");

    fprintf(f,
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: "
            "shop}\nspec:\n  selector: {istio: ingress}\n  servers:\n  - port: {number: 80, name: "
            "http, protocol: HTTP}\n    hosts: ['*']\n");
    for (int i = 0; i < 10; i++)
        fprintf(f,
                "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d, namespace: shop}\n"
                "spec: {ports: [{name: http, port: 80}]}\n---\napiVersion: discovery.k8s.io/v1\n"
                "kind: EndpointSlice\nmetadata: {name: s%d-1, namespace: shop, labels: "
                "{kubernetes.io/service-name: s%d}}\naddressType: IPv4\nports: [{name: http, port: "
                "8080}]\nendpoints: [{addresses: [10.0.0.%d]}, {addresses: [10.0.1.%d]}]\n",
                i, i, i, i + 1, i + 1);
    file_end(x, "base.yaml", f);
}

static void write_service(const struct fixture *x, size_t at, int weight)
{
    char name[32];
    size_t n = MIN(x->routes - at * PER_FILE, (size_t)PER_FILE);
    FILE *f;

    snprintf(name, sizeof(name), "v%05zu.yaml", at);
    f = file_begin(x, name);
    fprintf(f,
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: v%05zu\n"
            "  namespace: shop\nspec:\n  hosts:\n  - h%05zu.test\n  gateways:\n  - g\n  http:\n",
            at, at);
    for (size_t k = 0; k < n; k++)
        fprintf(f,
                "  - match:\n    - uri:\n        prefix: /api/v1/item%zu/\n    route:\n"
                "    - destination:\n        host: s%zu\n        port:\n          number: 80\n"
                "      weight: %d\n    - destination:\n        host: s%zu\n        port:\n"
                "          number: 80\n      weight: %d\n",
                k, k % 10, weight, (k + 1) % 10, 100 - weight);
    file_end(x, name, f);
}

static void fixture_write(struct fixture *x, size_t routes)
{
    snprintf(x->dir, sizeof(x->dir), "/tmp/bench-reload.XXXXXX");
    MUST(mkdtemp(x->dir) != NULL);
    x->routes = routes;
    x->files = (routes + PER_FILE - 1) / PER_FILE;
    write_base(x);
    for (size_t i = 0; i < x->files; i++)
        write_service(x, i, 80);
}

static void fixture_remove(const struct fixture *x)
{
    char path[256];

    for (size_t i = 0; i < x->files; i++) {
        snprintf(path, sizeof(path), "%s/v%05zu.yaml", x->dir, i);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/base.yaml", x->dir);
    unlink(path);
    rmdir(x->dir);
}

/* ---- one change ---- */

struct step {
    uint64_t ns[PHASES], all;
};

/* Decoding alone, once more: what of the store's time it was. */
static uint64_t decode_ns(const struct source_scan *scan, struct arena *arena)
{
    uint64_t begun = now_ns();
    struct api_objects objects;
    struct notes notes;

    notes_init(&notes, arena);
    for (size_t i = 0; i < scan->n; i++)
        if (scan->files[i].changed)
            MUST(
                api_load_file(arena, scan->files[i].path, scan->files[i].octets, &notes, &objects));
    return now_ns() - begun;
}

static uint64_t clock_of(void *arg)
{
    (void)arg;
    return now_ns();
}

static void one_update(struct source *s, struct mesh *m, struct step *out)
{
    const struct source_scan *scan;
    struct arena arena;
    struct notes notes;
    struct root *root = NULL;
    const struct mesh_summary *sum;
    uint64_t t[3];

    arena_init(&arena, 65536);
    notes_init(&notes, &arena);
    t[0] = now_ns();
    scan = source_scan(s);
    t[1] = now_ns();
    MUST(mesh_update(m, scan, &notes, &root) == MESH_NEW);
    t[2] = now_ns();
    for (size_t i = 0; i < notes.n; i++)
        fprintf(stderr, "%.*s:%u: %.*s\n", STRF(notes.v[i].pos.file), notes.v[i].pos.line,
                STRF(notes.v[i].text));
    MUST(notes.n == 0);
    root_unref(root);
    sum = mesh_summary(m);
    out->all = t[2] - t[0];
    out->ns[READ] = t[1] - t[0];
    out->ns[DECODE] = decode_ns(scan, &arena);
    out->ns[STORE] = sum->store_ns - MIN(sum->store_ns, out->ns[DECODE]);
    out->ns[COMPILE] = sum->compile_ns;
    out->ns[FREE] = t[2] - t[1] - sum->store_ns - sum->compile_ns;
    arena_fini(&arena);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static double percentile_ms(uint64_t *v, size_t n, size_t percent)
{
    qsort(v, n, sizeof(*v), compare_u64);
    return (double)v[MIN(n * percent / 100, n - 1)] / 1e6;
}

static void print_steps(const struct step *steps, size_t n)
{
    uint64_t *v = must_alloc(sizeof(*v) * n);

    for (int p = 0; p < PHASES; p++) {
        for (size_t i = 0; i < n; i++)
            v[i] = steps[i].ns[p];
        printf(" %s %.2f", phase_names[p], percentile_ms(v, n, 50));
    }
    for (size_t i = 0; i < n; i++)
        v[i] = steps[i].all;
    printf(" | all p50 %.2f p99 %.2f ms\n", percentile_ms(v, n, 50), percentile_ms(v, n, 99));
    free(v);
}

static void bench(size_t routes, size_t count)
{
    struct fixture x;
    struct step *steps = must_alloc(sizeof(*steps) * count);
    struct step first;
    struct mesh_options o = { .hooks = { .now_ns = clock_of } };
    struct source *s;
    struct mesh *m;
    struct str path;
    size_t before_kb = resident_kb(), peak_kb;

    fixture_write(&x, routes);
    path = str_of(x.dir);
    s = source_new(&path, 1, 0);
    m = mesh_new(&o);
    one_update(s, m, &first);
    peak_kb = resident_kb();
    source_drop_octets(s);
    malloc_trim(0);
    printf("%zu routes: start %.1f ms, %.2f KB a route, at rest %.2f\n", routes,
           (double)first.all / 1e6, (double)(peak_kb - before_kb) / (double)routes,
           (double)(resident_kb() - before_kb) / (double)routes);
    for (size_t i = 0; i < count; i++) {
        write_service(&x, (i * 7919) % x.files, i % 2 ? 70 - (int)(i % 40) : 30 + (int)(i % 40));
        one_update(s, m, &steps[i]);
    }
    printf("  a change, ms:");
    print_steps(steps, count);
    fflush(stdout);
    mesh_free(m);
    source_free(s);
    fixture_remove(&x);
    free(steps);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 10, 1000, 10000, 100000 };
    size_t count = 100;
    int at = 1;

    if (argc > 1 && strcmp(argv[1], "--cpu") == 0) {
        clock_used = CLOCK_THREAD_CPUTIME_ID;
        at = 2;
    }
    if (argc > at + 1 && strcmp(argv[at], "--steps") == 0) {
        count = strtoul(argv[at + 1], NULL, 10);
        at += 2;
    }
    for (size_t i = 0; at >= argc && i < LEN(sizes); i++)
        bench(sizes[i], count);
    for (; at < argc; at++)
        bench(strtoul(argv[at], NULL, 10), count);
    return 0;
}
