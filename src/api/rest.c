/*
 * api/rest - objects that are decoded only while somebody looks into them.
 *
 * What is kept of such an object is its packed tree (codec/yaml_pack) and the first level of
 * its metadata and body; struct api_object says what can be read of it.
 */
#include "api/decode_int.h"
#include "base/list.h"
#include "codec/yaml_pack.h"

#include <stdlib.h>

#define PACKED_MAX ((size_t)1 << 30)
/* An awake object takes about so many times the octets of its packed tree. */
#define AWAKE_RATIO 32

struct api_rest {
    struct api_object *object;
    struct api_pool *pool;
    struct list node;        /* of those awake in the pool */
    const void *meta, *body; /* as they are at rest */
    struct arena *arena;     /* of what is decoded; NULL: at rest */
};

void api_pool_init(struct api_pool *p)
{
    *p = (struct api_pool){ 0 };
    list_init(&p->awake);
}

/* ---- the first level ---- */

static void keep_strings(struct arena *a, struct api_run *run)
{
    const struct str *from = run->v;
    struct str *to = ARENA_ARRAY(a, struct str, run->n);

    for (size_t i = 0; i < run->n; i++)
        to[i] = arena_dup(a, from[i]);
    run->v = to;
}

static void keep_field(struct arena *a, const struct api_field *f, void *at)
{
    if (f->shape == API_LIST_OF && f->type == API_STRING)
        keep_strings(a, at);
    else if (f->shape != API_ONE)
        ((struct api_run *)at)->v = NULL;
    else if (f->type == API_MSG || f->type == API_TREE)
        *(void **)at = NULL;
    else if (f->type == API_STRING || f->type == API_BYTES)
        *(struct str *)at = arena_dup(a, *(struct str *)at);
    else if (f->type == API_PORT)
        ((struct int_or_str *)at)->text = arena_dup(a, ((struct int_or_str *)at)->text);
}

static void *first_level(struct arena *a, const struct api_record *r, const void *msg)
{
    char *kept = arena_raw(a, r->size);

    memcpy(kept, msg, r->size);
    ((struct api_at *)(void *)kept)->node = NULL;
    for (size_t i = 0; i < r->n; i++)
        if (r->fields[i].type != API_SKIP)
            keep_field(a, &r->fields[i], kept + r->fields[i].offset);
    return kept;
}

/* ---- keeping ---- */

struct str decode_pack(struct arena *a, const struct node *n)
{
    struct str packed;
    struct buf b;

    buf_init(&b, PACKED_MAX);
    node_pack(n, &b);
    packed = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return packed;
}

/* Decodes again: what is to be said about it was said the first time. */
static struct api_object decode_again(const struct api_object *o, struct arena *a)
{
    struct api_object fresh = *o;
    struct notes said;
    struct decoder d = { a, &said, &fresh, o->kind->proto };

    notes_init(&said, a);
    fresh.node = node_unpack(a, o->packed);
    MUST(fresh.node != NULL); /* packed here */
    decode_object(&d, fresh.node);
    return fresh;
}

static struct api_rest *rest_new(struct arena *a, struct api_pool *pool, struct api_object *o)
{
    struct api_rest *r = ARENA_NEW(a, struct api_rest);

    *r = (struct api_rest){ .object = o, .pool = pool, .meta = o->meta, .body = o->body };
    list_init(&r->node);
    return r;
}

struct api_object *api_object_keep(struct arena *a, const struct api_object *o,
                                   struct api_pool *pool)
{
    struct api_object *kept = ARENA_NEW(a, struct api_object);

    *kept = *o;
    kept->packed = arena_dup(a, o->packed);
    kept->api_version = arena_dup(a, o->api_version);
    kept->file = arena_dup(a, o->file);
    if (!pool || o->broken) {
        *kept = decode_again(kept, a);
        kept->broken = o->broken; /* by a rule, maybe, that is not asked again */
        return kept;
    }
    kept->node = NULL;
    kept->meta = first_level(a, &rec_meta, o->meta);
    kept->body = first_level(a, o->kind->body, o->body);
    kept->rest = rest_new(a, pool, kept);
    kept->meta = memcpy(arena_raw(a, rec_meta.size), kept->meta, rec_meta.size);
    kept->body = memcpy(arena_raw(a, o->kind->body->size), kept->body, o->kind->body->size);
    return kept;
}

/* ---- waking and resting ---- */

static void set_levels(struct api_object *o, const struct node *n, const void *meta,
                       const void *body)
{
    o->node = n;
    memcpy(o->meta, meta, rec_meta.size);
    memcpy((void *)(uintptr_t)o->body, body, o->kind->body->size);
}

void api_object_wake(const struct api_object *o)
{
    struct api_rest *r = o->rest;
    struct api_object fresh;

    if (!r || r->arena)
        return;
    r->arena = arena_new(MIN(MAX(o->packed.n * AWAKE_RATIO / 2, 1024), 65536));
    fresh = decode_again(o, r->arena);
    set_levels(r->object, fresh.node, fresh.meta, fresh.body);
    list_push_back(&r->pool->awake, &r->node);
    r->pool->n++;
    r->pool->octets += r->arena->total;
}

void api_object_rest(const struct api_object *o)
{
    struct api_rest *r = o->rest;

    if (!r || !r->arena)
        return;
    set_levels(r->object, NULL, r->meta, r->body);
    list_remove(&r->node);
    r->pool->n--;
    r->pool->octets -= r->arena->total;
    arena_free(r->arena);
    r->arena = NULL;
}

void api_pool_rest(struct api_pool *p)
{
    LIST_EACH (it, &p->awake, after)
        api_object_rest(LIST_ITEM(it, struct api_rest, node)->object);
}
