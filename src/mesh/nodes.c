/*
 * mesh/nodes - the tree of a table of hosts (model/parts.h): its shape follows from the names
 * alone, so that two ways to the same names end in the same parts.
 */
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "model/compact.h"
#include "model/host_index.h"

#include <stdlib.h>

#define DEPTH_MAX 16 /* of 64 bits, four a step */

void node_init(struct host_node *n, struct str name, uint32_t depth)
{
    *n = (struct host_node){ .name = name, .depth = depth, .slot = SLOT_NONE };
    list_init(&n->unmade);
}

static uint32_t way_of(const struct host_node *n, const struct vhost_plan *v)
{
    return (uint32_t)(v->key >> (60 - 4 * n->depth)) % DOMAINS_SHARDS;
}

void node_fini(struct host_node *n)
{
    for (uint32_t i = 0; n->below && i < DOMAINS_SHARDS; i++) {
        node_fini(&n->below[i]);
        free((char *)(uintptr_t)n->below[i].name.p);
    }
    list_remove(&n->unmade);
    free(n->below);
    free(n->v);
    n->below = NULL;
    n->v = NULL;
    n->v_n = n->v_cap = 0;
}

static void touch(struct compile *c, struct table_plan *t, struct host_node *n)
{
    if (n == &t->top)
        table_touch(c, t);
    else if (list_is_empty(&n->unmade))
        list_push_back(&c->plan->nodes, &n->unmade);
}

static void leaf_add(struct host_node *n, struct vhost_plan *v)
{
    if (n->v_n == n->v_cap) {
        n->v_cap = MAX(n->v_cap * 2, 4);
        n->v = must_realloc(n->v, n->v_cap * sizeof(struct vhost_plan *));
    }
    n->v[n->v_n++] = v;
}

static void leaf_del(struct host_node *n, const struct vhost_plan *v)
{
    for (size_t i = 0; i < n->v_n; i++)
        if (n->v[i] == v)
            n->v[i--] = n->v[--n->v_n];
}

/* ---- splitting and merging ---- */

static struct str name_below(const struct host_node *n, uint32_t way)
{
    static const char digits[] = "0123456789abcdef";
    size_t more = n->depth ? 1 : 2;
    char *name = must_alloc(n->name.n + 3);

    memcpy(name, n->name.p, n->name.n);
    if (n->depth == 0)
        name[n->name.n] = '#';
    name[n->name.n + more - 1] = digits[way];
    return str_make(name, n->name.n + more);
}

static void split(struct compile *c, struct table_plan *t, struct host_node *n)
{
    n->below = must_alloc(DOMAINS_SHARDS * sizeof(*n->below));
    for (uint32_t i = 0; i < DOMAINS_SHARDS; i++) {
        node_init(&n->below[i], name_below(n, i), n->depth + 1);
        touch(c, t, &n->below[i]);
    }
    for (size_t i = 0; i < n->v_n; i++) {
        struct host_node *to = &n->below[way_of(n, n->v[i])];

        leaf_add(to, n->v[i]);
        to->n++;
    }
    free(n->v);
    n->v = NULL;
    n->v_n = n->v_cap = 0;
    touch(c, t, n);
}

/* All below stood in leaves: there are too few for more. */
static void merge(struct compile *c, struct table_plan *t, struct host_node *n)
{
    struct host_node *below = n->below;

    n->below = NULL;
    for (uint32_t i = 0; i < DOMAINS_SHARDS; i++) {
        for (size_t k = 0; k < below[i].v_n; k++)
            leaf_add(n, below[i].v[k]);
        compile_clear(c, PART_DOMAINS, below[i].slot);
        node_fini(&below[i]);
        free((char *)(uintptr_t)below[i].name.p);
    }
    free(below);
    touch(c, t, n);
}

static void add(struct compile *c, struct table_plan *t, struct host_node *n, struct vhost_plan *v)
{
    n->n++;
    if (!n->below && n->n > DOMAINS_LEAF && n->depth < DEPTH_MAX)
        split(c, t, n);
    if (n->below) {
        add(c, t, &n->below[way_of(n, v)], v);
        return;
    }
    leaf_add(n, v);
    touch(c, t, n);
}

static void del(struct compile *c, struct table_plan *t, struct host_node *n, struct vhost_plan *v)
{
    n->n--;
    if (n->below)
        del(c, t, &n->below[way_of(n, v)], v);
    else
        leaf_del(n, v);
    if (n->below && n->n <= DOMAINS_LEAF)
        merge(c, t, n);
    else if (!n->below)
        touch(c, t, n);
}

void node_add(struct compile *c, struct table_plan *t, struct vhost_plan *v)
{
    add(c, t, &t->top, v);
}

void node_del(struct compile *c, struct table_plan *t, struct vhost_plan *v)
{
    del(c, t, &t->top, v);
}

/* ---- parts ---- */

static int compare_names(const void *a, const void *b)
{
    return str_cmp(((const struct domain *)a)->name, ((const struct domain *)b)->name);
}

void node_fill(struct part *p, const struct host_node *n, struct domain *v)
{
    for (size_t i = 0; i < n->v_n; i++)
        v[i] = (struct domain){ arena_dup(p->arena, n->v[i]->host), n->v[i]->slot };
    if (n->v_n)
        qsort(v, n->v_n, sizeof(*v), compare_names);
}

void node_compile(struct compile *c, struct host_node *n)
{
    struct domains *d = compile_part(c, PART_DOMAINS, n->name);
    uint32_t shards = n->below ? DOMAINS_SHARDS : 0;

    ARRAY_COPY(&d->part, d->domains, n->v_n);
    node_fill(&d->part, n, d->domains.v);
    ARRAY_COPY(&d->part, d->shards, shards);
    for (uint32_t i = 0; i < d->shards.n; i++)
        d->shards.v[i] = slots_of(c->slots, PART_DOMAINS, n->below[i].name);
    n->slot = d->part.slot;
    compile_put_sure(c, &d->part);
    c->m->work.nodes++;
}
