#include "lb/spread.h"

#include <stdlib.h>

void spread_init(struct spread *s, uint32_t n)
{
    *s = (struct spread){ .n = n };
    s->items = must_alloc(sizeof(*s->items) * MAX(n, 1));
}

void spread_fini(struct spread *s)
{
    heap_fini(&s->heap);
    free(s->items);
    *s = (struct spread){ 0 };
}

void spread_weight(struct spread *s, uint32_t item, uint32_t weight)
{
    s->items[item].weight = weight;
}

/* The round is the time from 0 to 1; a turn of an item lasts 1 / weight. */
static void item_queue(struct spread *s, struct spread_item *item)
{
    double at = ((double)item->taken + item->start) / (double)item->weight;

    heap_set(&s->heap, &item->node, (uint64_t)(at * (double)(UINT64_C(1) << 62)));
}

static void round_begin(struct spread *s, struct rng *rng)
{
    for (uint32_t i = 0; i < s->n; i++) {
        struct spread_item *item = &s->items[i];

        if (item->weight == 0)
            continue;
        item->taken = 0;
        item->start = (double)(rng_u64(rng) >> 11) / (double)(UINT64_C(1) << 53);
        item_queue(s, item);
    }
}

uint32_t spread_next(struct spread *s, struct rng *rng)
{
    struct heap_node *first = heap_first(&s->heap);
    struct spread_item *item;

    if (!first) {
        round_begin(s, rng);
        first = heap_first(&s->heap);
    }
    MUST(first != NULL);
    item = CONTAINER_OF(first, struct spread_item, node);
    if (++item->taken < item->weight)
        item_queue(s, item);
    else
        heap_remove(&s->heap, &item->node);
    return (uint32_t)(item - s->items);
}
