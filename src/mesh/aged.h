/*
 * mesh/aged - objects in the order of their age (design 7): creationTimestamp, then name, then
 * namespace; without a timestamp an object is youngest. Kept as objects come and go.
 */
#pragma once

#include "mesh/store.h"

struct aged {
    struct object_list list; /* in order */
    size_t cap;
    const struct api_object **come, **gone; /* since it was settled last */
    size_t come_n, come_cap, gone_n, gone_cap;
};

/* Below 0: `a` is older. */
int aged_compare(const struct api_object *a, const struct api_object *b);

void aged_fini(struct aged *a);
void aged_add(struct aged *a, const struct api_object *o);
void aged_del(struct aged *a, const struct api_object *o); /* is only compared by address */
/* Takes up what came and went: few cost a search, many a sort. Before that `list` is as it was. */
void aged_settle(struct aged *a);
