#include "unit/model/random_parts.h"

#include "model/shape.h"
#include "unit/check.h"

static struct slots *reserved; /* of the part being filled */

static struct str random_str(struct rng *rng, struct arena *a)
{
    size_t n = rng_below(rng, 12);
    char octets[12];

    if (rng_below(rng, 5) == 0)
        return STR_NONE;
    for (size_t i = 0; i < n; i++)
        octets[i] = (char)rng_below(rng, 256);
    return arena_dup(a, str_make(octets, n));
}

static struct addr random_addr(struct rng *rng)
{
    static const uint8_t families[] = { 0, 4, 6 };
    struct addr a = { .family = families[rng_below(rng, 3)] };
    size_t n = a.family == 4 ? 4 : a.family == 6 ? 16 : 0;

    a.port = (uint16_t)rng_u64(rng);
    for (size_t i = 0; i < n; i++)
        a.ip[i] = (uint8_t)rng_u64(rng);
    return a;
}

static slot_id random_slot(struct rng *rng, enum part_kind kind)
{
    char name[8];

    if (rng_below(rng, 4) == 0)
        return SLOT_NONE;
    snprintf(name, sizeof(name), "r%u", (unsigned)rng_below(rng, 10));
    return slots_of(reserved, kind, str_of(name));
}

static void random_scalar(struct rng *rng, struct part *p, const struct field *f, void *at)
{
    switch ((enum field_kind)f->kind) {
    case FIELD_BOOL:
        *(bool *)at = rng_below(rng, 2) != 0;
        break;
    case FIELD_ENUM:
        *(uint8_t *)at = (uint8_t)rng_below(rng, f->limit);
        break;
    case FIELD_U16:
        *(uint16_t *)at = (uint16_t)rng_u64(rng);
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)rng_u64(rng);
        break;
    case FIELD_U64:
        *(uint64_t *)at = rng_u64(rng);
        break;
    case FIELD_STR:
    case FIELD_SECRET:
        *(struct str *)at = random_str(rng, p->arena);
        break;
    case FIELD_ADDR:
        *(struct addr *)at = random_addr(rng);
        break;
    case FIELD_SLOT:
        *(slot_id *)at = random_slot(rng, f->part_kind);
        break;
    case FIELD_ORIGIN:
        *(origin_id *)at = (origin_id)rng_below(rng, p->origin_count);
        break;
    case FIELD_STRUCT:
    case FIELD_OPTION:
    case FIELD_LIST:
    case FIELD_DERIVED:
        break;
    }
}

static void random_fields(struct rng *rng, struct part *p, const struct shape *s, char *object)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        char *at = object + f->offset;

        random_scalar(rng, p, f, at);
        if (f->kind == FIELD_STRUCT) {
            random_fields(rng, p, f->of, at);
        } else if (f->kind == FIELD_OPTION && rng_below(rng, 2)) {
            char *one = arena_alloc(p->arena, f->of->size);

            memcpy(at, &one, sizeof(one));
            random_fields(rng, p, f->of, one);
        } else if (f->kind == FIELD_LIST) {
            struct list_any *list = (void *)at;

            list->n = (uint32_t)rng_below(rng, 4);
            list->v = list->n ? arena_alloc(p->arena, list->n * f->of->size) : NULL;
            for (uint32_t k = 0; k < list->n; k++)
                random_fields(rng, p, f->of, list->v + k * f->of->size);
        }
    }
}

/* Random octets are no regexes. */
static void mend_regex(__attribute__((unused)) struct shape_visitor *v, const struct field *f,
                       void *at)
{
    struct text_matcher *m = at;

    if (f->of == &text_matcher_shape && m->how == TEXT_REGEX) {
        m->value = STR("/a.*|b");
        m->nocase = false;
    }
}

static void mend_answers(struct vhost *vhost)
{
    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        struct route *r = &vhost->routes.v[i];

        if ((r->action == ACTION_REDIRECT && !r->redirect) ||
            (r->action == ACTION_DIRECT_RESPONSE && !r->direct))
            r->action = ACTION_NONE;
    }
}

struct part *random_part(struct rng *rng, enum part_kind kind, struct str name)
{
    struct part *p = part_new(kind, name);
    struct str err = STR_NONE;

    reserved = slots_new();
    for (uint64_t i = 1 + rng_below(rng, 5); i > 0; i--) {
        struct origin o = { .kind = ORIGIN_FILE, .line = (uint32_t)i, .col = 7 };

        o.file = STR("a.yaml");
        o.object = random_str(rng, p->arena);
        o.path = random_str(rng, p->arena);
        part_origin(p, o);
    }
    random_fields(rng, p, shape_of_part(kind), (char *)p);
    shape_walk(shape_of_part(kind), p, &(struct shape_visitor){ mend_regex });
    if (kind == PART_VHOST)
        mend_answers((void *)p);
    if (kind == PART_SECRET) { /* no certificate either */
        struct secret *s = (void *)p;

        s->chain_pem = s->crl_pem = STR_NONE;
        s->key_pem = s->ca_pem = STR("");
    }
    if (!part_finish(p, &err))
        CHECK_STRZ(err, "");
    slots_free(reserved);
    return p;
}

struct root *random_root(struct rng *rng)
{
    struct root_edit *e = root_edit_new(NULL);

    for (uint32_t kind = 0; kind < PART_KINDS; kind++) {
        for (uint64_t n = rng_below(rng, 6); n > 0; n--) {
            char name[32];

            snprintf(name, sizeof(name), "r%u", (unsigned)rng_below(rng, 200));
            root_edit_set(e, random_part(rng, kind, str_of(name)));
        }
    }
    return root_edit_finish(e);
}
