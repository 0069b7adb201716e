#include "live/addresses.h"

#include "base/hash.h"
#include "base/must.h"

#include <pthread.h>
#include <stdlib.h>

#define TABLES 64
#define CELLS_MIN 16

struct cell {
    uint64_t key; /* 0: free */
    uint32_t count;
};

struct table {
    pthread_mutex_t lock;
    struct cell *cells;
    size_t n, cap; /* in use; a power of two, or 0 */
};

static struct table tables[TABLES] = { [0 ... TABLES - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER } };

#define IPV4_MARK UINT64_C(0x0000ffff00000000) /* a /64 network that nobody has */

uint64_t address_key(const struct addr *a)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    const uint8_t *from = a->ip;
    uint64_t key = 0;

    if (a->family == 0)
        return 0;
    if (a->family == 6 && memcmp(a->ip, mapped, sizeof(mapped)) != 0) {
        for (size_t i = 0; i < 8; i++)
            key = key << 8 | from[i];
        return key ? key : 1; /* ::1 and its network */
    }
    if (a->family == 6)
        from += sizeof(mapped);
    for (size_t i = 0; i < 4; i++)
        key = key << 8 | from[i];
    return IPV4_MARK | key;
}

/* ---- one table, locked ---- */

static size_t home(const struct table *t, uint64_t key)
{
    return (hash_u64(key) / TABLES) & (t->cap - 1);
}

/* The cell of the key, or the free one where it belongs. */
static struct cell *find(const struct table *t, uint64_t key)
{
    size_t at = home(t, key);

    while (t->cells[at].key && t->cells[at].key != key)
        at = (at + 1) & (t->cap - 1);
    return &t->cells[at];
}

static void resize(struct table *t, size_t cap)
{
    struct table old = *t;

    t->cells = must_alloc(cap * sizeof(*t->cells));
    t->cap = cap;
    for (size_t i = 0; i < old.cap; i++) {
        if (old.cells[i].key)
            *find(t, old.cells[i].key) = old.cells[i];
    }
    free(old.cells);
}

/* Those behind it move up, so that no search ends early. */
static void take_out(struct table *t, struct cell *cell)
{
    size_t hole = (size_t)(cell - t->cells), mask = t->cap - 1;

    for (size_t at = (hole + 1) & mask; t->cells[at].key; at = (at + 1) & mask) {
        size_t from_home = (at - home(t, t->cells[at].key)) & mask;

        if (from_home >= ((at - hole) & mask)) {
            t->cells[hole] = t->cells[at];
            hole = at;
        }
    }
    t->cells[hole] = (struct cell){ 0 };
    if (--t->n == 0) {
        free(t->cells);
        t->cells = NULL;
        t->cap = 0;
    } else if (t->cap > CELLS_MIN && t->n * 8 < t->cap) {
        resize(t, t->cap / 2);
    }
}

static struct table *table_lock(uint64_t key)
{
    struct table *t = &tables[hash_u64(key) % TABLES];

    pthread_mutex_lock(&t->lock);
    return t;
}

/* ---- all ---- */

bool addresses_take(uint64_t key, uint32_t max)
{
    struct table *t = table_lock(key);
    struct cell *cell;
    bool is_taken;

    if ((t->n + 1) * 2 > t->cap)
        resize(t, MAX(t->cap * 2, CELLS_MIN));
    cell = find(t, key);
    is_taken = cell->count < max;
    if (is_taken && cell->count++ == 0) {
        cell->key = key;
        t->n++;
    }
    pthread_mutex_unlock(&t->lock);
    return is_taken;
}

void addresses_give(uint64_t key)
{
    struct table *t;
    struct cell *cell;

    if (key == 0)
        return;
    t = table_lock(key);
    MUST(t->cap > 0);
    cell = find(t, key);
    MUST(cell->count > 0);
    if (--cell->count == 0)
        take_out(t, cell);
    pthread_mutex_unlock(&t->lock);
}

uint32_t addresses_count(uint64_t key)
{
    struct table *t = table_lock(key);
    uint32_t count = t->cap ? find(t, key)->count : 0;

    pthread_mutex_unlock(&t->lock);
    return count;
}
