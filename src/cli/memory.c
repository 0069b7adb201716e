#include "cli/memory.h"

#include "base/must.h"

#include <stdatomic.h>

static struct {
    const char *_Atomic name;
    _Atomic size_t n, octets;
} told[MEMORY_ROWS];
static _Atomic size_t told_rows;

void memory_tell(const struct tally *rows, size_t n)
{
    MUST(n <= MEMORY_ROWS);
    for (size_t i = 0; i < n; i++) {
        atomic_store_explicit(&told[i].name, rows[i].name, memory_order_relaxed);
        atomic_store_explicit(&told[i].n, rows[i].n, memory_order_relaxed);
        atomic_store_explicit(&told[i].octets, rows[i].octets, memory_order_relaxed);
    }
    atomic_store_explicit(&told_rows, n, memory_order_release);
}

size_t memory_rows(struct tally ret[MEMORY_ROWS])
{
    size_t n = atomic_load_explicit(&told_rows, memory_order_acquire);

    for (size_t i = 0; i < n; i++)
        ret[i] = (struct tally){ atomic_load_explicit(&told[i].name, memory_order_relaxed),
                                 atomic_load_explicit(&told[i].n, memory_order_relaxed),
                                 atomic_load_explicit(&told[i].octets, memory_order_relaxed) };
    return n;
}
