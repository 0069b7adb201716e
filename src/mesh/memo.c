#include "mesh/memo.h"

#include "base/hash.h"
#include "mesh/mesh_int.h"

#include <stdlib.h>

void memos_init(struct memos *ms)
{
    *ms = (struct memos){ .round = 1 };
    map_init(&ms->by_name);
    list_init(&ms->noted);
}

static void memo_free(struct memos *ms, struct inputs *in, struct memo *m)
{
    ms->unsupported -= m->unsupported;
    ms->routes -= m->routes;
    ms->octets -= m->octets;
    inputs_drop(in, &m->reader);
    list_remove(&m->noted);
    part_unref(m->part);
    arena_free(m->arena);
}

void memos_fini(struct memos *ms, struct inputs *in)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&ms->by_name, &at));)
        memo_free(ms, in, e->value);
    map_fini(&ms->by_name);
}

void memos_drop(struct memos *ms, struct inputs *in, struct str name)
{
    struct memo *m = map_del(&ms->by_name, name);

    if (m)
        memo_free(ms, in, m);
}

void memos_begin(struct memos *ms)
{
    ms->round++;
}

void memos_sweep(struct memos *ms, struct inputs *in)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&ms->by_name, &at));) {
        struct memo *m = e->value;

        if (m->round == ms->round)
            continue;
        map_del(&ms->by_name, m->name);
        memo_free(ms, in, m);
    }
}

void memos_say(const struct memos *ms, struct notes *to)
{
    for (const struct list *l = ms->noted.next; l != &ms->noted; l = l->next)
        notes_append(to, &CONTAINER_OF(l, struct memo, noted)->notes);
}

uint64_t memo_object(const struct api_object *o)
{
    return hash_mix(hash_stable(o->file), hash_mix(o->place_hash, o->broken));
}

struct memo *memo_recall(struct compile *c, struct str name, uint64_t key)
{
    struct memo *m = map_get(&c->memos->by_name, name);

    if (!m || m->stale || m->key != key || (m->reader.touched & ~(1u << INPUT_KEYED)))
        return NULL;
    m->reader.touched = 0;
    list_remove(&m->reader.changed);
    m->round = c->memos->round;
    return m;
}

void memo_begin(struct compile *c, struct memo_capture *cap, struct str name, uint64_t key)
{
    struct arena *a = arena_new(512);
    struct memo *m = ARENA_NEW(a, struct memo);

    reader_init(&m->reader, false);
    m->serial = ++c->m->made;
    m->arena = a;
    m->name = arena_dup(a, name);
    m->key = key;
    m->round = c->memos->round;
    notes_init(&m->notes, a);
    m->notes.max = c->notes->max;
    list_init(&m->noted);
    *cap = (struct memo_capture){
        m, c->reading, c->notes, c->a, c->sum->unsupported, c->sum->routes
    };
    c->a = c->scratch;
    c->reading = &m->reader;
    c->notes = &m->notes;
}

void notes_own(struct notes *notes)
{
    for (size_t i = 0; i < notes->n; i++) {
        struct note *n = &notes->v[i];

        n->pos.file = arena_dup(notes->arena, n->pos.file);
        n->object = arena_dup(notes->arena, n->object);
        n->path = arena_dup(notes->arena, n->path);
        n->other.file = arena_dup(notes->arena, n->other.file);
        n->other_object = arena_dup(notes->arena, n->other_object);
    }
}

struct memo *memo_end(struct compile *c, struct memo_capture *cap, bool keep)
{
    struct memos *ms = c->memos;
    struct memo *m = cap->memo;

    notes_own(&m->notes);
    c->reading = cap->outer;
    c->notes = cap->notes;
    c->a = cap->a;
    m->unsupported = c->sum->unsupported - cap->unsupported;
    m->routes = c->sum->routes - cap->routes;
    c->sum->unsupported = cap->unsupported;
    c->sum->routes = cap->routes;
    if (!cap->outer) {
        arena_reset(c->scratch);
        store_relieve(c->store);
    }
    memos_drop(ms, &c->m->inputs, m->name);
    m->stale = !keep;
    map_put(&ms->by_name, m->name, m);
    ms->unsupported += m->unsupported;
    ms->routes += m->routes;
    m->octets = m->arena->total;
    ms->octets += m->octets;
    if (m->notes.n || m->notes.dropped)
        list_push_back(&ms->noted, &m->noted);
    return m;
}
