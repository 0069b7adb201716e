#include "model/image.h"

#include "base/hash.h"
#include "model/dump.h"
#include "model/image_reader.h"
#include "model/sorted.h"
#include "unit/check.h"
#include "unit/model/random_parts.h"

#include <stdlib.h>

static struct root *read_back(struct str octets, struct str *reterr)
{
    struct slots *slots = slots_new();
    struct root *r = image_read(octets, slots, reterr);

    slots_free(slots);
    return r;
}

TEST(an_image_gives_the_same_snapshot_back)
{
    struct rng rng;

    rng_init(&rng, 11);
    for (uint32_t i = 0; i < 200; i++) {
        struct root *r = random_root(&rng), *again;
        struct buf image, image_again, dump, dump_again;
        struct str err = STR_NONE;

        CASE(i);
        buf_init(&image, 1 << 24);
        buf_init(&image_again, 1 << 24);
        buf_init(&dump, 1 << 24);
        buf_init(&dump_again, 1 << 24);
        image_write(r, &image);
        again = read_back(buf_str(&image), &err);
        CHECK_STR(err, STR_NONE);
        CHECK(root_hash(r) == root_hash(again));
        root_dump(r, PART_KINDS, &dump);
        root_dump(again, PART_KINDS, &dump_again);
        CHECK_STR(buf_str(&dump), buf_str(&dump_again));
        image_write(again, &image_again);
        CHECK(str_eq(buf_str(&image), buf_str(&image_again)));
        root_unref(r);
        root_unref(again);
        buf_fini(&image);
        buf_fini(&image_again);
        buf_fini(&dump);
        buf_fini(&dump_again);
    }
}

TEST(a_part_alone_is_read_back)
{
    struct rng rng;

    rng_init(&rng, 12);
    for (uint32_t i = 0; i < 300; i++) {
        struct part *p = random_part(&rng, i % PART_KINDS, STR("r1")), *again;
        struct buf octets;
        struct str err = STR_NONE;

        CASE(i);
        buf_init(&octets, 1 << 24);
        part_write(p, &octets);
        again = part_read(buf_str(&octets), &err);
        CHECK_STR(err, STR_NONE);
        CHECK(p->hash == again->hash && p->origin_hash == again->origin_hash);
        CHECK_EQ(p->slot, again->slot);
        part_unref(p);
        part_unref(again);
        buf_fini(&octets);
    }
}

/* The checksum put right, so that what is behind it is reached. */
static void reseal(struct buf *image)
{
    uint64_t hash = hash_stable(str_from(buf_str(image), 20));

    for (size_t i = 0; i < 8; i++)
        image->p[12 + i] = (char)(hash >> (8 * i));
}

TEST(an_image_cut_anywhere_is_refused)
{
    struct rng rng;
    struct root *r;
    struct buf image;

    rng_init(&rng, 13);
    r = random_root(&rng);
    buf_init(&image, 1 << 24);
    image_write(r, &image);
    for (size_t n = 0; n < image.n; n++) {
        struct buf cut;
        struct str err = STR_NONE;

        CASE(n);
        buf_init(&cut, 1 << 24);
        buf_add(&cut, str_make(image.p, n));
        CHECK(read_back(buf_str(&cut), &err) == NULL);
        CHECK(str_is_set(err));
        if (n >= 20) {
            reseal(&cut);
            CHECK(read_back(buf_str(&cut), &err) == NULL);
        }
        buf_fini(&cut);
    }
    root_unref(r);
    buf_fini(&image);
}

TEST(flipped_bits_are_refused_by_the_checksum_and_harmless_behind_it)
{
    struct rng rng;
    struct root *r;
    struct buf image;

    rng_init(&rng, 14);
    r = random_root(&rng);
    buf_init(&image, 1 << 24);
    image_write(r, &image);
    for (uint32_t i = 0; i < 5000; i++) {
        size_t at = rng_below(&rng, image.n);
        char flipped = (char)(1 << rng_below(&rng, 8));
        struct str err = STR_NONE;

        CASE(i);
        image.p[at] ^= flipped;
        CHECK(read_back(buf_str(&image), &err) == NULL);
        reseal(&image);
        root_unref(read_back(buf_str(&image), &err));
        image.p[at] ^= flipped;
        reseal(&image);
    }
    root_unref(read_back(buf_str(&image), &(struct str){ 0 }));
    root_unref(r);
    buf_fini(&image);
}

TEST(another_version_or_kind_of_octets_is_refused)
{
    static const char *const cases[] = { "", "LATEENIM", "LATEENPT\1\0\0\0",
                                         "hello, world, hello!" };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct str err = STR_NONE;

        CASE(i);
        CHECK(read_back(str_of(cases[i]), &err) == NULL);
        CHECK(err.n > 0);
        err = STR_NONE;
        CHECK(part_read(str_of(cases[i]), &err) == NULL);
        CHECK(err.n > 0);
    }
}

TEST(an_image_of_the_next_snapshot_shares_what_did_not_change)
{
    struct root_edit *e = root_edit_new(NULL);
    struct root *base, *next, *again;
    struct slots *slots = slots_new();
    struct buf image;
    struct rng rng;
    struct str err;
    char name[16];

    rng_init(&rng, 15);
    for (uint32_t i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        root_edit_set(e, random_part(&rng, PART_CLUSTER, str_of(name)));
    }
    base = root_edit_finish(e);
    e = root_edit_new(base);
    root_edit_set(e, random_part(&rng, PART_CLUSTER, STR("r7")));
    root_edit_clear(e, PART_CLUSTER, slots_of(slots, PART_CLUSTER, STR("r8")));
    root_edit_set(e, random_part(&rng, PART_HOSTS, STR("new")));
    next = root_edit_finish(e);
    buf_init(&image, 1 << 24);
    image_write(next, &image);
    again = root_rebase(base, image_read(buf_str(&image), slots, &err));
    CHECK(root_hash(again) == root_hash(next));
    CHECK_EQ(root_generation(again), 2);
    CHECK_EQ(root_chunks_shared(base, again, PART_CLUSTER),
             root_chunks_shared(base, next, PART_CLUSTER));
    CHECK(root_chunks_shared(base, again, PART_CLUSTER) >= 2);
    root_unref(again);
    buf_reset(&image);
    image_write(base, &image);
    again = root_rebase(base, image_read(buf_str(&image), slots, &err));
    CHECK(again == base);
    root_unref(again);
    root_unref(base);
    root_unref(next);
    slots_free(slots);
    buf_fini(&image);
}

/* The next root as an image, or as what changes the one before. */
static struct root *read_next(struct image_reader *reader, const struct root *before,
                              const struct root *r, struct buf *octets)
{
    struct root *read;
    struct str err;

    buf_reset(octets);
    if (before)
        image_write_change(before, r, octets);
    else
        image_write(r, octets);
    read = before ? image_reader_change(reader, buf_str(octets), &err)
                  : image_reader_next(reader, buf_str(octets), &err);
    CHECK(read != NULL && read != r);
    return read;
}

TEST(images_and_changes_read_one_behind_the_other_give_equal_roots)
{
    struct image_reader *reader = image_reader_new();
    struct root *r = NULL, *read = NULL, *before = NULL;
    struct slots *slots = slots_new();
    struct buf octets, text[2];
    struct rng rng;
    struct str err;
    char name[16];

    rng_init(&rng, 16);
    buf_init(&octets, 1 << 24);
    for (size_t i = 0; i < 2; i++)
        buf_init(&text[i], 1 << 24);
    for (uint32_t i = 0; i < 300; i++) {
        struct root_edit *e = root_edit_new(r);

        CASE(i);
        for (uint64_t n = rng_below(&rng, 4); n < 4; n++) {
            enum part_kind kind = (enum part_kind)rng_below(&rng, PART_KINDS);

            snprintf(name, sizeof(name), "p%u", (unsigned)rng_below(&rng, 100));
            if (rng_below(&rng, 3) == 0)
                root_edit_clear(e, kind, slots_of(slots, kind, str_of(name)));
            else
                root_edit_set(e, random_part(&rng, kind, str_of(name)));
        }
        root_unref(before);
        before = r;
        r = root_edit_finish(e);
        slots_sweep(slots); /* numbers of names that went are used again */
        root_unref(read);
        read = read_next(reader, i % 7 ? before : NULL, r, &octets);
        CHECK(root_hash(read) == root_hash(r));
        for (size_t k = 0; k < 2; k++) {
            buf_reset(&text[k]);
            root_dump(k ? read : r, PART_CLUSTER, &text[k]);
        }
        CHECK_STR(buf_str(&text[0]), buf_str(&text[1]));
    }
    CHECK(image_reader_next(reader, STR("no image"), &err) == NULL);
    CHECK(image_reader_change(reader, STR("no change"), &err) == NULL);
    root_unref(r);
    root_unref(before);
    root_unref(read);
    image_reader_free(reader);
    image_reader_free(NULL);
    slots_free(slots);
    buf_fini(&octets);
    for (size_t i = 0; i < 2; i++)
        buf_fini(&text[i]);
}

TEST(a_change_costs_what_differs_and_fits_its_base_only)
{
    struct root_edit *e = root_edit_new(NULL);
    struct slots *slots = slots_new();
    struct root *base, *next, *read;
    struct buf whole, change;
    struct rng rng;
    struct str err = STR_NONE;
    char name[16];

    rng_init(&rng, 18);
    buf_init(&whole, 1 << 24);
    buf_init(&change, 1 << 24);
    for (uint32_t i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        root_edit_set(e, random_part(&rng, PART_CLUSTER, str_of(name)));
    }
    base = root_edit_finish(e);
    e = root_edit_new(base);
    root_edit_set(e, random_part(&rng, PART_CLUSTER, STR("r7")));
    root_edit_clear(e, PART_CLUSTER, slots_of(slots, PART_CLUSTER, STR("r8")));
    next = root_edit_finish(e);
    image_write(next, &whole);
    image_write_change(base, next, &change);
    CHECK(change.n * 50 < whole.n);
    read = image_read_change(base, buf_str(&change), slots, &err);
    CHECK(root_hash(read) == root_hash(next));
    CHECK(image_read_change(next, buf_str(&change), slots, &err) == NULL);
    CHECK_STR(err, STR("the change of another snapshot"));
    for (size_t n = 0; n < change.n; n++) {
        CASE((uint32_t)n);
        CHECK(image_read_change(base, str_sub(buf_str(&change), 0, n), slots, &err) == NULL);
    }
    root_unref(read);
    root_unref(base);
    root_unref(next);
    slots_free(slots);
    buf_fini(&whole);
    buf_fini(&change);
}

/* A control part that was started anew counts its generations from 1 again. */
TEST(generations_grow_also_where_their_writer_began_again)
{
    struct image_reader *reader = image_reader_new();
    struct root *read = NULL;
    struct buf image;
    struct rng rng;
    struct str err;

    rng_init(&rng, 17);
    buf_init(&image, 1 << 24);
    for (uint32_t i = 0; i < 3; i++) {
        struct root_edit *e = root_edit_new(NULL);
        struct root *r;

        root_edit_set(e, random_part(&rng, PART_CLUSTER, STR("a")));
        r = root_edit_finish(e);
        buf_reset(&image);
        image_write(r, &image);
        root_unref(r);
        root_unref(read);
        read = image_reader_next(reader, buf_str(&image), &err);
        CHECK_EQ(root_generation(read), i + 1);
    }
    root_unref(read);
    image_reader_free(reader);
    buf_fini(&image);
}
