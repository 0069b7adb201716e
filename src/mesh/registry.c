/*
 * mesh/registry - services and clusters, new or as they were the last time.
 */
#include "base/hash.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"

#include <stdlib.h>

static const enum object_kind registry_kinds[] = {
    OBJ_DESTINATION_RULE, OBJ_SERVICE_ENTRY, OBJ_WORKLOAD_ENTRY, OBJ_SERVICE,      OBJ_ENDPOINTS,
    OBJ_ENDPOINT_SLICE,   OBJ_POD,           OBJ_DEPLOYMENT,     OBJ_STATEFUL_SET, OBJ_DAEMON_SET,
};

void registry_free(struct registry *r)
{
    if (!r)
        return;
    map_fini(&r->lookups);
    map_fini(&r->services);
    map_fini(&r->clusters);
    arena_free(r->arena);
}

static uint64_t registry_digest(const struct compile *c)
{
    uint64_t digest = c->config_digest;

    for (size_t i = 0; i < LEN(registry_kinds); i++)
        digest = hash_mix(digest, c->m->changed[registry_kinds[i]]);
    return digest;
}

static struct registry *registry_new(uint64_t digest)
{
    struct arena *a = arena_new(16384);
    struct registry *r = ARENA_NEW(a, struct registry);

    r->arena = a;
    r->digest = digest;
    map_init(&r->lookups);
    map_init(&r->services);
    map_init(&r->clusters);
    notes_init(&r->notes, a);
    return r;
}

/* Everything that is made meanwhile lives as long as the registry does. */
static void registry_make(struct compile *c, struct registry *r)
{
    struct arena *a = c->a;
    struct notes *notes = c->notes;
    size_t unsupported = c->sum->unsupported;

    c->a = r->arena;
    c->notes = &r->notes;
    r->notes.max = notes->max;
    c->reg = r;
    lookups_build(c);
    services_index(c);
    clusters_compile(c);
    c->a = a;
    c->notes = notes;
    r->unsupported = c->sum->unsupported - unsupported;
    r->cluster_count = c->sum->clusters;
    r->endpoint_count = c->sum->endpoints;
}

/* Stand-ins are asked for each time: the program counts who still wants them. */
static bool registry_holds(const struct compile *c, const struct registry *r, uint64_t digest)
{
    bool plays = c->o->dev && c->o->hooks.stand_in;

    return r && !r->refused && r->digest == digest && !plays;
}

void registry_compile(struct compile *c)
{
    struct mesh *m = c->m;
    uint64_t digest = registry_digest(c);

    if (registry_holds(c, m->registry, digest)) {
        c->reg = m->registry;
        c->kept[PART_CLUSTER] = c->kept[PART_HOSTS] = true;
        c->sum->unsupported += c->reg->unsupported;
        c->sum->clusters = c->reg->cluster_count;
        c->sum->endpoints = c->reg->endpoint_count;
    } else {
        registry_free(m->registry);
        m->registry = registry_new(digest);
        m->registry_round++;
        registry_make(c, m->registry);
    }
    c->registry_round = m->registry_round;
    notes_append(c->notes, &c->reg->notes);
}
