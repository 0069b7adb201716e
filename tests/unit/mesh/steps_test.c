/*
 * Design 5.10 and 5.5 over random steps: after each one the mesh that remembers has the same
 * root and says the same as one that does everything anew; only pieces are made again that have
 * read what changed, and what nobody touched stays the very same pointer; and the octets of each
 * snapshot give the same snapshot.
 */
#include "model/image.h"
#include "route/route.h"
#include "unit/check.h"
#include "unit/mesh/pieces.h"
#include "unit/mesh/walk.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS 2500

/* Parts named after a stack that the step did not touch, and which the mixed one never names. */
static void check_untouched(const struct root *before, const struct root *now, int touched)
{
    for (int kind = 0; kind < PART_KINDS; kind++)
        for (slot_id i = 0; i < root_slots(before, (enum part_kind)kind); i++) {
            const struct part *p = root_part(before, (enum part_kind)kind, i);

            for (int s = 0; p && s < STACKS - 1; s++)
                if (s != touched && str_find_str(p->name, str_of(walk_names[s])) < p->name.n)
                    CHECK(p == root_part(now, (enum part_kind)kind, i));
        }
}

static void check_step(struct bench *kept, struct bench *fresh, struct root *before, int touched)
{
    char *said;

    CHECK_EQ(kept->verdict, fresh->verdict);
    bench_check_same(kept->root, fresh->root);
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

static struct str image_of(const struct root *root, struct buf *b)
{
    buf_init(b, SIZE_MAX);
    image_write(root, b);
    return buf_str(b);
}

/* Questions that the hosts and rules of the walk can tell apart. */
static void ask(const struct root *root, const struct routes *r, struct buf *answers)
{
    static const char *const hosts[] = { "w", "x", "y", "m", "z" };
    static const char *const paths[] = { "/", "/7", "/m/x", "/a/11" };
    const struct headers none = { 0 };

    for (size_t i = 0; i < LEN(hosts) * STACKS * LEN(paths); i++) {
        char host[64];
        const struct vhost *v;
        const struct route *picked;

        snprintf(host, sizeof(host), "%s.%s.test", hosts[i % LEN(hosts)],
                 walk_names[i / LEN(hosts) % STACKS]);
        v = route_vhost(root, r, str_of(host));
        picked = v ? route_pick(v,
                                &(struct route_request){
                                    .host = str_of(host),
                                    .authority = str_of(host),
                                    .path = str_of(paths[i / LEN(hosts) / STACKS]),
                                    .query = STR(""),
                                    .method = STR("GET"),
                                    .scheme = STR("http"),
                                    .headers = &none,
                                })
                   : NULL;
        buf_printf(answers, "%.*s %d;", STRF(v ? v->part.name : STR("-")),
                   picked ? (int)picked->id : -1);
    }
}

static struct str answers_of(const struct root *root, struct buf *b)
{
    buf_init(b, SIZE_MAX);
    for (slot_id s = 0; s < root_slots(root, PART_ROUTES); s++)
        if (root_routes(root, s))
            ask(root, root_routes(root, s), b);
    return buf_str(b);
}

/* Encoded, decoded, encoded: the same octets, and the same answers. */
static void check_octets(const struct root *root)
{
    struct slots *slots = slots_new();
    struct buf once, twice, one, other;
    struct str why;
    struct root *read = image_read(image_of(root, &once), slots, &why);

    CHECK(read != NULL);
    CHECK(str_eq(image_of(read, &twice), buf_str(&once)));
    CHECK(str_eq(answers_of(root, &one), answers_of(read, &other)));
    buf_fini(&once);
    buf_fini(&twice);
    buf_fini(&one);
    buf_fini(&other);
    root_unref(read);
    slots_free(slots);
}

static void walk(uint64_t seed, int steps)
{
    static struct walk w; /* large */
    struct pieces *was = NULL, *is;
    struct bench kept, fresh;

    walk_init(&w, seed);
    bench_init(&kept);
    bench_init(&fresh);
    fresh.options.awake_max = 1; /* objects rest after each piece of work */
    kept.options.awake_max = seed % 2;
    for (int i = 0; i < steps; i++) {
        int touched = walk_step(&w);
        struct root *before = kept.root ? root_ref(kept.root) : NULL;

        CASE(i);
        for (int half = 0; half < 2; half++) {
            walk_write(&w, &kept, touched, half);
            walk_write(&w, &fresh, touched, half);
        }
        arena_reset(&kept.arena);
        arena_reset(&fresh.arena);
        if (fresh.mesh)
            mesh_forget(fresh.mesh);
        bench_update(&kept);
        bench_update(&fresh);
        check_step(&kept, &fresh, before, touched);
        is = pieces_take(kept.mesh);
        if (was)
            pieces_check(was, is);
        pieces_free(was);
        was = is;
        if (kept.verdict == MESH_NEW)
            check_octets(kept.root);
        root_unref(before);
    }
    pieces_free(was);
    bench_fini(&kept);
    bench_fini(&fresh);
}

TEST(after_each_of_2500_steps_what_is_remembered_equals_what_is_made_anew)
{
    for (uint64_t seed = 1; seed <= STEPS / 250; seed++)
        walk(seed, 250);
}
