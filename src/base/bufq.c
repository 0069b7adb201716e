#include "base/bufq.h"

void chunk_pool_init(struct chunk_pool *pool, size_t max_octets)
{
    size_t max = MAX(max_octets / CHUNK_OCTETS, 4);

    slab_init(&pool->chunks, sizeof(struct chunk), max);
    slab_init(&pool->slices, sizeof(struct slice),
              max * 64); /* one-octet bodies are bounded, too */
}

void chunk_pool_fini(struct chunk_pool *pool)
{
    slab_fini(&pool->chunks);
    slab_fini(&pool->slices);
}

struct chunk *chunk_new(struct chunk_pool *pool)
{
    struct chunk *c = slab_take(&pool->chunks);

    if (!c)
        return NULL;
    c->pool = pool;
    c->refs = 1;
    c->n = 0;
    return c;
}

struct chunk *chunk_ref(struct chunk *c)
{
    c->refs++;
    return c;
}

void chunk_unref(struct chunk *c)
{
    if (!c)
        return;
    MUST(c->refs > 0);
    if (--c->refs == 0)
        slab_put(&c->pool->chunks, c);
}

void bufq_init(struct bufq *q)
{
    q->first = NULL;
    q->last = &q->first;
    q->n = 0;
}

static void slice_pop(struct bufq *q)
{
    struct slice *s = q->first;
    struct chunk_pool *pool = s->chunk->pool;

    q->first = s->next;
    if (!q->first)
        q->last = &q->first;
    q->n -= s->n;
    chunk_unref(s->chunk);
    slab_put(&pool->slices, s);
}

void bufq_reset(struct bufq *q)
{
    while (q->first)
        slice_pop(q);
}

/* The last slice, if it ends where [at...) of `c` begins. */
static struct slice *slice_before(struct bufq *q, const struct chunk *c, size_t at)
{
    struct slice *tail;

    if (!q->first)
        return NULL;
    tail = CONTAINER_OF(q->last, struct slice, next);
    return tail->chunk == c && tail->at + tail->n == at ? tail : NULL;
}

bool bufq_add(struct bufq *q, struct chunk *c, size_t at, size_t n)
{
    struct slice *s = slice_before(q, c, at);

    MUST(at + n <= CHUNK_OCTETS);
    if (n == 0)
        return true;
    if (s) {
        s->n += (uint32_t)n;
        q->n += n;
        return true;
    }
    s = slab_take(&c->pool->slices);
    if (!s)
        return false;
    *s = (struct slice){ .chunk = chunk_ref(c), .at = (uint32_t)at, .n = (uint32_t)n };
    *q->last = s;
    q->last = &s->next;
    q->n += n;
    return true;
}

bool bufq_copy(struct bufq *q, struct chunk_pool *pool, struct str octets)
{
    while (octets.n) {
        struct slice *tail = q->first ? CONTAINER_OF(q->last, struct slice, next) : NULL;
        struct chunk *c = tail ? tail->chunk : NULL;
        bool fresh = !c || c->refs > 1 || tail->at + tail->n != c->n || c->n == CHUNK_OCTETS;
        size_t n;
        bool added;

        if (fresh)
            c = chunk_new(pool);
        if (!c)
            return false;
        n = MIN(octets.n, CHUNK_OCTETS - c->n);
        memcpy(c->data + c->n, octets.p, n);
        c->n += (uint32_t)n;
        added = bufq_add(q, c, c->n - n, n);
        if (fresh)
            chunk_unref(c);
        if (!added)
            return false;
        octets = str_from(octets, n);
    }
    return true;
}

void bufq_move(struct bufq *to, struct bufq *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    to->n += from->n;
    bufq_init(from);
}

bool bufq_take(struct bufq *to, struct bufq *from, size_t n)
{
    MUST(n <= from->n);
    if (n == from->n) {
        bufq_move(to, from);
        return true;
    }
    while (n) {
        size_t part = MIN(n, from->first->n);

        if (!bufq_add(to, from->first->chunk, from->first->at, part))
            return false;
        bufq_drop(from, part);
        n -= part;
    }
    return true;
}

bool bufq_share(struct bufq *to, const struct bufq *from)
{
    for (const struct slice *s = from->first; s; s = s->next) {
        if (!bufq_add(to, s->chunk, s->at, s->n))
            return false;
    }
    return true;
}

void bufq_drop(struct bufq *q, size_t n)
{
    MUST(n <= q->n);
    while (n) {
        struct slice *s = q->first;

        if (s->n <= n) {
            n -= s->n;
            slice_pop(q);
        } else {
            s->at += (uint32_t)n;
            s->n -= (uint32_t)n;
            q->n -= n;
            n = 0;
        }
    }
}

size_t bufq_iov(const struct bufq *q, struct iovec *iov, size_t max)
{
    size_t n = 0;

    for (const struct slice *s = q->first; s && n < max; s = s->next)
        iov[n++] = (struct iovec){ s->chunk->data + s->at, s->n };
    return n;
}
