#include "mesh/memo.h"

#include "base/hash.h"

#include <stdlib.h>

#define RECENT_DEPS 16 /* a look-up is compared with so many before it */

void memos_init(struct memos *ms)
{
    map_init(&ms->by_name);
    ms->round = 1;
}

static void memo_free(struct memo *m)
{
    part_unref(m->part);
    arena_free(m->arena);
}

void memos_fini(struct memos *ms)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&ms->by_name, &at));)
        memo_free(e->value);
    map_fini(&ms->by_name);
}

void memos_sweep(struct memos *ms)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&ms->by_name, &at));) {
        struct memo *m = e->value;

        if (m->round == ms->round)
            continue;
        map_del(&ms->by_name, m->name);
        memo_free(m);
    }
    ms->round++;
}

uint64_t memo_object(const struct api_object *o)
{
    return hash_mix(hash_stable(o->file), hash_mix(o->place_hash, o->broken));
}

static bool deps_hold(struct compile *c, const struct memo *m)
{
    for (size_t i = 0; i < m->dep_count; i++) {
        const struct service *s = service_find(c, m->deps[i].host);

        if ((s ? s->digest : 0) != m->deps[i].digest)
            return false;
    }
    return true;
}

const struct memo *memo_recall(struct compile *c, struct str name, uint64_t key)
{
    struct memo *m = map_get(&c->memos->by_name, name);

    if (!m || m->stale || m->key != key)
        return NULL;
    if (m->registry != c->registry_round && !deps_hold(c, m))
        return NULL;
    m->registry = c->registry_round;
    m->round = c->memos->round;
    notes_append(c->notes, &m->notes);
    c->sum->unsupported += m->unsupported;
    c->sum->routes += m->routes;
    return m;
}

void memo_begin(struct compile *c, struct memo_capture *cap, struct str name, uint64_t key)
{
    struct arena *a = arena_new(512);
    struct memo *m = ARENA_NEW(a, struct memo);

    m->arena = a;
    m->name = arena_dup(a, name);
    m->key = key;
    m->round = c->memos->round;
    m->registry = c->registry_round;
    notes_init(&m->notes, a);
    m->notes.max = c->notes->max;
    *cap = (struct memo_capture){
        m, c->capture, c->notes, c->a, c->sum->unsupported, c->sum->routes
    };
    c->a = c->scratch;
    c->capture = m;
    c->notes = &m->notes;
}

/* What notes borrow from objects and from the update, which the memo outlives. */
static void notes_own(struct notes *notes)
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
    struct memo *m = cap->memo, *old;

    notes_own(&m->notes);
    c->capture = cap->outer;
    c->notes = cap->notes;
    c->a = cap->a;
    notes_append(c->notes, &m->notes);
    m->unsupported = c->sum->unsupported - cap->unsupported;
    m->routes = c->sum->routes - cap->routes;
    if (!cap->outer) {
        arena_reset(c->scratch);
        store_relieve(c->store);
    }
    old = map_del(&c->memos->by_name, m->name);
    if (old)
        memo_free(old);
    m->stale = !keep;
    map_put(&c->memos->by_name, m->name, m);
    return m;
}

void memo_looked_up(struct compile *c, struct str host, uint64_t digest)
{
    struct memo *m = c->capture;

    if (!m)
        return;
    for (size_t i = m->dep_count; i-- > 0 && i + RECENT_DEPS >= m->dep_count;)
        if (str_eq(m->deps[i].host, host))
            return;
    m->deps = arena_grow(m->arena, m->deps, m->dep_count, &m->dep_cap, sizeof(*m->deps));
    m->deps[m->dep_count++] = (struct memo_dep){ arena_dup(m->arena, host), digest };
}
