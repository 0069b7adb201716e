#include "model/image.h"

#include "base/hash.h"
#include "model/encode.h"
#include "model/sorted.h"

#include <stdlib.h>

/* Octets: magic, version u32, hash u64 of what follows; then of a root generation u64,
 * count of parts u32 and these, sorted by kind and name; of a change the content hash of the root
 * before u64, generation u64, count of parts that went u32, kind u8 and name of each, count of
 * parts u32 and these; of a part alone the part. */
#define PART_MAGIC STR("LATEENPT")
#define IMAGE_MAGIC STR("LATEENIM")
#define CHANGE_MAGIC STR("LATEENCH")
#define HEAD_OCTETS (8 + 4 + 8)

static size_t head_begin(struct str magic, struct buf *out)
{
    size_t at = out->n;

    buf_add(out, magic);
    put_u32(out, IMAGE_VERSION);
    put_u64(out, 0);
    return at;
}

/* Writes the hash into the head that begins at `at`. */
static void head_seal(struct buf *out, size_t at)
{
    uint64_t hash;

    if (out->full) /* the caller sees it, too: such an image is not used */
        return;
    hash = hash_stable(str_from(buf_str(out), at + HEAD_OCTETS));
    for (size_t i = 0; i < 8; i++)
        out->p[at + 12 + i] = (char)(hash >> (8 * i));
}

static const char *head_check(struct reader *r, struct str magic)
{
    struct str found = str_sub(r->rest, 0, magic.n);
    uint64_t hash;

    if (!str_eq(found, magic))
        return "not an image of this kind";
    r->rest = str_from(r->rest, magic.n);
    if (take_u32(r) != IMAGE_VERSION)
        return "an image of another version";
    hash = take_u64(r);
    if (r->failed)
        return r->failed;
    return hash == hash_stable(r->rest) ? NULL : "the image is damaged: its checksum differs";
}

void part_write(const struct part *p, struct buf *out)
{
    size_t at = head_begin(PART_MAGIC, out);

    part_encode(p, out);
    head_seal(out, at);
}

struct part *part_read(struct str octets, struct str *reterr)
{
    struct slots *slots = slots_new(); /* until the part holds them itself */
    struct reader r = { .rest = octets, .slots = slots };
    struct part *p = NULL;

    r.failed = head_check(&r, PART_MAGIC);
    if (!r.failed)
        p = part_decode(&r);
    if (p && r.rest.n > 0) {
        r.failed = "octets behind the end of the part";
        part_unref(p);
        p = NULL;
    }
    slots_free(slots);
    if (!p)
        *reterr = str_of(r.failed);
    return p;
}

void image_write(const struct root *r, struct buf *out)
{
    size_t at = head_begin(IMAGE_MAGIC, out);
    uint32_t n;
    const struct part **parts = root_sorted(r, &n);

    put_u64(out, root_generation(r));
    put_u32(out, n);
    for (uint32_t i = 0; i < n; i++)
        part_encode(parts[i], out);
    free(parts);
    head_seal(out, at);
}

static void parts_decode(struct reader *r, struct root_edit *e)
{
    uint64_t generation = take_u64(r);
    uint32_t n = take_u32(r);

    root_edit_generation(e, generation);
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        struct part *p = part_decode(r);

        if (!p)
            return;
        if (root_part(root_edit_next(e), p->kind, p->slot))
            r->failed = "a name stands twice in the image";
        slots_of(r->slots, p->kind, p->name);
        root_edit_set(e, p);
    }
    if (!r->failed && r->rest.n > 0)
        r->failed = "octets behind the end of the image";
}

struct root *image_read(struct str octets, struct slots *slots, struct str *reterr)
{
    struct reader r = { .rest = octets, .slots = slots };
    struct root_edit *e = root_edit_new(NULL);

    r.failed = head_check(&r, IMAGE_MAGIC);
    if (!r.failed)
        parts_decode(&r, e);
    if (!r.failed)
        return root_edit_finish(e);
    root_edit_free(e);
    *reterr = str_of(r.failed);
    return NULL;
}

/* ---- changes ---- */

struct changed {
    struct buf gone, parts;
    uint32_t gone_n, parts_n;
};

static void changed_add(void *arg, const struct part *before, const struct part *after)
{
    struct changed *c = arg;

    if (before && (!after || !str_eq(before->name, after->name))) {
        put_u8(&c->gone, (uint8_t)before->kind);
        put_str(&c->gone, before->name);
        c->gone_n++;
    }
    if (after) {
        part_encode(after, &c->parts);
        c->parts_n++;
    }
}

void image_write_change(const struct root *from, const struct root *to, struct buf *out)
{
    size_t at = head_begin(CHANGE_MAGIC, out);
    struct changed c = { .gone_n = 0 };

    buf_init(&c.gone, SIZE_MAX);
    buf_init(&c.parts, SIZE_MAX);
    root_differences(from, to, changed_add, &c);
    put_u64(out, root_hash(from));
    put_u64(out, root_generation(to));
    put_u32(out, c.gone_n);
    buf_add(out, buf_str(&c.gone));
    put_u32(out, c.parts_n);
    buf_add(out, buf_str(&c.parts));
    buf_fini(&c.gone);
    buf_fini(&c.parts);
    head_seal(out, at);
}

/* First those that went: a part may have moved to another slot. */
static void gone_decode(struct reader *r, struct root_edit *e)
{
    for (uint32_t n = take_u32(r); n > 0 && !r->failed; n--) {
        uint8_t kind = take_u8(r);
        struct str name = take_str(r);

        if (kind >= PART_KINDS || !str_is_set(name))
            r->failed = "a part of no kind";
        else
            root_edit_clear(e, kind, slots_of(r->slots, kind, name));
    }
}

static void change_decode(struct reader *r, struct root *base, struct root_edit *e)
{
    if (take_u64(r) != root_hash(base) && !r->failed)
        r->failed = "the change of another snapshot";
    root_edit_generation(e, MAX(take_u64(r), root_generation(base) + 1));
    gone_decode(r, e);
    for (uint32_t n = r->failed ? 0 : take_u32(r); n > 0 && !r->failed; n--) {
        struct part *p = part_decode(r);

        if (!p)
            return;
        slots_of(r->slots, p->kind, p->name);
        root_edit_set(e, p);
    }
    if (!r->failed && r->rest.n > 0)
        r->failed = "octets behind the end of the change";
}

struct root *image_read_change(struct root *base, struct str octets, struct slots *slots,
                               struct str *reterr)
{
    struct reader r = { .rest = octets, .slots = slots };
    struct root_edit *e = root_edit_new(base);

    r.failed = head_check(&r, CHANGE_MAGIC);
    if (!r.failed)
        change_decode(&r, base, e);
    if (!r.failed)
        return root_edit_finish(e);
    root_edit_free(e);
    *reterr = str_of(r.failed);
    return NULL;
}
