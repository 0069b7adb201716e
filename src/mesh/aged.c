#include "mesh/aged.h"

#include <stdlib.h>

#define FEW 8

int aged_compare(const struct api_object *ox, const struct api_object *oy)
{
    const struct api_meta *x = ox->meta, *y = oy->meta;
    int c;

    if (x->creation_timestamp.set != y->creation_timestamp.set)
        return x->creation_timestamp.set ? -1 : 1;
    if (x->creation_timestamp.set && x->creation_timestamp.unix_ms != y->creation_timestamp.unix_ms)
        return x->creation_timestamp.unix_ms < y->creation_timestamp.unix_ms ? -1 : 1;
    c = str_cmp(x->name, y->name);
    c = c ? c : str_cmp(x->namespace, y->namespace);
    return c ? c : str_cmp(ox->kind->kind, oy->kind->kind); /* "other" kinds share a list */
}

static int compare_age(const void *a, const void *b)
{
    return aged_compare(*(const struct api_object *const *)a, *(const struct api_object *const *)b);
}

static int compare_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const struct api_object *const *)a;
    uintptr_t y = (uintptr_t) * (const struct api_object *const *)b;

    return x < y ? -1 : x > y;
}

void aged_fini(struct aged *a)
{
    free(a->list.v);
    free(a->come);
    free(a->gone);
    *a = (struct aged){ 0 };
}

static const struct api_object **grown(const struct api_object **v, size_t n, size_t *cap)
{
    if (n <= *cap)
        return v;
    *cap = MAX(n, *cap * 2);
    return must_realloc(v, *cap * sizeof(const struct api_object *));
}

void aged_add(struct aged *a, const struct api_object *o)
{
    a->come = grown(a->come, a->come_n + 1, &a->come_cap);
    a->come[a->come_n++] = o;
}

void aged_del(struct aged *a, const struct api_object *o)
{
    a->gone = grown(a->gone, a->gone_n + 1, &a->gone_cap);
    a->gone[a->gone_n++] = o;
}

static bool is_gone(const struct aged *a, const struct api_object *o)
{
    if (a->gone_n > FEW)
        return bsearch(&o, a->gone, a->gone_n, sizeof(const struct api_object *),
                       compare_address) != NULL;
    for (size_t i = 0; i < a->gone_n; i++)
        if (a->gone[i] == o)
            return true;
    return false;
}

static size_t without_gone(const struct aged *a, const struct api_object **v, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (!is_gone(a, v[i]))
            v[kept++] = v[i];
    return kept;
}

static void drop_gone(struct aged *a)
{
    if (a->gone_n > FEW)
        qsort(a->gone, a->gone_n, sizeof(const struct api_object *), compare_address);
    a->list.n = without_gone(a, a->list.v, a->list.n);
    a->come_n = without_gone(a, a->come, a->come_n);
    a->gone_n = 0;
}

static void insert(struct aged *a, const struct api_object *o)
{
    size_t low = 0, high = a->list.n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare_age(&a->list.v[middle], &o) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < a->list.n && a->list.v[low] == o)
        return; /* found under one key twice */
    memmove(a->list.v + low + 1, a->list.v + low,
            (a->list.n - low) * sizeof(const struct api_object *));
    a->list.v[low] = o;
    a->list.n++;
}

static void drop_twice(struct aged *a)
{
    size_t n = 1;

    for (size_t i = 1; i < a->list.n; i++)
        if (a->list.v[i] != a->list.v[i - 1])
            a->list.v[n++] = a->list.v[i];
    a->list.n = n;
}

void aged_settle(struct aged *a)
{
    if (a->gone_n)
        drop_gone(a);
    if (!a->come_n)
        return;
    a->list.v = grown(a->list.v, a->list.n + a->come_n, &a->cap);
    if (a->come_n <= FEW) {
        for (size_t i = 0; i < a->come_n; i++)
            insert(a, a->come[i]);
    } else {
        memcpy(a->list.v + a->list.n, a->come, a->come_n * sizeof(const struct api_object *));
        a->list.n += a->come_n;
        qsort(a->list.v, a->list.n, sizeof(const struct api_object *), compare_age);
        drop_twice(a);
    }
    a->come_n = 0;
    if (a->come_cap > FEW) {
        free(a->come);
        a->come = NULL;
        a->come_cap = 0;
    }
}
