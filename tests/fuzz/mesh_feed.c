#include "fuzz/mesh_feed.h"

#include "base/hash.h"

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

struct mesh *mesh_feed_new(bool dev, void (*recall)(void *arg, struct mesh *m), void *arg)
{
    struct mesh_options o = { .dev = dev,
                              .hooks = { .arg = arg,
                                         .port_map = map_port,
                                         .stand_in = stand_in,
                                         .issue = issue,
                                         .recall = recall } };

    return mesh_new(&o);
}

struct root *mesh_feed(struct mesh *m, struct str octets)
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
    if (mesh_update(m, &scan, &notes, &root) != MESH_NEW)
        root = NULL;
    arena_fini(&a);
    return root;
}
