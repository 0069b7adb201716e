/*
 * tests/fuzz/image - any octets behind a right head as an image, as a change, and as a part alone.
 * What can be read is written and read again without a difference.
 */
#include "fuzz.h"

#include "base/hash.h"
#include "model/dump.h"
#include "model/image.h"

#define IMAGE_MAX (1 << 24)

/* The head of model/image.c: magic, version, checksum. */
static void seal(struct buf *out, struct str magic, struct str octets)
{
    uint64_t hash = hash_stable(octets);
    char head[12] = { IMAGE_VERSION };

    for (size_t i = 0; i < 8; i++)
        head[4 + i] = (char)(hash >> (8 * i));
    buf_add(out, magic);
    buf_add(out, str_make(head, sizeof(head)));
    buf_add(out, octets);
}

static void check_again(const struct root *r, struct slots *slots)
{
    struct buf image, again;
    struct root *copy;
    struct str err;

    buf_init(&image, IMAGE_MAX);
    buf_init(&again, IMAGE_MAX);
    root_dump(r, PART_KINDS, &again);
    buf_reset(&again);
    image_write(r, &image);
    copy = image_read(buf_str(&image), slots, &err);
    MUST(copy && root_hash(copy) == root_hash(r));
    image_write(copy, &again);
    MUST(str_eq(buf_str(&image), buf_str(&again)));
    root_unref(copy);
    buf_fini(&image);
    buf_fini(&again);
}

/* Of the empty snapshot. */
static void change_check(struct str octets, struct slots *slots)
{
    struct root *base = root_edit_finish(root_edit_new(NULL));
    struct str err;
    struct root *next = image_read_change(base, octets, slots, &err);

    if (next)
        check_again(next, slots);
    root_unref(next);
    root_unref(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n), err;
    struct slots *slots = slots_new();
    struct buf sealed;
    struct root *r;

    buf_init(&sealed, IMAGE_MAX);
    root_unref(image_read(in, slots, &err));
    seal(&sealed, STR("LATEENIM"), in);
    r = image_read(buf_str(&sealed), slots, &err);
    if (r)
        check_again(r, slots);
    root_unref(r);
    buf_reset(&sealed);
    seal(&sealed, STR("LATEENCH"), in);
    change_check(buf_str(&sealed), slots);
    buf_reset(&sealed);
    seal(&sealed, STR("LATEENPT"), in);
    part_unref(part_read(buf_str(&sealed), &err));
    buf_fini(&sealed);
    slots_free(slots);
    return 0;
}
