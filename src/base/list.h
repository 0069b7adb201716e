/*
 * base/list - intrusive doubly linked lists. A node that is in no list points to itself.
 */
#pragma once

#include "base/must.h"

#include <stdbool.h>

struct list {
    struct list *prev, *next;
};

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

/* Puts `node` behind `at`: in front of all others where `at` is the list's head. */
static inline void list_add_after(struct list *at, struct list *node)
{
    node->prev = at;
    node->next = at->next;
    at->next->prev = node;
    at->next = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_add_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_add_after(head->prev, node);
}

/* Takes `node` out of its list; harmless where it is in none. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Moves all of `from` to the empty list `to`. */
static inline void list_take_all(struct list *to, struct list *from)
{
    MUST(list_is_empty(to));
    if (list_is_empty(from))
        return;
    *to = *from;
    to->prev->next = to;
    to->next->prev = to;
    list_init(from);
}

#define LIST_ITEM(node, type, member) CONTAINER_OF(node, type, member)
/* The loop's body may remove `it`. */
#define LIST_EACH(it, head, after)                                                                 \
    for (struct list *it = (head)->next, *after = it->next; it != (head);                          \
         it = after, after = it->next)
