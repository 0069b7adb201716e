#include "model/path_index.h"

#define NOWHERE UINT32_MAX

struct path_index {
    struct path_keys *keys[2]; /* [1]: without case */
    struct path_regexes *regexes;
};

struct path_index *path_index_build(const struct vhost *vhost)
{
    struct path_index *x = ARENA_NEW(vhost->part.arena, struct path_index);

    x->keys[0] = path_keys_build(vhost, false);
    x->keys[1] = path_keys_build(vhost, true);
    x->regexes = path_regexes_build(vhost);
    return x;
}

void path_index_drop(struct path_index *x)
{
    if (x)
        path_regexes_drop(x->regexes);
}

/* Begins a batch with the literal paths' smallest numbers. */
static void batch_fill(struct path_cursor *c, uint32_t from)
{
    c->batch.n = 0;
    c->batch.limit = NOWHERE;
    for (size_t i = 0; i < LEN(c->deepest); i++)
        path_keys_collect(c->index->keys[i], c->deepest[i], c->rq, from, &c->batch);
    path_regexes_again(&c->regexes);
}

void path_cursor_init(struct path_cursor *c, const struct path_index *index,
                      const struct route_request *rq)
{
    c->index = index;
    c->rq = rq;
    c->regexes.is_scanned = false;
    for (size_t i = 0; i < LEN(c->deepest); i++)
        c->deepest[i] = path_keys_deepest(index->keys[i], rq->path);
    batch_fill(c, 0);
}

static void batch_skip(struct path_batch *b, uint32_t from)
{
    uint32_t gone = 0;

    while (gone < b->n && b->ids[gone] < from)
        gone++;
    if (gone == 0)
        return;
    b->n -= gone;
    memmove(b->ids, b->ids + gone, b->n * sizeof(*b->ids));
}

uint32_t path_cursor_next(struct path_cursor *c, uint32_t from)
{
    for (;;) {
        struct path_batch *b = &c->batch;
        uint32_t best;

        batch_skip(b, from);
        best = b->n ? b->ids[0] : b->limit;
        if (c->index->regexes &&
            path_regexes_next(c->index->regexes, &c->regexes, c->rq, from, best, b))
            continue;
        if (b->n)
            return b->ids[0];
        if (b->limit == NOWHERE)
            return NOWHERE;
        batch_fill(c, b->limit);
    }
}
