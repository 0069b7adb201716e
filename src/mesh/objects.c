#include "mesh/objects.h"

#include "base/list.h"
#include "base/map.h"
#include "mesh/aged.h"

#include <stdlib.h>

/* A place where an identity stands. */
struct claim {
    struct content *in; /* a reference */
    size_t at;
};

/* One identity. */
struct entry {
    struct str key; /* heap */
    struct claim *claims;
    size_t n, cap;
    struct claim now; /* the first of them, or the last there was while its file keeps it */
    struct list stays;
    const struct api_object *good; /* what is served; NULL: none */
    struct content *good_in;       /* a reference */
    struct list noted;             /* something is to be said about it */
    bool touched;
};

struct objects {
    struct map entries; /* key -> struct entry */
    struct aged lists[OBJ_KINDS];
    struct list noted;
    struct entry **touched;
    size_t touched_n, touched_cap;
    struct object_change *changes;
    size_t changes_n, changes_cap;
    struct content **leaving; /* references of versions that no longer serve */
    size_t leaving_n, leaving_cap;
    struct claim *broken_at; /* of `noted`, in path order */
    struct object_list broken;
    size_t broken_cap;
};

#define PUSH(array, count, room, item)                                                             \
    do {                                                                                           \
        if ((count) == (room)) {                                                                   \
            (room) = MAX((room)*2, 4);                                                             \
            (array) = must_realloc((array), (room) * sizeof(*(array)));                            \
        }                                                                                          \
        (array)[(count)++] = (item);                                                               \
    } while (0)

static const struct api_object *object_of(const struct claim *c)
{
    return c->in->objects.v[c->at];
}

static void entry_free(struct entry *e)
{
    for (size_t i = 0; i < e->n; i++)
        content_unref(e->claims[i].in);
    content_unref(e->now.in);
    content_unref(e->good_in);
    list_remove(&e->noted);
    list_remove(&e->stays);
    free(e->claims);
    free((char *)(uintptr_t)e->key.p);
    free(e);
}

struct objects *objects_new(void)
{
    struct objects *o = must_alloc(sizeof(*o));

    map_init(&o->entries);
    list_init(&o->noted);
    return o;
}

void objects_free(struct objects *o)
{
    const struct map_entry *e;

    if (!o)
        return;
    objects_done(o);
    for (size_t at = 0; (e = map_next(&o->entries, &at));)
        entry_free(e->value);
    map_fini(&o->entries);
    for (size_t i = 0; i < OBJ_KINDS; i++)
        aged_fini(&o->lists[i]);
    free(o->touched);
    free(o->changes);
    free(o->leaving);
    free(o->broken_at);
    free(o->broken.v);
    free(o);
}

/* ---- coming and going ---- */

static struct entry *entry_get(struct objects *o, struct str key)
{
    struct entry *e = map_get(&o->entries, key);
    char *copy;

    if (e)
        return e;
    e = must_alloc(sizeof(*e));
    copy = must_alloc(key.n + 1);
    memcpy(copy, key.p, key.n);
    e->key = str_make(copy, key.n);
    list_init(&e->noted);
    list_init(&e->stays);
    map_put(&o->entries, e->key, e);
    return e;
}

static void touch(struct objects *o, struct entry *e)
{
    if (e->touched)
        return;
    e->touched = true;
    PUSH(o->touched, o->touched_n, o->touched_cap, e);
}

void objects_attach(struct objects *o, struct content *c)
{
    for (size_t i = 0; i < c->objects.n; i++) {
        struct entry *e = entry_get(o, c->keys[i]);
        struct claim claim = { content_ref(c), i };

        PUSH(e->claims, e->n, e->cap, claim);
        touch(o, e);
    }
}

static void entry_drop(struct entry *e, const struct content *c)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n; i++) {
        if (e->claims[i].in == c)
            content_unref(e->claims[i].in);
        else
            e->claims[n++] = e->claims[i];
    }
    e->n = n;
}

void objects_detach(struct objects *o, struct content *c)
{
    content_ref(c); /* the last claim must not take it away */
    for (size_t i = 0; i < c->objects.n; i++) {
        struct entry *e = map_get(&o->entries, c->keys[i]);

        entry_drop(e, c);
        touch(o, e);
    }
    content_unref(c);
}

void objects_unsettle(struct objects *o, struct holder *h)
{
    for (struct list *l = h->staying.next; l != &h->staying; l = l->next)
        touch(o, CONTAINER_OF(l, struct entry, stays));
}

/* ---- settling ---- */

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;

    size_t x_rank = x->in->holder->rank, y_rank = y->in->holder->rank;

    if (x_rank != y_rank)
        return x_rank < y_rank ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* A version serves or does not any more. */
static void change(struct objects *o, const struct api_object *was, const struct api_object *now)
{
    enum object_kind kind = object_kind_of(now ? now : was);
    struct object_change c = { kind, was, now };

    if (was)
        aged_del(&o->lists[kind], was);
    if (now)
        aged_add(&o->lists[kind], now);
    PUSH(o->changes, o->changes_n, o->changes_cap, c);
}

/* `now` serves, or nothing; claims are in order. */
static void serve(struct objects *o, struct entry *e)
{
    const struct api_object *was = e->good, *now = e->n ? object_of(&e->claims[0]) : NULL;

    if (now == was || (now && now->broken)) /* what was good stays */
        return;
    if (e->good_in)
        PUSH(o->leaving, o->leaving_n, o->leaving_cap, e->good_in);
    e->good = now;
    e->good_in = now ? content_ref(e->claims[0].in) : NULL;
    change(o, was, now);
}

void objects_recall(struct objects *o, struct content *c)
{
    for (size_t i = 0; i < c->objects.n; i++) {
        struct entry *e = entry_get(o, c->keys[i]);

        if (e->now.in)
            continue;
        e->now = (struct claim){ content_ref(c), i };
        touch(o, e);
        if (object_of(&e->now)->broken)
            continue;
        e->good = object_of(&e->now);
        e->good_in = content_ref(c);
        change(o, NULL, e->good);
    }
}

static void find_broken(struct objects *o)
{
    size_t n = 0;

    for (struct list *l = o->noted.next; l != &o->noted; l = l->next) {
        const struct entry *e = CONTAINER_OF(l, struct entry, noted);

        if (!e->good)
            PUSH(o->broken_at, n, o->broken_cap, e->now);
    }
    if (!n && !o->broken.n)
        return;
    qsort(o->broken_at, n, sizeof(*o->broken_at), compare_claims);
    o->broken.v = must_realloc(o->broken.v, o->broken_cap * sizeof(const struct api_object *));
    o->broken.n = n;
    for (size_t i = 0; i < n; i++)
        o->broken.v[i] = object_of(&o->broken_at[i]);
}

/* It stands nowhere. False: its file does not keep it either. */
static bool stay(struct entry *e)
{
    struct holder *h = e->now.in->holder;

    if (!h->keeps)
        return false;
    list_push_back(&h->staying, &e->stays);
    h->stayed++;
    return true;
}

static void stay_no_more(struct entry *e)
{
    if (list_is_empty(&e->stays))
        return;
    list_remove(&e->stays);
    e->now.in->holder->stayed--;
}

/* What is present is remembered beyond its content. */
static void claim_now(struct entry *e)
{
    struct content *before = e->now.in;

    e->now = (struct claim){ content_ref(e->claims[0].in), e->claims[0].at };
    content_unref(before);
}

static void entry_settle(struct objects *o, struct entry *e)
{
    e->touched = false;
    list_remove(&e->noted);
    stay_no_more(e);
    if (!e->n && stay(e)) {
        if (!e->good)
            list_push_back(&o->noted, &e->noted);
        return;
    }
    if (e->n > 1)
        qsort(e->claims, e->n, sizeof(*e->claims), compare_claims);
    serve(o, e);
    if (!e->n) {
        map_del(&o->entries, e->key);
        entry_free(e);
        return;
    }
    claim_now(e);
    if (e->n > 1 || object_of(&e->now)->broken)
        list_push_back(&o->noted, &e->noted);
}

static void settle_lists(struct objects *o)
{
    for (size_t i = 0; i < OBJ_KINDS; i++)
        aged_settle(&o->lists[i]);
}

void objects_settle(struct objects *o)
{
    settle_lists(o); /* with what was recalled: it may leave at once */
    for (size_t i = 0; i < o->touched_n; i++)
        entry_settle(o, o->touched[i]);
    o->touched_n = 0;
    settle_lists(o);
    find_broken(o);
}

void objects_done(struct objects *o)
{
    for (size_t i = 0; i < o->leaving_n; i++)
        content_unref(o->leaving[i]);
    o->leaving_n = o->changes_n = 0;
}

/* ---- what is said ---- */

static void note_twice(const struct api_object *o, const struct api_object *first,
                       struct notes *notes)
{
    api_note(o, notes, SEV_ERROR, "LAT0302", SPOT(o->meta),
             "the same object stands at %.*s:%u already, and that one serves; remove one of them",
             STRF(first->file), first->line);
    api_note_other(notes, first, SPOT(first->meta));
}

static void note_broken(const struct api_object *o, bool has_good, struct notes *notes)
{
    api_note(o, notes, SEV_WARNING, "LAT0308", SPOT(o->meta), "%s",
             has_good ? "its last good version stays in effect until it is mended"
                      : "there is no good version of it to serve until it is mended");
}

void objects_note(const struct objects *o, struct notes *notes)
{
    for (struct list *l = o->noted.next; l != &o->noted; l = l->next) {
        const struct entry *e = CONTAINER_OF(l, struct entry, noted);
        const struct api_object *first = object_of(&e->now);

        if (e->n && first->broken)
            note_broken(first, e->good != NULL, notes);
        for (size_t i = 1; i < e->n; i++)
            note_twice(object_of(&e->claims[i]), first, notes);
    }
}

/* ---- asking ---- */

const struct object_change *objects_changes(const struct objects *o, size_t *ret_n)
{
    *ret_n = o->changes_n;
    return o->changes;
}

const struct object_list *objects_list(const struct objects *o, enum object_kind kind)
{
    return &o->lists[kind].list;
}

const struct object_list *objects_broken(const struct objects *o)
{
    return &o->broken;
}

const struct api_object *objects_find(const struct objects *o, struct str key)
{
    const struct entry *e = map_get(&o->entries, key);

    return e ? e->good : NULL;
}

bool objects_next(const struct objects *o, size_t *at, struct object_kept *ret)
{
    const struct map_entry *m = map_next(&o->entries, at);
    const struct entry *e = m ? m->value : NULL;

    if (e)
        *ret = (struct object_kept){ e->key, e->now.in->holder->path,
                                     e->good ? e->good : object_of(&e->now) };
    return e != NULL;
}
