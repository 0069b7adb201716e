/*
 * What the mesh keeps, by its own count: how much a route is, and that all of it comes back.
 */
#include "base/hash.h"
#include "mesh/mesh.h"
#include "unit/check.h"

#include <stdio.h>

#define PER_FILE 100
#define FILES 20
#define ROUTES (PER_FILE * FILES)

enum { OBJECTS, AWAKE, SERVICES, RESULTS, PARTS };

struct fixture {
    struct mesh *mesh;
    struct source_file files[FILES + 1];
    struct buf octets[FILES + 1];
    char paths[FILES + 1][16];
    size_t n;
    struct tally t[MESH_TALLIES];
};

static void set_file(struct fixture *x, size_t at)
{
    snprintf(x->paths[at], sizeof(x->paths[at]), "f%02zu.yaml", at);
    x->files[at] = (struct source_file){ .path = str_of(x->paths[at]),
                                         .octets = buf_str(&x->octets[at]),
                                         .hash = hash_stable(buf_str(&x->octets[at])) };
}

static void write_base(struct fixture *x)
{
    struct buf *b = &x->octets[0];

    buf_reset(b);
    buf_printf(b, "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec:\n"
                  "  servers:\n  - port: {number: 80, name: http, protocol: HTTP}\n"
                  "    hosts: ['*']\n");
    for (int i = 0; i < 10; i++)
        buf_printf(b,
                   "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d}\n"
                   "spec: {ports: [{name: http, port: 80}]}\n---\napiVersion: discovery.k8s.io/v1\n"
                   "kind: EndpointSlice\nmetadata: {name: s%d-1, labels: "
                   "{kubernetes.io/service-name: s%d}}\naddressType: IPv4\n"
                   "ports: [{name: http, port: 8080}]\nendpoints: [{addresses: [10.0.0.%d]}]\n",
                   i, i, i, i + 1);
    set_file(x, 0);
}

/* `weight`: of two digits. */
static void write_service(struct fixture *x, size_t at, int weight, const char *more)
{
    struct buf *b = &x->octets[at];

    buf_reset(b);
    buf_printf(b,
               "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n"
               "  name: v%05zu\nspec:\n  hosts:\n  - h%05zu.test\n  gateways:\n  - g\n  http:\n",
               at, at);
    for (size_t k = 0; k < PER_FILE; k++)
        buf_printf(b,
                   "  - match:\n    - uri:\n        prefix: /api/v1/item%zu/\n    route:\n"
                   "    - destination:\n        host: s%zu\n        port:\n          number: 80\n"
                   "      weight: %d\n    - destination:\n        host: s%zu\n        port:\n"
                   "          number: 80\n      weight: %d\n",
                   k, k % 10, weight, (k + 1) % 10, 100 - weight);
    buf_add(b, str_of(more));
    set_file(x, at);
}

static void update(struct fixture *x)
{
    struct source_scan scan = { .files = x->files, .n = x->n };
    struct arena arena;
    struct notes notes;
    struct root *root = NULL;

    arena_init(&arena, 65536);
    notes_init(&notes, &arena);
    if (mesh_update(x->mesh, &scan, &notes, &root) == MESH_NEW)
        root_unref(root);
    mesh_tally(x->mesh, x->t);
    arena_fini(&arena);
}

static void fixture_init(struct fixture *x)
{
    static const struct mesh_options o = { 0 };

    *x = (struct fixture){ .mesh = mesh_new(&o), .n = FILES + 1 };
    for (size_t i = 0; i <= FILES; i++)
        buf_init(&x->octets[i], 1 << 20);
    write_base(x);
    for (size_t i = 1; i <= FILES; i++)
        write_service(x, i, 80, "");
    update(x);
}

static void fixture_fini(struct fixture *x)
{
    mesh_free(x->mesh);
    for (size_t i = 0; i <= FILES; i++)
        buf_fini(&x->octets[i]);
}

TEST(a_route_costs_no_more_than_it_should)
{
    struct fixture x;
    size_t objects, parts;

    fixture_init(&x);
    objects = x.t[OBJECTS].octets / ROUTES;
    parts = x.t[PARTS].octets / ROUTES;
    printf("octets a route: objects %zu, parts %zu, services %zu, results %zu\n", objects, parts,
           x.t[SERVICES].octets / ROUTES, x.t[RESULTS].octets / ROUTES);
    CHECK_EQ(x.t[OBJECTS].n, FILES + 21);
    CHECK_EQ(x.t[AWAKE].octets, 0);
    CHECK(objects > 0 && objects <= 125);
    CHECK(parts > 0 && parts <= 350);
    fixture_fini(&x);
}

TEST(changes_leave_nothing_behind)
{
    struct fixture x;
    struct tally before[MESH_TALLIES];

    fixture_init(&x);
    memcpy(before, x.t, sizeof(before));
    for (int i = 0; i < 500; i++) {
        size_t at = 1 + (size_t)i % FILES;
        const char *more = i % 7 == 0   ? "  - route: nonsense\n"
                           : i % 7 == 1 ? "  : [\n"
                           : i % 7 == 2
                               ? "---\napiVersion: v1\nkind: Service\nmetadata: {name: n}\n"
                                 "spec: {ports: [{name: http, port: 80}]}\n"
                               : "";

        write_service(&x, at, 10 + i % 80, more);
        update(&x);
        CHECK_EQ(x.t[AWAKE].octets, 0);
    }
    for (size_t i = 1; i <= FILES; i++)
        write_service(&x, i, 80, "");
    update(&x);
    for (size_t i = 0; i < MESH_TALLIES; i++) {
        CASE(i);
        CHECK_EQ(x.t[i].n, before[i].n);
        if (i != RESULTS) /* of the last update only */
            CHECK_EQ(x.t[i].octets, before[i].octets);
    }
    fixture_fini(&x);
}

TEST(what_is_removed_is_given_back)
{
    struct fixture x;
    struct tally before[MESH_TALLIES];

    fixture_init(&x);
    x.n = 1;
    update(&x);
    memcpy(before, x.t, sizeof(before));
    CHECK_EQ(x.t[OBJECTS].n, 21);
    x.n = FILES + 1;
    update(&x);
    CHECK_EQ(x.t[OBJECTS].n, FILES + 21);
    x.n = 1;
    update(&x);
    CHECK_EQ(x.t[OBJECTS].octets, before[OBJECTS].octets);
    CHECK_EQ(x.t[PARTS].octets, before[PARTS].octets);
    x.n = 0;
    update(&x);
    CHECK_EQ(x.t[OBJECTS].n + x.t[OBJECTS].octets, 0);
    fixture_fini(&x);
}
