#include "http/stream.h"

#include <stdlib.h>

struct slot {
    struct stream *stream;
    uint32_t generation;
    uint32_t next_free; /* index + 1 */
};

struct streams {
    struct slot *slots;
    uint32_t n, cap, max;
    uint32_t free; /* index + 1; 0: none */
    size_t live;
};

struct streams *streams_new(size_t max)
{
    struct streams *t = must_alloc(sizeof(*t));

    t->max = (uint32_t)MIN(max, UINT32_MAX - 1);
    return t;
}

void streams_free(struct streams *t)
{
    if (!t)
        return;
    free(t->slots);
    free(t);
}

size_t streams_count(const struct streams *t)
{
    return t->live;
}

static uint32_t slot_add(struct streams *t)
{
    if (t->n == t->cap) {
        t->cap = MAX(t->cap * 2, 64);
        t->slots = must_realloc(t->slots, t->cap * sizeof(*t->slots));
    }
    t->slots[t->n] = (struct slot){ 0 };
    return t->n++;
}

bool stream_enter(struct streams *t, struct stream *s)
{
    uint32_t i;

    if (t->live >= t->max)
        return false;
    if (t->free) {
        i = t->free - 1;
        t->free = t->slots[i].next_free;
    } else {
        i = slot_add(t);
    }
    t->slots[i].stream = s;
    t->live++;
    s->table = t;
    s->handle = (struct stream_handle){ i, t->slots[i].generation };
    return true;
}

void stream_leave(struct stream *s)
{
    struct streams *t = s->table;
    struct slot *slot;

    if (!t)
        return;
    slot = &t->slots[s->handle.slot];
    MUST(slot->stream == s);
    slot->stream = NULL;
    slot->generation++;
    slot->next_free = t->free;
    t->free = s->handle.slot + 1;
    t->live--;
    s->table = NULL;
}

struct stream *stream_of(struct streams *t, struct stream_handle handle)
{
    if (handle.slot >= t->n || t->slots[handle.slot].generation != handle.generation)
        return NULL;
    return t->slots[handle.slot].stream;
}

void streams_each(struct streams *t, void (*visit)(struct stream *s, void *arg), void *arg)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->slots[i].stream)
            visit(t->slots[i].stream, arg);
    }
}
