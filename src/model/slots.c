#include "model/slots.h"

#include "base/map.h"
#include "model/root.h"

#include <pthread.h>
#include <stdlib.h>

struct slot {
    struct str name; /* owned; STR_NONE while free */
    uint32_t uses;
    slot_id next_free; /* while free */
};

struct table {
    struct map by_name; /* of struct slot by number: the value is the number + 1 */
    struct slot *slots;
    uint32_t n, cap;
    slot_id free;
};

static struct table tables[PART_KINDS] = {
    [0 ... PART_KINDS - 1] = { .free = SLOT_NONE },
};
static uint32_t tables_uses; /* of all slots: with the last one the tables go */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static slot_id slot_new(struct table *t, struct str name)
{
    slot_id id = t->free;
    char *copy = must_alloc(name.n + 1);

    if (id != SLOT_NONE) {
        t->free = t->slots[id].next_free;
    } else {
        if (t->n == t->cap) {
            t->cap = MAX(t->cap * 2, 16);
            t->slots = must_realloc(t->slots, t->cap * sizeof(*t->slots));
        }
        id = t->n++;
    }
    if (name.n)
        memcpy(copy, name.p, name.n);
    t->slots[id] = (struct slot){ .name = str_make(copy, name.n) };
    map_put(&t->by_name, t->slots[id].name, (void *)((uintptr_t)id + 1));
    return id;
}

static void slot_release(struct table *t, slot_id id)
{
    struct slot *s = &t->slots[id];

    map_del(&t->by_name, s->name);
    free((void *)(uintptr_t)s->name.p);
    *s = (struct slot){ .next_free = t->free };
    t->free = id;
}

static void tables_free(void)
{
    for (size_t k = 0; k < PART_KINDS; k++) {
        map_fini(&tables[k].by_name);
        free(tables[k].slots);
        tables[k] = (struct table){ .free = SLOT_NONE };
    }
}

slot_id slot_take(enum part_kind kind, struct str name)
{
    struct table *t = &tables[kind];
    uintptr_t found;
    slot_id id;

    MUST(kind < PART_KINDS);
    pthread_mutex_lock(&lock);
    found = (uintptr_t)map_get(&t->by_name, name);
    id = found ? (slot_id)(found - 1) : slot_new(t, name);
    t->slots[id].uses++;
    tables_uses++;
    pthread_mutex_unlock(&lock);
    return id;
}

void slot_take_again(enum part_kind kind, slot_id slot)
{
    struct table *t = &tables[kind];

    if (slot == SLOT_NONE)
        return;
    pthread_mutex_lock(&lock);
    MUST(slot < t->n && t->slots[slot].uses > 0);
    t->slots[slot].uses++;
    tables_uses++;
    pthread_mutex_unlock(&lock);
}

void slot_drop(enum part_kind kind, slot_id slot)
{
    struct table *t = &tables[kind];

    if (slot == SLOT_NONE)
        return;
    pthread_mutex_lock(&lock);
    MUST(slot < t->n && t->slots[slot].uses > 0);
    if (--t->slots[slot].uses == 0)
        slot_release(t, slot);
    if (--tables_uses == 0)
        tables_free();
    pthread_mutex_unlock(&lock);
}

struct str slot_name(enum part_kind kind, slot_id slot)
{
    struct str name = STR_NONE;

    pthread_mutex_lock(&lock);
    if (slot < tables[kind].n)
        name = tables[kind].slots[slot].name;
    pthread_mutex_unlock(&lock);
    return name;
}

/* ---- reservations -------------------------------------------------------------------- */

struct slots {
    struct {
        enum part_kind kind;
        slot_id id;
    } * held;
    size_t n, cap;
};

struct slots *slots_new(void)
{
    return must_alloc(sizeof(struct slots));
}

void slots_sweep(struct slots *s)
{
    for (size_t i = 0; i < s->n; i++)
        slot_drop(s->held[i].kind, s->held[i].id);
    s->n = 0;
}

void slots_free(struct slots *s)
{
    if (!s)
        return;
    slots_sweep(s);
    free(s->held);
    free(s);
}

slot_id slots_of(struct slots *s, enum part_kind kind, struct str name)
{
    slot_id id = slot_take(kind, name);

    if (s->n == s->cap) {
        s->cap = MAX(s->cap * 2, 16);
        s->held = must_realloc(s->held, s->cap * sizeof(*s->held));
    }
    s->held[s->n].kind = kind;
    s->held[s->n++].id = id;
    return id;
}
