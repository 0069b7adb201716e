/*
 * Design 5.10 and 5.5 over random steps: after each one the mesh that remembers has the same
 * root and says the same as one that does everything anew, and what nobody touched stays the
 * very same pointer.
 */
#include "unit/check.h"
#include "unit/mesh/walk.h"

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

static void walk(uint64_t seed, int steps)
{
    static struct walk w; /* large */
    struct bench kept, fresh;

    walk_init(&w, seed);
    bench_init(&kept);
    bench_init(&fresh);
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
