#include "unit/mesh/pieces.h"

#include "mesh/mesh_int.h"
#include "unit/check.h"

#include <stdlib.h>

#define KEYS_MAX 4096
#define PIECE_PARTS 16

struct key_set {
    input_key v[KEYS_MAX];
    size_t n;
};

struct piece {
    struct str name;
    uint64_t serial;
    input_key *keys;
    size_t n;
    bool failed;    /* a memo that each plan may make again: it failed, or is a table of hosts */
    input_key host; /* of a service: what routes read of it */
    const void *parts[PIECE_PARTS];
    size_t part_n;
};

struct seen_object {
    const struct api_object *object;
    input_key *keys;
    size_t n;
};

struct pieces {
    struct arena *arena;
    struct root *root;  /* holds the parts */
    uint64_t broken;    /* of VirtualServices that never were good: no objects of the store */
    struct map pieces;  /* name -> struct piece */
    struct map objects; /* 8 octets of an address -> struct seen_object */
};

static void add_key(struct key_set *set, input_key key)
{
    MUST(set->n < KEYS_MAX);
    set->v[set->n++] = key;
}

static bool has_key(const struct key_set *set, input_key key)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->v[i] == key)
            return true;
    return false;
}

/* ---- taking ---- */

static struct key_set collected;

static void collect(struct compile *c, enum input what, input_key key, const struct api_object *o)
{
    (void)c;
    (void)what;
    (void)o;
    add_key(&collected, key);
}

static void take_object(struct pieces *p, enum object_kind kind, const struct api_object *o)
{
    struct compile c = { .a = p->arena };
    struct seen_object *seen = ARENA_NEW(p->arena, struct seen_object);

    collected.n = 0;
    lookup_each_key(&c, kind, o, collect);
    seen->object = o;
    seen->n = collected.n;
    seen->keys = ARENA_ARRAY(p->arena, input_key, collected.n + 1);
    memcpy(seen->keys, collected.v, collected.n * sizeof(input_key));
    map_put(&p->objects, str_make((const char *)&seen->object, sizeof(seen->object)), seen);
}

static struct piece *take_piece(struct pieces *p, const struct mesh *m, struct str name,
                                const struct reader *r, uint64_t serial)
{
    struct piece *piece = ARENA_NEW(p->arena, struct piece);

    piece->name = name;
    piece->serial = serial;
    piece->keys = ARENA_ARRAY(p->arena, input_key, r->n + 1);
    for (uint32_t i = 0; i < r->n; i++)
        piece->keys[piece->n++] = inputs_key(&m->inputs, r, i);
    map_put(&p->pieces, piece->name, piece);
    return piece;
}

static void take_part(struct piece *piece, const struct root *root, enum part_kind kind,
                      slot_id slot)
{
    if (piece->part_n < PIECE_PARTS && slot != SLOT_NONE)
        piece->parts[piece->part_n++] = root_part(root, kind, slot);
}

static void take_service(struct pieces *p, const struct mesh *m, const struct service *s)
{
    struct piece *piece = take_piece(p, m, arena_printf(p->arena, "service %.*s", STRF(s->host)),
                                     &s->reader, s->serial);

    piece->host = input_of(INPUT_HOST, 0, s->host, STR_NONE, STR_NONE);
    for (size_t i = 0; i < s->cluster_count; i++) {
        take_part(piece, m->root, PART_CLUSTER, s->clusters[i].slot);
        take_part(piece, m->root, PART_HOSTS, s->clusters[i].hosts);
    }
}

static void take_memo(struct pieces *p, const struct mesh *m, const struct memo *memo)
{
    struct piece *piece = take_piece(p, m, arena_dup(p->arena, memo->name), &memo->reader,
                                     memo->serial);

    piece->failed = memo->stale || (memo->part && memo->part->kind == PART_ROUTES);
    if (memo->part)
        take_part(piece, m->root, memo->part->kind, memo->part->slot);
}

struct pieces *pieces_take(const struct mesh *m)
{
    struct arena *a = arena_new(65536);
    struct pieces *p = ARENA_NEW(a, struct pieces);
    const struct map_entry *e;

    p->arena = a;
    p->root = root_ref(m->root);
    p->broken = cells_broken(m->store);
    map_init(&p->pieces);
    map_init(&p->objects);
    for (int kind = 0; kind < OBJ_KINDS; kind++) {
        const struct object_list *list = store_list(m->store, (enum object_kind)kind);

        for (size_t i = 0; i < list->n; i++)
            take_object(p, (enum object_kind)kind, list->v[i]);
    }
    for (size_t at = 0; (e = map_next(&m->registry->services, &at));)
        take_service(p, m, e->value);
    for (size_t at = 0; (e = map_next(&m->memos.by_name, &at));)
        take_memo(p, m, e->value);
    return p;
}

void pieces_free(struct pieces *p)
{
    if (!p)
        return;
    root_unref(p->root);
    map_fini(&p->pieces);
    map_fini(&p->objects);
    arena_free(p->arena);
}

/* ---- comparing ---- */

static void add_missing(struct key_set *changed, const struct pieces *of, const struct pieces *in)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&of->objects, &at));) {
        const struct seen_object *o = e->value;

        for (size_t i = 0; i < o->n && !map_has(&in->objects, e->key); i++)
            add_key(changed, o->keys[i]);
    }
}

/* A service that was made again may look another way to routes. */
static void add_hosts(struct key_set *changed, const struct pieces *of, const struct pieces *in)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&of->pieces, &at));) {
        const struct piece *a = e->value, *b = map_get(&in->pieces, a->name);

        if (a->host && (!b || b->serial != a->serial))
            add_key(changed, a->host);
    }
}

static bool reads_any(const struct piece *p, const struct key_set *changed)
{
    for (size_t i = 0; i < p->n; i++)
        if (has_key(changed, p->keys[i]))
            return true;
    return false;
}

size_t pieces_check(const struct pieces *before, const struct pieces *after)
{
    static struct key_set changed; /* large */
    const struct map_entry *e;
    size_t made = 0;

    changed.n = 0;
    add_missing(&changed, before, after);
    add_missing(&changed, after, before);
    add_hosts(&changed, before, after);
    add_hosts(&changed, after, before);
    for (size_t at = 0; (e = map_next(&after->pieces, &at));) {
        const struct piece *now = e->value, *was = map_get(&before->pieces, now->name);

        made += !was || was->serial != now->serial;
        if (!was)
            continue;
        if (was->serial != now->serial) {
            CHECK(was->failed || before->broken != after->broken || reads_any(was, &changed));
            continue;
        }
        CHECK_EQ(was->part_n, now->part_n);
        for (size_t i = 0; i < was->part_n; i++)
            CHECK(was->parts[i] == now->parts[i]);
    }
    return made;
}
