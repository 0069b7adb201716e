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

void chunk_pool_trim(struct chunk_pool *pool)
{
    slab_trim(&pool->chunks);
    slab_trim(&pool->slices);
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

void bufq_drop_all(struct bufq *q)
{
    while (q->first)
        slice_pop(q);
}

static struct slice *last_of(const struct bufq *q)
{
    return q->first ? CONTAINER_OF(q->last, struct slice, next) : NULL;
}

/* Takes the caller's reference to `c`. */
static struct slice *slice_push(struct bufq *q, struct chunk *take_c, size_t at, size_t n)
{
    struct slice *s = slab_take(&take_c->pool->slices);

    if (!s) {
        chunk_unref(take_c);
        return NULL;
    }
    *s = (struct slice){ .chunk = take_c, .at = (uint32_t)at, .n = (uint32_t)n };
    *q->last = s;
    q->last = &s->next;
    q->n += n;
    return s;
}

bool bufq_add(struct bufq *q, struct chunk *c, size_t at, size_t n)
{
    struct slice *tail = last_of(q);

    MUST(at + n <= CHUNK_OCTETS);
    if (n == 0)
        return true;
    if (tail && tail->chunk == c && tail->at + tail->n == at) {
        tail->n += (uint32_t)n;
        q->n += n;
        return true;
    }
    return slice_push(q, chunk_ref(c), at, n) != NULL;
}

/* Octets that may be added to the chunk of `tail` behind what it has. */
static size_t room_behind(const struct slice *tail)
{
    const struct chunk *c = tail ? tail->chunk : NULL;

    return c && c->refs == 1 && tail->at + tail->n == c->n ? CHUNK_OCTETS - c->n : 0;
}

char *bufq_room(struct bufq *q, struct chunk_pool *pool, size_t n, size_t *ret_n)
{
    struct slice *tail = last_of(q);

    *ret_n = room_behind(tail);
    if (*ret_n < n) {
        struct chunk *c = chunk_new(pool);

        tail = c ? slice_push(q, c, 0, 0) : NULL;
        *ret_n = CHUNK_OCTETS;
    }
    return tail ? tail->chunk->data + tail->chunk->n : NULL;
}

void bufq_wrote(struct bufq *q, size_t n)
{
    struct slice *tail = last_of(q);

    tail->chunk->n += (uint32_t)n;
    tail->n += (uint32_t)n;
    q->n += n;
}

bool bufq_copy(struct bufq *q, struct chunk_pool *pool, struct str octets)
{
    while (octets.n) {
        size_t n;
        char *at = bufq_room(q, pool, 1, &n);

        if (!at)
            return false;
        n = MIN(octets.n, n);
        memcpy(at, octets.p, n);
        bufq_wrote(q, n);
        octets = str_from(octets, n);
    }
    return true;
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
