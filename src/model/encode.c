#include "model/encode.h"

#include "base/hash.h"
#include "model/origins.h"
#include "model/shape.h"

/* What of a part is written: all of it for an image, one side for a hash. */
enum side { SIDE_CONTENT = 1, SIDE_ORIGINS = 2, SIDE_BOTH = 3 };

static void put_le(struct buf *out, uint64_t v, size_t octets)
{
    char *at = buf_reserve(out, octets);

    if (!at)
        return;
    for (size_t i = 0; i < octets; i++)
        at[i] = (char)(v >> (8 * i));
    out->n += octets;
}

void put_u8(struct buf *out, uint8_t v)
{
    put_le(out, v, 1);
}

void put_u32(struct buf *out, uint32_t v)
{
    put_le(out, v, 4);
}

void put_u64(struct buf *out, uint64_t v)
{
    put_le(out, v, 8);
}

void put_str(struct buf *out, struct str s)
{
    if (!str_is_set(s)) {
        put_u32(out, 0);
        return;
    }
    MUST(s.n < UINT32_MAX);
    put_u32(out, (uint32_t)s.n + 1);
    buf_add(out, s);
}

static void put_addr(struct buf *out, const struct addr *a)
{
    size_t n = a->family == 4 ? 4 : a->family == 6 ? 16 : 0;

    put_u8(out, a->family);
    put_le(out, a->port, 2);
    buf_add(out, str_make((const char *)a->ip, n));
}

static void put_scalar(struct buf *out, const struct field *f, const char *at)
{
    uint64_t v = 0;

    switch ((enum field_kind)f->kind) {
    case FIELD_BOOL:
    case FIELD_ENUM:
        put_u8(out, *(const uint8_t *)at);
        return;
    case FIELD_U16:
        put_le(out, *(const uint16_t *)(const void *)at, 2);
        return;
    case FIELD_U32:
    case FIELD_ORIGIN:
        put_u32(out, *(const uint32_t *)(const void *)at);
        return;
    case FIELD_U64:
        memcpy(&v, at, sizeof(v));
        put_u64(out, v);
        return;
    case FIELD_STR:
    case FIELD_SECRET:
        put_str(out, *(const struct str *)(const void *)at);
        return;
    case FIELD_ADDR:
        put_addr(out, (const struct addr *)(const void *)at);
        return;
    case FIELD_SLOT:
        put_str(out, slot_name(f->part_kind, *(const slot_id *)(const void *)at));
        return;
    case FIELD_DERIVED:
        return;
    case FIELD_STRUCT:
    case FIELD_OPTION:
    case FIELD_LIST:
        break;
    }
    MUST(!"a scalar");
}

static void put_fields(struct buf *out, const struct shape *s, const char *object, enum side side)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        const char *at = object + f->offset;

        if (f->kind == FIELD_STRUCT) {
            put_fields(out, f->of, at, side);
        } else if (f->kind == FIELD_OPTION) {
            const char *one = *(char *const *)(const void *)at;

            put_u8(out, one != NULL);
            if (one)
                put_fields(out, f->of, one, side);
        } else if (f->kind == FIELD_LIST) {
            const struct list_any *list = (const void *)at;

            put_u32(out, list->n);
            for (uint32_t k = 0; k < list->n; k++)
                put_fields(out, f->of, list->v + (size_t)k * f->of->size, side);
        } else if (side & (f->kind == FIELD_ORIGIN ? SIDE_ORIGINS : SIDE_CONTENT)) {
            put_scalar(out, f, at);
        }
    }
}

static void put_origins(struct buf *out, const struct part *p)
{
    struct origin_reader r;

    put_u32(out, p->origin_count);
    origin_reader_init(&r, p);
    while (origin_reader_next(&r)) {
        put_u8(out, r.now.kind);
        put_u32(out, r.now.line);
        put_u32(out, r.now.col);
        put_str(out, r.now.file);
        put_str(out, r.now.object);
        put_str(out, r.now.path);
    }
    origin_reader_fini(&r);
}

static void put_part(struct buf *out, const struct part *p, enum side side)
{
    put_u8(out, p->kind);
    put_str(out, p->name);
    if (side & SIDE_ORIGINS)
        put_origins(out, p);
    put_fields(out, shape_of_part(p->kind), (const char *)p, side);
}

void part_encode(const struct part *p, struct buf *out)
{
    put_part(out, p, SIDE_BOTH);
}

static uint64_t hash_side(const struct part *p, enum side side)
{
    struct buf octets;
    uint64_t hash;

    buf_init(&octets, SIZE_MAX);
    put_part(&octets, p, side);
    hash = hash_stable(buf_str(&octets));
    buf_fini(&octets);
    return hash;
}

void part_hash(const struct part *p, uint64_t *ret_content, uint64_t *ret_origins)
{
    *ret_content = hash_side(p, SIDE_CONTENT);
    *ret_origins = hash_side(p, SIDE_ORIGINS);
}
