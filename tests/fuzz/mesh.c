/*
 * tests/fuzz/mesh - hostile manifests through decoder and compiler: any octets give a root or
 * notes, never a crash; a file saved half and then whole, too.
 */
#include "mesh/mesh.h"

#include "base/hash.h"
#include "fuzz/fuzz.h"

static bool stand_in(void *arg, const struct mesh_workload *w, uint32_t replica,
                     uint16_t container_port, struct addr *ret)
{
    (void)arg;
    (void)w;
    *ret = (struct addr){ .family = 4, .port = container_port, .ip = { 127, 0, 0, 1 } };
    return replica < 3;
}

static bool issue(void *arg, const struct mesh_certificate *c, struct arena *a,
                  struct str *ret_chain, struct str *ret_key, struct str *ret_error)
{
    (void)arg;
    (void)a;
    *ret_chain = *ret_key = STR("no PEM");
    *ret_error = STR("no such names");
    return c->dns_name_count > 0;
}

static uint16_t map_port(void *arg, const struct addr *bind, uint16_t port)
{
    (void)arg;
    (void)bind;
    return port < 1024 ? (uint16_t)(port + 8000) : port;
}

static void update(struct mesh *m, struct str octets)
{
    struct source_file file = {
        .path = STR("f.yaml"), .octets = octets, .hash = hash_stable(octets), .changed = true
    };
    struct source_scan scan = { .files = &file, .n = 1, .changed = true };
    struct arena a;
    struct notes notes;
    struct root *root = NULL;

    arena_init(&a, 4096);
    notes_init(&notes, &a);
    if (mesh_update(m, &scan, &notes, &root) == MESH_NEW)
        root_unref(root);
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct mesh_options o = {
        .dev = n % 2 == 0,
        .hooks = { .port_map = map_port, .stand_in = stand_in, .issue = issue },
    };
    struct str all = str_make((const char *)octets, n);
    struct mesh *m;

    if (n > 65536)
        return 0;
    m = mesh_new(&o);
    update(m, all);
    update(m, str_sub(all, 0, n / 2));
    update(m, all);
    mesh_free(m);
    return 0;
}
