#include "base/heap.h"

#include <stdlib.h>

void heap_fini(struct heap *h)
{
    free(h->nodes);
    *h = (struct heap){ 0 };
}

static void put(struct heap *h, struct heap_node *node, size_t i)
{
    h->nodes[i] = node;
    node->place = i + 1;
}

static void sift(struct heap *h, struct heap_node *node, size_t i)
{
    while (i > 0 && h->nodes[(i - 1) / 2]->key > node->key) {
        put(h, h->nodes[(i - 1) / 2], i);
        i = (i - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < h->n && h->nodes[child + 1]->key < h->nodes[child]->key)
            child++;
        if (child >= h->n || h->nodes[child]->key >= node->key)
            break;
        put(h, h->nodes[child], i);
        i = child;
    }
    put(h, node, i);
}

void heap_set(struct heap *h, struct heap_node *node, uint64_t key)
{
    node->key = key;
    if (!heap_has(node)) {
        if (h->n == h->cap) {
            h->cap = MAX(h->cap * 2, 16);
            h->nodes = must_realloc(h->nodes, h->cap * sizeof(struct heap_node *));
        }
        put(h, node, h->n++);
    }
    sift(h, node, node->place - 1);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    struct heap_node *last;
    size_t i = node->place;

    if (i == 0)
        return;
    last = h->nodes[--h->n];
    node->place = 0;
    if (last != node)
        sift(h, last, i - 1);
}
