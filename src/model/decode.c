#include "model/encode.h"
#include "model/shape.h"

static void fail(struct reader *r, const char *why)
{
    if (!r->failed)
        r->failed = why;
    r->rest = STR_NONE;
}

static struct str take_octets(struct reader *r, size_t n)
{
    struct str s;

    if (r->failed || r->rest.n < n) {
        fail(r, "the image ends too early");
        return STR_NONE;
    }
    s = str_make(r->rest.p, n);
    r->rest = str_from(r->rest, n);
    return s;
}

static uint64_t take_le(struct reader *r, size_t n)
{
    struct str s = take_octets(r, n);
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++)
        v |= (uint64_t)(uint8_t)s.p[i] << (8 * i);
    return v;
}

uint8_t take_u8(struct reader *r)
{
    return (uint8_t)take_le(r, 1);
}

uint32_t take_u32(struct reader *r)
{
    return (uint32_t)take_le(r, 4);
}

uint64_t take_u64(struct reader *r)
{
    return take_le(r, 8);
}

struct str take_str(struct reader *r)
{
    uint32_t n = take_u32(r);

    return n ? take_octets(r, n - 1) : STR_NONE;
}

static uint8_t take_below(struct reader *r, uint8_t limit)
{
    uint8_t v = take_u8(r);

    if (v < limit)
        return v;
    fail(r, "a value out of range in the image");
    return 0;
}

static struct addr take_addr(struct reader *r)
{
    struct addr a = { .family = take_u8(r) };
    struct str ip;

    if (a.family != 0 && a.family != 4 && a.family != 6)
        fail(r, "an address family out of range in the image");
    a.port = (uint16_t)take_le(r, 2);
    ip = take_octets(r, a.family == 4 ? 4 : a.family == 6 ? 16 : 0);
    if (ip.n)
        memcpy(a.ip, ip.p, ip.n);
    return a;
}

static slot_id take_slot(struct reader *r, enum part_kind kind)
{
    struct str name = take_str(r);

    return str_is_set(name) ? slots_of(r->slots, kind, name) : SLOT_NONE;
}

static uint32_t take_origin(struct reader *r)
{
    uint32_t id = take_u32(r);

    if (id == 0 || id < r->origin_count)
        return id;
    fail(r, "an origin out of range in the image");
    return 0;
}

static void take_scalar(struct reader *r, const struct field *f, char *at)
{
    void *to = at;

    switch ((enum field_kind)f->kind) {
    case FIELD_BOOL:
        *(bool *)to = take_below(r, 2) != 0;
        return;
    case FIELD_ENUM:
        *(uint8_t *)to = take_below(r, f->limit);
        return;
    case FIELD_U16:
        *(uint16_t *)to = (uint16_t)take_le(r, 2);
        return;
    case FIELD_U32:
        *(uint32_t *)to = take_u32(r);
        return;
    case FIELD_U64:
        *(uint64_t *)to = take_u64(r);
        return;
    case FIELD_STR:
    case FIELD_SECRET:
        *(struct str *)to = arena_dup(r->arena, take_str(r));
        return;
    case FIELD_ADDR:
        *(struct addr *)to = take_addr(r);
        return;
    case FIELD_SLOT:
        *(slot_id *)to = take_slot(r, f->part_kind);
        return;
    case FIELD_ORIGIN:
        *(origin_id *)to = take_origin(r);
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

static void take_fields(struct reader *r, const struct shape *s, char *object);

static void take_list(struct reader *r, const struct field *f, struct list_any *list)
{
    uint32_t n = take_u32(r);

    if (n > r->rest.n / shape_octets_min(f->of)) { /* more than the octets can hold */
        fail(r, "a list in the image is longer than the image");
        return;
    }
    list->v = n ? arena_alloc(r->arena, (size_t)n * f->of->size) : NULL;
    list->n = n;
    for (uint32_t i = 0; i < n && !r->failed; i++)
        take_fields(r, f->of, list->v + (size_t)i * f->of->size);
}

static void take_option(struct reader *r, const struct field *f, char **ret)
{
    if (take_below(r, 2) == 0)
        return;
    *ret = arena_alloc(r->arena, f->of->size);
    take_fields(r, f->of, *ret);
}

static void take_fields(struct reader *r, const struct shape *s, char *object)
{
    for (uint32_t i = 0; i < s->n && !r->failed; i++) {
        const struct field *f = &s->fields[i];
        void *at = object + f->offset;

        if (f->kind == FIELD_STRUCT)
            take_fields(r, f->of, at);
        else if (f->kind == FIELD_OPTION)
            take_option(r, f, at);
        else if (f->kind == FIELD_LIST)
            take_list(r, f, at);
        else
            take_scalar(r, f, at);
    }
}

static void take_origins(struct reader *r, struct part *p)
{
    enum { OCTETS_MIN = 1 + 4 + 4 + 4 + 4 + 4 };
    uint32_t n = take_u32(r);

    if (n > r->rest.n / OCTETS_MIN) {
        fail(r, "more origins in the image than it can hold");
        return;
    }
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        struct origin o = { .kind = take_below(r, ORIGIN_XDS + 1) };

        o.line = take_u32(r);
        o.col = take_u32(r);
        o.file = take_str(r);
        o.object = take_str(r);
        o.path = take_str(r);
        part_origin(p, o);
    }
    r->origin_count = n;
}

/* Before part_finish nobody has taken the slots that the part names but `slots`. */
static bool decode_into(struct reader *r, struct part *p)
{
    struct str err;

    r->arena = p->arena;
    take_origins(r, p);
    take_fields(r, shape_of_part(p->kind), (char *)p);
    if (!r->failed && !part_finish(p, &err))
        fail(r, "a part in the image cannot be built");
    return r->failed == NULL;
}

struct part *part_decode(struct reader *r)
{
    uint8_t kind = take_below(r, PART_KINDS);
    struct str name = take_str(r);
    struct part *p;

    if (!r->failed && name.n == 0)
        fail(r, "a part without a name in the image");
    if (r->failed)
        return NULL;
    p = part_new(kind, name);
    if (decode_into(r, p))
        return p;
    part_unref(p);
    return NULL;
}
