#include "model/root.h"

#include "model/origins.h"
#include "model/sorted.h"
#include "unit/check.h"
#include "unit/model/random_parts.h"

#include <pthread.h>

static struct part *cluster_of(const char *name, uint32_t connect_ms)
{
    struct cluster *c = part_new(PART_CLUSTER, str_of(name));
    struct str err;

    c->connect_ms = connect_ms;
    CHECK(part_finish(&c->part, &err));
    return &c->part;
}

static uint32_t freed;

static void count_and_destroy(struct part *p)
{
    freed++;
    part_destroy(p);
}

TEST(a_part_is_freed_once_with_its_last_reference)
{
    struct part *p = cluster_of("a", 1);

    freed = 0;
    part_release_hook = count_and_destroy;
    part_ref(p);
    part_unref(p);
    CHECK_EQ(freed, 0);
    part_unref(p);
    CHECK_EQ(freed, 1);
    part_unref(NULL);
    part_release_hook = part_destroy;
}

TEST(references_to_other_parts_begin_as_none)
{
    struct chain *c = part_new(PART_CHAIN, STR("c"));

    CHECK_EQ(c->http.routes, SLOT_NONE);
    CHECK_EQ(c->tls.client_ca, SLOT_NONE);
    part_unref(&c->part);
}

TEST(origins_keep_their_order_and_are_copied)
{
    struct part *p = part_new(PART_CLUSTER, STR("c"));
    char text[] = "VirtualService a/b";

    for (uint32_t i = 0; i < 40; i++)
        CHECK_EQ(part_origin(p, (struct origin){ .line = i, .object = str_of(text) }), i);
    text[0] = 'X';
    CHECK_EQ(part_origin_get(p, 39, p->arena).line, 39);
    CHECK_STRZ(part_origin_get(p, 0, p->arena).object, "VirtualService a/b");
    part_unref(p);
}

static void check_origin(struct origin got, struct origin want)
{
    CHECK_EQ(got.kind, want.kind);
    CHECK_EQ(got.line, want.line);
    CHECK_EQ(got.col, want.col);
    CHECK_STR(got.file, want.file);
    CHECK_STR(got.object, want.object);
    CHECK_STR(got.path, want.path);
}

TEST(origins_come_back_whatever_stood_before_them)
{
    const struct origin all[] = {
        { .kind = ORIGIN_DEFAULT },
        { ORIGIN_FILE, 7, 3, STR("a.yaml"), STR("Gateway a/g"), STR("spec.servers[0]") },
        { ORIGIN_FILE, 7000000, 300, STR("a.yaml"), STR("Gateway a/g"), STR("spec.servers[10]") },
        { ORIGIN_FILE, 1, 1, STR("b.yaml"), STR("Gateway a/g"), STR("spec") },
        { ORIGIN_FILE, UINT32_MAX, UINT32_MAX, STR("b.yaml"), STR(""), STR("") },
        { ORIGIN_FILE, 0, 0, STR("b.yaml"), STR_NONE, STR("spec.servers[0].tls.mode") },
        { ORIGIN_XDS, 2, 2, STR_NONE, STR_NONE, STR_NONE },
        { ORIGIN_KUBERNETES, 2, 2, STR_NONE, STR("x"), STR("spec.servers[0].tls.mode") },
    };
    struct part *p = part_new(PART_CLUSTER, STR("c"));
    struct arena *a = arena_new(1024);
    struct origin_list list;
    struct str err;

    CHECK_EQ(part_origins(p, a).n, 0);
    for (uint32_t i = 0; i < LEN(all); i++)
        part_origin(p, all[i]);
    for (int round = 0; round < 2; round++) {
        list = part_origins(p, a);
        CHECK_EQ(list.n, LEN(all));
        for (uint32_t i = 0; i < LEN(all); i++) {
            CASE(i);
            check_origin(list.v[i], all[i]);
            check_origin(part_origin_get(p, i, a), all[i]);
        }
        CHECK(round || part_finish(p, &err));
    }
    arena_free(a);
    part_unref(p);
}

TEST(equal_content_has_an_equal_hash_and_other_origins_do_not_matter)
{
    struct part *a = cluster_of("a", 1), *same = cluster_of("a", 1), *other = cluster_of("a", 2);
    struct cluster *moved = part_new(PART_CLUSTER, STR("a"));
    struct str err;

    moved->connect_ms = 1;
    part_origin(&moved->part, (struct origin){ .line = 9 });
    CHECK(part_finish(&moved->part, &err));
    CHECK(a->hash == same->hash && a->origin_hash == same->origin_hash);
    CHECK(a->hash != other->hash);
    CHECK(a->hash == moved->part.hash && a->origin_hash != moved->part.origin_hash);
    part_unref(a);
    part_unref(same);
    part_unref(other);
    part_unref(&moved->part);
}

TEST(content_hashes_are_the_same_in_every_process)
{
    struct part *p = cluster_of("outbound|80||a.b", 10000);

    CHECK_EQ(p->hash, -3646092849899628044);
    part_unref(p);
}

/* ---- slots ------------------------------------------------------------------------------ */

TEST(a_slot_is_the_names_until_nobody_holds_it)
{
    struct slots *s = slots_new();
    slot_id a = slots_of(s, PART_CLUSTER, STR("a")), b = slots_of(s, PART_CLUSTER, STR("b"));
    struct part *p = cluster_of("a", 1);

    CHECK_EQ(slots_of(s, PART_CLUSTER, STR("a")), a);
    CHECK(a != b);
    CHECK_EQ(p->slot, a);
    CHECK_STRZ(slot_name(PART_CLUSTER, b), "b");
    slots_sweep(s);
    CHECK(!str_is_set(slot_name(PART_CLUSTER, b)));
    CHECK_STRZ(slot_name(PART_CLUSTER, a), "a");
    slots_free(s);
    CHECK_STRZ(slot_name(PART_CLUSTER, a), "a");
    part_unref(p);
    CHECK(!str_is_set(slot_name(PART_CLUSTER, a)));
}

TEST(a_part_holds_the_slots_that_it_names)
{
    struct slots *s = slots_new();
    struct cluster *c = part_new(PART_CLUSTER, STR("c"));
    struct str err;
    slot_id hosts = slots_of(s, PART_HOSTS, STR("h"));

    c->hosts = hosts;
    CHECK(part_finish(&c->part, &err));
    slots_free(s);
    CHECK_STRZ(slot_name(PART_HOSTS, hosts), "h");
    part_unref(&c->part);
    CHECK(!str_is_set(slot_name(PART_HOSTS, hosts)));
}

/* ---- roots ------------------------------------------------------------------------------- */

static struct root *root_with(struct root *base, struct part *take_part)
{
    struct root_edit *e = root_edit_new(base);

    root_edit_set(e, take_part);
    return root_edit_finish(e);
}

static struct root *root_of_many(uint32_t n)
{
    struct root_edit *e = root_edit_new(NULL);
    char name[16];

    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "c%u", i);
        root_edit_set(e, cluster_of(name, 1));
    }
    return root_edit_finish(e);
}

TEST(a_change_leaves_the_other_parts_the_same_pointers)
{
    struct root *before = root_of_many(300);
    struct root *after = root_with(before, cluster_of("c7", 2));
    uint32_t same = 0, changed = 0;

    for (slot_id i = 0; i < root_slots(before, PART_CLUSTER); i++) {
        if (!root_part(before, PART_CLUSTER, i))
            continue;
        if (root_part(before, PART_CLUSTER, i) == root_part(after, PART_CLUSTER, i))
            same++;
        else
            changed++;
    }
    CHECK_EQ(same, 299);
    CHECK_EQ(changed, 1);
    CHECK_EQ(root_generation(before), 1);
    CHECK_EQ(root_generation(after), 2);
    CHECK(root_hash(before) != root_hash(after));
    root_unref(before);
    root_unref(after);
}

TEST(a_change_copies_one_chunk_and_shares_the_others)
{
    struct root *before = root_of_many(300);
    struct root *after = root_with(before, cluster_of("c7", 2));
    slot_id slot = SLOT_NONE;

    for (slot_id i = 0; i < root_slots(after, PART_CLUSTER); i++) {
        const struct part *p = root_part(after, PART_CLUSTER, i);

        if (p && str_eq(p->name, STR("c7")))
            slot = i;
    }
    CHECK_EQ(root_chunks_shared(before, after, PART_CLUSTER),
             root_slots(after, PART_CLUSTER) / 64 - 1);
    CHECK_EQ(root_cluster(before, slot)->connect_ms, 1);
    CHECK_EQ(root_cluster(after, slot)->connect_ms, 2);
    root_unref(before);
    CHECK_EQ(root_cluster(after, slot)->connect_ms, 2);
    root_unref(after);
}

static void count_difference(void *arg, const struct part *before, const struct part *after)
{
    size_t *n = arg;

    CHECK(before != after);
    ++*n;
}

static size_t differences(const struct root *from, const struct root *to, enum part_kind kind)
{
    size_t n = 0;

    root_kind_differences(from, to, kind, count_difference, &n);
    return n;
}

TEST(two_roots_differ_in_what_was_edited_and_from_none_in_all)
{
    struct root *before = root_of_many(300);
    struct root *after = root_with(before, cluster_of("c7", 2));
    struct root *more = root_with(after, cluster_of("one more", 2));

    CHECK_EQ(differences(before, before, PART_CLUSTER), 0);
    CHECK_EQ(differences(before, after, PART_CLUSTER), 1);
    CHECK_EQ(differences(before, more, PART_CLUSTER), 2);
    CHECK_EQ(differences(more, before, PART_CLUSTER), 2);
    CHECK_EQ(differences(before, more, PART_HOSTS), 0);
    CHECK_EQ(differences(NULL, more, PART_CLUSTER), 301);
    root_unref(before);
    root_unref(after);
    root_unref(more);
}

TEST(the_same_content_keeps_the_old_pointer_and_the_old_root)
{
    struct root *before = root_with(NULL, cluster_of("a", 1));
    struct root_edit *e = root_edit_new(before);
    struct root *after;

    root_edit_set(e, cluster_of("a", 2));
    CHECK(!root_edit_is_empty(e));
    root_edit_set(e, cluster_of("a", 1));
    CHECK(root_edit_is_empty(e));
    after = root_edit_finish(e);
    CHECK(after == before);
    root_unref(after);
    root_unref(before);
}

static uint32_t built;

static uint32_t count_block(__attribute__((unused)) const struct cluster *c)
{
    return ++built;
}

static struct cluster *cluster_raw(uint32_t connect_ms)
{
    struct cluster *c = part_new(PART_CLUSTER, STR("a"));

    c->connect_ms = connect_ms;
    return c;
}

TEST(putting_what_is_there_builds_nothing)
{
    struct root_edit *e = root_edit_new(NULL);
    struct root *before, *after;
    struct str err;

    built = 0;
    part_hooks.block_of_cluster = count_block;
    CHECK(root_edit_put(e, &cluster_raw(1)->part, &err));
    CHECK(root_edit_put(e, &cluster_raw(1)->part, &err));
    CHECK_EQ(built, 1);
    before = root_edit_finish(e);
    e = root_edit_new(before);
    CHECK(root_edit_put(e, &cluster_raw(2)->part, &err));
    CHECK_EQ(built, 2);
    CHECK(root_edit_put(e, &cluster_raw(1)->part, &err)); /* the base's again */
    CHECK_EQ(built, 2);
    after = root_edit_finish(e);
    CHECK(after == before);
    root_unref(after);
    root_unref(before);
    part_hooks.block_of_cluster = NULL;
}

TEST(what_cannot_be_built_stays_the_callers)
{
    struct root_edit *e = root_edit_new(NULL);
    struct secret *s = part_new(PART_SECRET, STR("s"));
    struct str err = STR_NONE;

    s->chain_pem = STR("nonsense");
    CHECK(!root_edit_put(e, &s->part, &err));
    CHECK(err.n > 0);
    CHECK(root_edit_is_empty(e));
    part_unref(&s->part);
    root_edit_free(e);
}

TEST(a_cleared_slot_is_empty_in_the_next_root_only)
{
    struct root *before = root_with(NULL, cluster_of("a", 1));
    struct root_edit *e = root_edit_new(before);
    struct part *p = cluster_of("a", 1);
    slot_id slot = p->slot;
    struct root *after;

    part_unref(p);
    root_edit_clear(e, PART_CLUSTER, slot);
    root_edit_clear(e, PART_CLUSTER, 100000);
    after = root_edit_finish(e);
    CHECK(root_cluster(before, slot) != NULL);
    CHECK(root_cluster(after, slot) == NULL);
    CHECK(root_cluster(after, SLOT_NONE) == NULL);
    CHECK_EQ(root_hash(after), 0);
    root_unref(after);
    root_unref(before);
}

TEST(the_root_hash_does_not_know_the_order_of_edits)
{
    struct root *a = root_with(NULL, cluster_of("a", 1));
    struct root *ab = root_with(a, cluster_of("b", 2)), *ba;
    struct root_edit *e = root_edit_new(NULL);

    root_unref(a);
    root_edit_set(e, cluster_of("b", 7));
    root_edit_set(e, cluster_of("x", 7));
    root_edit_set(e, cluster_of("a", 1));
    root_edit_set(e, cluster_of("b", 2));
    ba = root_edit_finish(e);
    CHECK(root_hash(ab) != root_hash(ba));
    e = root_edit_new(ba);
    for (slot_id i = 0; i < root_slots(ba, PART_CLUSTER); i++) {
        const struct part *p = root_part(ba, PART_CLUSTER, i);

        if (p && str_eq(p->name, STR("x")))
            root_edit_clear(e, PART_CLUSTER, i);
    }
    root_unref(ba);
    ba = root_edit_finish(e);
    CHECK(root_hash(ab) == root_hash(ba));
    root_unref(ab);
    root_unref(ba);
}

/* What each root should hold: connect_ms by cluster, 0 for none. */
#define NAMES 150
struct expected {
    struct root *root;
    uint32_t ms[NAMES];
};

static void expected_check(const struct expected *want, const slot_id *slots)
{
    struct root_edit *e = root_edit_new(NULL);
    struct root *anew;
    char name[16];

    for (uint32_t i = 0; i < NAMES; i++) {
        const struct cluster *c = root_cluster(want->root, slots[i]);

        CHECK_EQ(c ? c->connect_ms : 0, want->ms[i]);
        snprintf(name, sizeof(name), "c%u", i);
        if (c)
            root_edit_set(e, cluster_of(name, want->ms[i]));
    }
    anew = root_edit_finish(e);
    CHECK(root_hash(anew) == root_hash(want->root));
    root_unref(anew);
}

TEST(random_edits_agree_with_a_plain_array_and_leave_older_roots_alone)
{
    struct expected kept[20] = { 0 };
    struct slots *slots = slots_new();
    slot_id slot[NAMES];
    struct rng rng;
    char name[16];

    rng_init(&rng, 17);
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "c%u", i);
        slot[i] = slots_of(slots, PART_CLUSTER, str_of(name));
    }
    for (uint32_t step = 1; step < 400; step++) {
        const struct expected *base = &kept[(step - 1) % LEN(kept)];
        struct expected *next = &kept[step % LEN(kept)];
        struct root_edit *e = root_edit_new(base->root);

        root_unref(next->root);
        *next = *base;
        for (uint64_t n = rng_below(&rng, 6); n > 0; n--) {
            uint32_t i = (uint32_t)rng_below(&rng, NAMES);

            next->ms[i] = (uint32_t)rng_below(&rng, 3);
            snprintf(name, sizeof(name), "c%u", i);
            if (next->ms[i])
                root_edit_set(e, cluster_of(name, next->ms[i]));
            else
                root_edit_clear(e, PART_CLUSTER, slot[i]);
        }
        if (base->root)
            CHECK_EQ(root_edit_is_empty(e), memcmp(next->ms, base->ms, sizeof(next->ms)) == 0);
        next->root = root_edit_finish(e);
        CASE(step);
        expected_check(next, slot);
    }
    for (uint32_t i = 0; i < LEN(kept); i++) {
        expected_check(&kept[i], slot);
        root_unref(kept[i].root);
    }
    slots_free(slots);
}

TEST(an_edit_given_up_leaves_nothing_behind)
{
    struct root *before = root_with(NULL, cluster_of("a", 1));
    struct root_edit *e = root_edit_new(before);

    root_edit_set(e, cluster_of("b", 2));
    root_edit_free(e);
    root_unref(before);
}

/* Two threads take and give back roots while the compiler replaces them. */
static struct root *_Atomic current;

static void *reader(__attribute__((unused)) void *arg)
{
    pthread_mutex_t *lock = arg;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < 20000; i++) {
        struct root *r;

        pthread_mutex_lock(lock);
        r = root_ref(atomic_load(&current));
        pthread_mutex_unlock(lock);
        for (slot_id s = 0; s < root_slots(r, PART_CLUSTER); s++)
            sum += root_cluster(r, s) ? root_cluster(r, s)->connect_ms : 0;
        root_unref(r);
    }
    return (void *)(uintptr_t)(sum > 0);
}

TEST(roots_are_released_by_any_thread)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[2];

    atomic_store(&current, root_of_many(70));
    for (size_t i = 0; i < LEN(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, reader, &lock), 0);
    for (uint32_t i = 2; i < 500; i++) {
        struct root *old = atomic_load(&current);
        struct root *next = root_with(old, cluster_of("c3", i));

        pthread_mutex_lock(&lock);
        atomic_store(&current, next);
        pthread_mutex_unlock(&lock);
        root_unref(old);
    }
    for (size_t i = 0; i < LEN(threads); i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    root_unref(atomic_load(&current));
}
