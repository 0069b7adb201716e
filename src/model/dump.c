#include "model/dump.h"

#include "base/jsontext.h"
#include "model/origins.h"
#include "model/shape.h"
#include "model/sorted.h"

#include <inttypes.h>
#include <stdlib.h>

static uint64_t number_at(const struct field *f, const void *at)
{
    switch (f->kind) {
    case FIELD_BOOL:
    case FIELD_ENUM:
        return *(const uint8_t *)at;
    case FIELD_U16:
        return *(const uint16_t *)at;
    case FIELD_U64:
        return *(const uint64_t *)at;
    default:
        return *(const uint32_t *)at;
    }
}

static bool is_off(const struct shape *s, const char *object);

/* Is there nothing to show? */
static bool field_is_off(const struct field *f, const void *at)
{
    switch ((enum field_kind)f->kind) {
    case FIELD_STR:
    case FIELD_SECRET:
        return !str_is_set(*(const struct str *)at);
    case FIELD_ADDR:
        return ((const struct addr *)at)->family == 0 && ((const struct addr *)at)->port == 0;
    case FIELD_SLOT:
        return *(const slot_id *)at == SLOT_NONE;
    case FIELD_LIST:
        return ((const struct list_any *)at)->n == 0;
    case FIELD_STRUCT:
        return is_off(f->of, at);
    case FIELD_OPTION:
        return !*(char *const *)at;
    case FIELD_DERIVED:
        return true;
    case FIELD_ORIGIN:
        return false; /* 0 is the part's own */
    case FIELD_BOOL:
    case FIELD_ENUM:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_U64:
        return number_at(f, at) == 0;
    }
    return false;
}

static bool is_off(const struct shape *s, const char *object)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (!field_is_off(&s->fields[i], object + s->fields[i].offset))
            return false;
    }
    return true;
}

/* {"object":"VirtualService a/b","path":"spec.http[0]","at":"file:line:col"} */
static void add_origin(struct buf *out, const struct origin_list *origins, origin_id id)
{
    const struct origin *o;

    if (id >= origins->n) {
        buf_add(out, STR("null"));
        return;
    }
    o = &origins->v[id];
    buf_add(out, STR("{\"object\":"));
    json_add_string(out, o->object);
    buf_add(out, STR(",\"path\":"));
    json_add_string(out, o->path);
    if (o->kind == ORIGIN_FILE) {
        struct arena a;

        arena_init(&a, 512);
        buf_add(out, STR(",\"at\":"));
        json_add_string(
            out, arena_printf(&a, "%.*s:%" PRIu32 ":%" PRIu32, STRF(o->file), o->line, o->col));
        arena_fini(&a);
    }
    buf_addc(out, '}');
}

static void add_addr(struct buf *out, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    if (addr_is_set(a))
        json_add_string(out, addr_format(a, text));
    else
        buf_printf(out, "\"*:%u\"", a->port);
}

static void add_object(struct buf *out, const struct origin_list *origins, const struct shape *s,
                       const char *object);

/* A list element is its struct, or the one value that it has. */
static void add_list(struct buf *out, const struct origin_list *origins, const struct field *f,
                     const struct list_any *list);

static void add_value(struct buf *out, const struct origin_list *origins, const struct field *f,
                      const void *at)
{
    switch ((enum field_kind)f->kind) {
    case FIELD_BOOL:
        buf_add(out, *(const bool *)at ? STR("true") : STR("false"));
        break;
    case FIELD_ENUM:
        json_add_string(out, str_of(f->names[*(const uint8_t *)at]));
        break;
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_U64:
        buf_printf(out, "%" PRIu64, number_at(f, at));
        break;
    case FIELD_STR:
        json_add_string(out, *(const struct str *)at);
        break;
    case FIELD_SECRET:
        buf_add(out, STR("\"[redacted]\""));
        break;
    case FIELD_ADDR:
        add_addr(out, at);
        break;
    case FIELD_SLOT:
        json_add_string(out, slot_name(f->part_kind, *(const slot_id *)at));
        break;
    case FIELD_ORIGIN:
        add_origin(out, origins, *(const origin_id *)at);
        break;
    case FIELD_STRUCT:
        add_object(out, origins, f->of, at);
        break;
    case FIELD_OPTION:
        add_object(out, origins, f->of, *(char *const *)at);
        break;
    case FIELD_LIST:
        add_list(out, origins, f, at);
        break;
    case FIELD_DERIVED:
        break;
    }
}

static void add_list(struct buf *out, const struct origin_list *origins, const struct field *f,
                     const struct list_any *list)
{
    const struct shape *s = f->of;
    bool is_value = s->n == 1 && s->fields[0].name[0] == '\0';

    buf_addc(out, '[');
    for (uint32_t i = 0; i < list->n; i++) {
        const char *object = list->v + (size_t)i * s->size;

        if (i)
            buf_addc(out, ',');
        if (is_value)
            add_value(out, origins, &s->fields[0], object);
        else
            add_object(out, origins, s, object);
    }
    buf_addc(out, ']');
}

static void add_fields(struct buf *out, const struct origin_list *origins, const struct shape *s,
                       const char *object, bool first)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];

        if (field_is_off(f, object + f->offset))
            continue;
        if (!first)
            buf_addc(out, ',');
        first = false;
        json_add_string(out, str_of(f->name));
        buf_addc(out, ':');
        add_value(out, origins, f, object + f->offset);
    }
}

static void add_object(struct buf *out, const struct origin_list *origins, const struct shape *s,
                       const char *object)
{
    buf_addc(out, '{');
    add_fields(out, origins, s, object, true);
    buf_addc(out, '}');
}

void part_dump(const struct part *p, struct buf *out)
{
    struct origin_list origins;
    struct arena a;

    arena_init(&a, 4096);
    origins = part_origins(p, &a);
    buf_printf(out, "{\"kind\":\"%s\",\"name\":", part_kind_name(p->kind));
    json_add_string(out, p->name);
    buf_printf(out, ",\"hash\":\"%016" PRIx64 "\"", p->hash);
    if (p->origin_count > 0) {
        buf_add(out, STR(",\"made_from\":"));
        add_origin(out, &origins, 0);
    }
    add_fields(out, &origins, shape_of_part(p->kind), (const char *)p, false);
    arena_fini(&a);
    buf_addc(out, '}');
}

void root_dump(const struct root *r, enum part_kind kind, struct buf *out)
{
    uint32_t n;
    const struct part **parts = root_sorted(r, &n);
    const char *before = "\n";

    buf_printf(out, "{\"generation\":%" PRIu64 ",\"hash\":\"%016" PRIx64 "\",\"parts\":[",
               root_generation(r), root_hash(r));
    for (uint32_t i = 0; i < n; i++) {
        if (kind != PART_KINDS && parts[i]->kind != kind)
            continue;
        buf_add(out, str_of(before));
        part_dump(parts[i], out);
        before = ",\n";
    }
    free(parts);
    buf_add(out, STR("\n]}\n"));
}
