/*
 * base/heap - a binary heap of nodes by a 64-bit key, smallest first. Intrusive: a node
 * knows its place, so it can be moved or removed in O(log n). Not thread-safe.
 */
#pragma once

#include "base/must.h"

#include <stdbool.h>

struct heap_node {
    uint64_t key;
    size_t place; /* 1-based index; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t n, cap;
};

void heap_fini(struct heap *h); /* nodes that were in it are not touched */
/* Adds the node, or moves it if it is in already. */
void heap_set(struct heap *h, struct heap_node *node, uint64_t key);
void heap_remove(struct heap *h, struct heap_node *node); /* harmless where it is in none */

static inline struct heap_node *heap_first(const struct heap *h)
{
    return h->n ? h->nodes[0] : NULL;
}

static inline bool heap_has(const struct heap_node *node)
{
    return node->place != 0;
}
