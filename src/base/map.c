#include "base/map.h"

#include "base/hash.h"

#include <stdlib.h>

#define GONE UINT32_MAX /* a slot whose entry was deleted */

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
}

void map_fini(struct map *m)
{
    free(m->entries);
    free(m->slots);
    map_init(m);
}

void map_reset(struct map *m)
{
    m->n = 0;
    m->filled = 0;
    if (m->slots)
        memset(m->slots, 0, m->slot_count * sizeof(*m->slots));
}

static size_t slot_of(const struct map *m, struct str key, uint64_t hash)
{
    size_t i;

    if (m->slot_count == 0)
        return SIZE_MAX;
    for (i = hash & (m->slot_count - 1); m->slots[i] != 0; i = (i + 1) & (m->slot_count - 1)) {
        const struct map_entry *e;

        if (m->slots[i] == GONE)
            continue;
        e = &m->entries[m->slots[i] - 1];
        if (e->hash == hash && str_eq(e->key, key))
            return i;
    }
    return SIZE_MAX;
}

static void slot_fill(struct map *m, size_t entry)
{
    size_t i = m->entries[entry].hash & (m->slot_count - 1);

    while (m->slots[i] != 0)
        i = (i + 1) & (m->slot_count - 1);
    m->slots[i] = (uint32_t)(entry + 1);
}

/* Makes room for one more: drops the holes, grows where needed, and lays the slots anew. */
static void rebuild(struct map *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->filled; i++) {
        if (m->entries[i].used)
            m->entries[kept++] = m->entries[i];
    }
    m->filled = kept;
    if (kept * 4 >= m->cap * 3) {
        m->cap = MAX(m->cap * 2, 8);
        m->entries = must_realloc(m->entries, m->cap * sizeof(*m->entries));
        free(m->slots);
        m->slot_count = m->cap * 2;
        m->slots = must_alloc(m->slot_count * sizeof(*m->slots));
    } else {
        memset(m->slots, 0, m->slot_count * sizeof(*m->slots));
    }
    for (size_t i = 0; i < m->filled; i++)
        slot_fill(m, i);
}

void *map_get(const struct map *m, struct str key)
{
    size_t slot = slot_of(m, key, hash_str(key));

    return slot == SIZE_MAX ? NULL : m->entries[m->slots[slot] - 1].value;
}

bool map_has(const struct map *m, struct str key)
{
    return slot_of(m, key, hash_str(key)) != SIZE_MAX;
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_str(key);
    size_t slot = slot_of(m, key, hash);

    if (slot != SIZE_MAX) {
        struct map_entry *e = &m->entries[m->slots[slot] - 1];
        void *old = e->value;

        e->value = value;
        return old;
    }
    if (m->filled == m->cap)
        rebuild(m);
    m->entries[m->filled] = (struct map_entry){ key, value, hash, true };
    slot_fill(m, m->filled++);
    m->n++;
    return NULL;
}

void *map_del(struct map *m, struct str key)
{
    size_t slot = slot_of(m, key, hash_str(key));
    struct map_entry *e;

    if (slot == SIZE_MAX)
        return NULL;
    e = &m->entries[m->slots[slot] - 1];
    m->slots[slot] = GONE;
    e->used = false;
    m->n--;
    return e->value;
}

const struct map_entry *map_next(const struct map *m, size_t *at)
{
    while (*at < m->filled) {
        const struct map_entry *e = &m->entries[(*at)++];

        if (e->used)
            return e;
    }
    return NULL;
}
