/*
 * Design 5.5: starting from the files and a copy of the state directory gives the same snapshot
 * as having reloaded up to there. After each random step a fresh mesh starts from the files as
 * they are, with what the running one kept as octets: its objects, and its last snapshot.
 */
#include "base/hash.h"
#include "mesh/kept.h"
#include "model/image.h"
#include "unit/check.h"
#include "unit/mesh/walk.h"

#include <stdlib.h>

#define STEPS 250

/* Sanitizers look at the code, not at the numbers. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUNS 1
#else
#define RUNS 8
#endif

/* A state directory. */
struct state_dir {
    struct buf shards[KEPT_SHARDS];
    uint64_t digests[KEPT_SHARDS];
    struct buf image;
    size_t written;
    bool forgets;  /* planted: nothing of it is recalled */
    size_t differ; /* restarts that came to another snapshot, where it forgets */
};

static void dir_init(struct state_dir *s)
{
    memset(s, 0, sizeof(*s));
    for (size_t i = 0; i < KEPT_SHARDS; i++)
        buf_init(&s->shards[i], 1 << 20);
    buf_init(&s->image, 1 << 24);
}

static void dir_fini(struct state_dir *s)
{
    for (size_t i = 0; i < KEPT_SHARDS; i++)
        buf_fini(&s->shards[i]);
    buf_fini(&s->image);
}

/* As the program does it: shards whose digest is the same are not written again. */
static void dir_keep(struct state_dir *s, const struct bench *b)
{
    uint64_t digests[KEPT_SHARDS];

    kept_digests(b->mesh, digests);
    for (uint32_t i = 0; i < KEPT_SHARDS; i++) {
        if (digests[i] == s->digests[i])
            continue;
        buf_reset(&s->shards[i]);
        kept_write(b->mesh, i, &s->shards[i]);
        s->digests[i] = digests[i];
        s->written++;
    }
    buf_reset(&s->image);
    image_write(b->root, &s->image);
}

static void recall(void *arg, struct mesh *m)
{
    const struct state_dir *s = arg;

    for (size_t i = 0; i < KEPT_SHARDS && !s->forgets; i++) {
        struct str why = STR_NONE;

        if (s->shards[i].n)
            CHECK(kept_read(m, buf_str(&s->shards[i]), &why));
    }
}

/* Starts over the files of `b` and the state, and comes to where `b` is. */
static void check_restart(struct state_dir *s, const struct bench *b, bool with_image)
{
    struct slots *slots = slots_new();
    struct root *last = NULL;
    struct str why = STR_NONE;
    struct bench again;

    bench_init(&again);
    again.options.hooks.arg = s;
    again.options.hooks.recall = recall;
    again.mesh = mesh_new(&again.options);
    if (with_image) {
        last = image_read(buf_str(&s->image), slots, &why);
        CHECK(last != NULL);
        mesh_adopt(again.mesh, last);
    }
    slots_free(slots);
    bench_start_over(&again, b);
    bench_update(&again);
    if (!again.root)
        again.root = root_ref(last);
    if (s->forgets)
        s->differ += root_hash(again.root) != root_hash(b->root);
    else
        bench_check_same(again.root, b->root);
    root_unref(last);
    bench_fini(&again);
}

/* ---- files that cannot be read ---- */

struct trouble {
    bool locked[STACKS][2]; /* the file cannot be read */
    int missing_root;       /* this stack's files: their directory is gone; -1: none */
};

static void trouble_step(struct trouble *t, struct rng *rng)
{
    int stack = (int)rng_below(rng, STACKS);

    if (rng_below(rng, 4) == 0)
        t->locked[stack][rng_below(rng, 2)] ^= true;
    if (rng_below(rng, 8) == 0)
        t->missing_root = t->missing_root < 0 ? stack : -1;
}

static bool is_hidden(const struct trouble *t, int stack, int half)
{
    return t->locked[stack][half] || t->missing_root == stack;
}

static void files_write(const struct walk *w, const struct trouble *t, struct bench *b)
{
    for (int i = 0; i < STACKS * 2; i++) {
        int stack = i / 2, half = i % 2;

        if (!is_hidden(t, stack, half))
            walk_write(w, b, stack, half);
        if (t->locked[stack][half])
            bench_lock(b, walk_files[stack][half]);
    }
    b->has_error = t->missing_root >= 0;
    if (b->has_error)
        b->error = (struct source_error){ str_of(walk_names[t->missing_root]), STR("gone") };
}

static size_t walk_and_restart(uint64_t seed, bool with_trouble, bool forgets)
{
    static struct walk w; /* large */
    struct trouble t = { .missing_root = -1 };
    struct state_dir state;
    struct bench b;
    struct rng rng;

    walk_init(&w, seed);
    rng_init(&rng, seed + 1000);
    dir_init(&state);
    state.forgets = forgets;
    bench_init(&b);
    for (int i = 0; i < STEPS; i++) {
        CASE(i);
        walk_step(&w);
        if (with_trouble)
            trouble_step(&t, &rng);
        files_write(&w, &t, &b);
        arena_reset(&b.arena);
        bench_update(&b);
        dir_keep(&state, &b);
        check_restart(&state, &b, !forgets && rng_below(&rng, 2));
    }
    CHECK(state.written < STEPS * 12); /* a change costs some shards, not all */
    bench_fini(&b);
    dir_fini(&state);
    return state.differ;
}

TEST(a_restart_over_the_files_and_the_state_is_where_hundreds_of_reloads_are)
{
    for (uint64_t seed = 1; seed <= (RUNS + 3) / 4; seed++)
        CHECK_EQ(walk_and_restart(seed, false, false), 0);
}

TEST(a_restart_over_files_that_cannot_be_read_is_where_2000_steps_of_reloads_are)
{
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        CHECK_EQ(walk_and_restart(seed, true, false), 0);
}

TEST(a_restart_that_forgets_what_was_good_is_found_out)
{
    CHECK(walk_and_restart(1, false, true) > STEPS / 10);
    CHECK(walk_and_restart(1, true, true) > STEPS / 2);
}

/* ---- damage behind a checksum that is right ---- */

static void reseal(struct buf *b)
{
    uint64_t hash = hash_stable(str_from(buf_str(b), 17));

    for (size_t i = 0; i < 8; i++)
        b->p[9 + i] = (char)(hash >> (8 * i));
}

static void damage(struct rng *rng, struct buf *b)
{
    for (uint64_t n = 1 + rng_below(rng, 4); n > 0; n--)
        b->p[17 + rng_below(rng, b->n - 17)] = (char)rng_u64(rng);
    if (rng_below(rng, 4) == 0)
        b->n = 17 + rng_below(rng, b->n - 17);
    reseal(b);
}

TEST(objects_that_are_damaged_behind_their_checksum_are_harmless)
{
    static struct walk w; /* large */
    struct state_dir kept;
    struct bench b;
    struct rng rng;

    walk_init(&w, 1);
    rng_init(&rng, 2);
    dir_init(&kept);
    bench_init(&b);
    for (int i = 0; i < STACKS * 2; i++)
        walk_write(&w, &b, i / 2, i % 2);
    bench_update(&b);
    dir_keep(&kept, &b);
    for (uint32_t i = 0; i < 3000; i++) {
        const struct buf *whole = &kept.shards[i % KEPT_SHARDS];
        struct mesh_options o = { 0 };
        struct str why = STR_NONE;
        struct buf bad;
        struct mesh *m;

        CASE(i);
        if (!whole->n)
            continue;
        buf_init(&bad, 1 << 20);
        buf_add(&bad, buf_str(whole));
        damage(&rng, &bad);
        m = mesh_new(&o);
        CHECK(kept_read(m, buf_str(&bad), &why));
        mesh_free(m);
        buf_fini(&bad);
    }
    bench_fini(&b);
    dir_fini(&kept);
}
