#include "mesh/inputs.h"

#include "base/hash.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define RECENT 16 /* what is read is compared with so many read before it */

/* One reader of one input, in the chain of its bucket. */
struct input_node {
    input_key key;
    struct reader *reader; /* NULL: free, `next` chains those */
    uint32_t prev, next;
    enum input what;
};

input_key input_of(enum input what, int kind, struct str a, struct str b, struct str c)
{
    uint64_t h = key_mix(hash_str(a), ((uint64_t)what << 32) | (uint32_t)kind);

    h = str_is_set(b) ? key_mix(h, hash_str(b)) : h;
    return str_is_set(c) ? key_mix(h, hash_str(c)) : h;
}

void inputs_init(struct inputs *in)
{
    *in = (struct inputs){ .free = NONE };
}

void inputs_fini(struct inputs *in)
{
    free(in->nodes);
    free(in->buckets);
    inputs_init(in);
}

void reader_init(struct reader *r, bool is_service)
{
    *r = (struct reader){ .is_service = is_service };
    list_init(&r->changed);
}

static uint32_t *bucket_of(struct inputs *in, input_key key)
{
    return &in->buckets[key & (in->bucket_count - 1)];
}

static void chain(struct inputs *in, uint32_t at)
{
    struct input_node *n = &in->nodes[at];
    uint32_t *head = bucket_of(in, n->key);

    n->prev = NONE;
    n->next = *head;
    if (*head != NONE)
        in->nodes[*head].prev = at;
    *head = at;
}

static void grow(struct inputs *in)
{
    in->cap = MAX(in->cap * 2, 64);
    in->nodes = must_realloc(in->nodes, in->cap * sizeof(*in->nodes));
    free(in->buckets);
    in->bucket_count = in->cap;
    in->buckets = must_alloc(in->bucket_count * sizeof(*in->buckets));
    memset(in->buckets, 0xff, in->bucket_count * sizeof(*in->buckets));
    for (uint32_t i = 0; i < in->n; i++)
        if (in->nodes[i].reader)
            chain(in, i);
}

static uint32_t node_new(struct inputs *in)
{
    uint32_t at = in->free;

    if (at != NONE) {
        in->free = in->nodes[at].next;
        return at;
    }
    if (in->n == in->cap)
        grow(in);
    return in->n++;
}

void inputs_add(struct inputs *in, struct reader *r, enum input what, input_key key)
{
    uint32_t at;

    for (uint32_t i = r->n; i-- > 0 && i + RECENT >= r->n;)
        if (in->nodes[r->v[i]].key == key)
            return;
    if (r->n == r->cap) {
        r->cap = MAX(r->cap * 2, 4);
        r->v = must_realloc(r->v, r->cap * sizeof(*r->v));
    }
    at = node_new(in);
    in->nodes[at] = (struct input_node){ .key = key, .reader = r, .what = what };
    chain(in, at);
    r->v[r->n++] = at;
}

static void node_drop(struct inputs *in, uint32_t at)
{
    struct input_node *n = &in->nodes[at];

    if (n->prev == NONE)
        *bucket_of(in, n->key) = n->next;
    else
        in->nodes[n->prev].next = n->next;
    if (n->next != NONE)
        in->nodes[n->next].prev = n->prev;
    *n = (struct input_node){ .next = in->free };
    in->free = at;
}

void inputs_drop(struct inputs *in, struct reader *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        node_drop(in, r->v[i]);
    list_remove(&r->changed);
    free(r->v);
    reader_init(r, r->is_service);
}

input_key inputs_key(const struct inputs *in, const struct reader *r, uint32_t i)
{
    return in->nodes[r->v[i]].key;
}

void inputs_touch(struct inputs *in, input_key key, struct list *changed)
{
    if (!in->bucket_count)
        return;
    for (uint32_t at = *bucket_of(in, key); at != NONE; at = in->nodes[at].next) {
        struct input_node *n = &in->nodes[at];

        if (n->key != key)
            continue;
        if (list_is_empty(&n->reader->changed))
            list_push_back(changed, &n->reader->changed);
        n->reader->touched |= 1u << n->what;
    }
}
