#include "model/compact.h"

#include "model/shape.h"

#define RECENT 256 /* strings that are remembered, by a cheap hash */
#define ALIGN 8    /* of lists; no field needs more */

/* Goes over the part twice: first it only counts, then it moves. Lists stand before strings,
 * so that nothing is lost between them. */
struct packer {
    char *lists, *strings; /* NULL: counting */
    size_t list_octets, string_octets;
    struct str recent[RECENT];
};

static struct str *recent_of(struct packer *k, struct str s)
{
    uint64_t hash = s.n;

    for (size_t i = 0; i < s.n; i += 8) {
        uint64_t word = 0;

        memcpy(&word, s.p + i, MIN(s.n - i, 8));
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return &k->recent[hash % RECENT];
}

/* A NUL stays behind, as arena_dup leaves it. */
static struct str str_pack(struct packer *k, struct str s)
{
    struct str *recent;
    size_t at;
    char *p;

    if (!str_is_set(s))
        return s;
    if (s.n == 0)
        return STR("");
    recent = recent_of(k, s);
    if (str_eq(*recent, s))
        return *recent;
    *recent = s;
    at = k->string_octets;
    k->string_octets += s.n + 1;
    if (!k->strings)
        return s;
    p = k->strings + at;
    memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    *recent = str_make(p, s.n);
    return *recent;
}

static char *list_move(struct packer *k, char *from, size_t octets)
{
    size_t at = k->list_octets;

    k->list_octets += (octets + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    return k->lists ? memcpy(k->lists + at, from, octets) : from;
}

static void fields_pack(struct packer *k, const struct shape *s, char *object);

static void list_pack(struct packer *k, const struct field *f, struct list_any *list)
{
    if (list->n == 0) {
        list->v = NULL;
        return;
    }
    list->v = list_move(k, list->v, (size_t)list->n * f->of->size);
    for (uint32_t i = 0; i < list->n; i++)
        fields_pack(k, f->of, list->v + (size_t)i * f->of->size);
}

static void option_pack(struct packer *k, const struct field *f, char **option)
{
    if (!*option)
        return;
    *option = list_move(k, *option, f->of->size);
    fields_pack(k, f->of, *option);
}

static void fields_pack(struct packer *k, const struct shape *s, char *object)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        void *at = object + f->offset;

        if (f->kind == FIELD_STR || f->kind == FIELD_SECRET)
            *(struct str *)at = str_pack(k, *(struct str *)at);
        else if (f->kind == FIELD_STRUCT)
            fields_pack(k, f->of, at);
        else if (f->kind == FIELD_OPTION)
            option_pack(k, f, at);
        else if (f->kind == FIELD_LIST)
            list_pack(k, f, at);
    }
}

static void part_pack(struct packer *k, struct part *p)
{
    p->name = str_pack(k, p->name);
    fields_pack(k, shape_of_part(p->kind), (char *)p);
    p->origins = str_pack(k, p->origins);
}

void part_compact(struct part *p)
{
    struct packer count = { 0 }, move = { 0 };
    struct arena *from = p->arena;

    part_pack(&count, p);
    p->arena = arena_new(512);
    move.lists = arena_raw(p->arena, count.list_octets + count.string_octets);
    move.strings = move.lists + count.list_octets;
    part_pack(&move, p);
    MUST(move.list_octets == count.list_octets && move.string_octets == count.string_octets);
    arena_free(from);
    p->origin_writer = NULL;
}
