#include "telemetry/series.h"

#include "telemetry/flags.h"

#include <stdlib.h>

/* Istio's buckets for all three histograms (istio-api facts 6.1), as text, nanoseconds of a
 * bound in milliseconds, and whole octets. */
#define BOUND(text, ns, octets)                                                                    \
    {                                                                                              \
        STR_INIT(text), UINT64_C(ns), UINT64_C(octets)                                             \
    }
#define BOUND_MS(n) BOUND(#n, n##000000, n)
static const struct {
    struct str text;
    uint64_t ns, octets;
} bounds[HISTOGRAM_BOUNDS] = {
    BOUND("0.5", 500000, 0),
    BOUND_MS(1),
    BOUND_MS(5),
    BOUND_MS(10),
    BOUND_MS(25),
    BOUND_MS(50),
    BOUND_MS(100),
    BOUND_MS(250),
    BOUND_MS(500),
    BOUND_MS(1000),
    BOUND_MS(2500),
    BOUND_MS(5000),
    BOUND_MS(10000),
    BOUND_MS(30000),
    BOUND_MS(60000),
    BOUND_MS(300000),
    BOUND_MS(600000),
    BOUND_MS(1800000),
    BOUND_MS(3600000),
};

_Static_assert(sizeof(struct series_key) == 16, "keys are compared as octets");

struct str histogram_bound_text(uint32_t i)
{
    return i < HISTOGRAM_BOUNDS ? bounds[i].text : STR("+Inf");
}

void series_table_init(struct series_table *t)
{
    memset(t, 0, sizeof(*t));
    t->index_size = 64;
    t->index = must_alloc(t->index_size * sizeof(*t->index));
}

void series_table_fini(struct series_table *t)
{
    for (size_t i = 0; i < SERIES_CHUNKS; i++)
        free(t->chunks[i]);
    free(t->index);
    memset(t, 0, sizeof(*t));
}

static uint32_t key_hash(const struct series_key *key)
{
    uint64_t a, b;

    memcpy(&a, key, 8);
    memcpy(&b, (const char *)key + 8, 8);
    a = (a ^ (b * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(a >> 32) ^ (uint32_t)a;
}

static struct series *row(const struct series_table *t, uint32_t i)
{
    return &t->chunks[i / SERIES_PER_CHUNK][i % SERIES_PER_CHUNK];
}

/* The place of a key in the index: its own, or the empty one where it belongs. */
static uint32_t *place_of(const struct series_table *t, const struct series_key *key)
{
    uint32_t at = key_hash(key) & (t->index_size - 1);

    while (t->index[at] && memcmp(&row(t, t->index[at] - 1)->key, key, sizeof(*key)) != 0)
        at = (at + 1) & (t->index_size - 1);
    return &t->index[at];
}

static void index_grow(struct series_table *t, uint32_t n)
{
    free(t->index);
    t->index_size *= 2;
    t->index = must_alloc(t->index_size * sizeof(*t->index));
    for (uint32_t i = 0; i < n; i++)
        *place_of(t, &row(t, i)->key) = i + 1;
}

static struct series *series_new(struct series_table *t, const struct series_key *key)
{
    uint32_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
    struct series **chunk = &t->chunks[n / SERIES_PER_CHUNK];
    struct series *s;

    if (!*chunk)
        *chunk = must_alloc(sizeof(**chunk) * SERIES_PER_CHUNK);
    s = row(t, n);
    s->key = *key;
    if (n * 2 >= t->index_size)
        index_grow(t, n);
    *place_of(t, key) = n + 1;
    atomic_store_explicit(&t->n, n + 1, memory_order_release);
    return s;
}

/* The last row of the budget is kept for it. */
static struct series *series_other(struct series_table *t)
{
    static const struct series_key key = { .protocol = SERIES_OTHER, .grpc = GRPC_STATUS_NONE };

    if (!t->other)
        t->other = series_new(t, &key);
    return t->other;
}

struct series *series_get(struct series_table *t, const struct series_key *key)
{
    uint32_t known = *place_of(t, key);

    if (LIKELY(known))
        return row(t, known - 1);
    if (t->other || series_table_count(t) >= SERIES_BUDGET)
        return series_other(t);
    return series_new(t, key);
}

void series_key_of(const struct record *r, struct series_key *ret)
{
    *ret = (struct series_key){
        .cluster_block = r->cluster ? r->cluster->label_block : 0,
        .endpoint_block = r->endpoint ? r->endpoint->label_block : 0,
        .flags = r->flags,
        .code = r->code,
        .protocol = r->is_grpc ? SERIES_GRPC : SERIES_HTTP,
        .grpc = (int8_t)grpc_status_of(r),
    };
}

static void histogram_ns(struct histogram *h, uint64_t ns)
{
    size_t i = 0;

    while (i < HISTOGRAM_BOUNDS && ns > bounds[i].ns)
        i++;
    counter_add(&h->buckets[i], 1);
    counter_add(&h->sum, ns);
}

static void histogram_octets(struct histogram *h, uint64_t octets)
{
    size_t i = 0;

    while (i < HISTOGRAM_BOUNDS && octets > bounds[i].octets)
        i++;
    counter_add(&h->buckets[i], 1);
    counter_add(&h->sum, octets);
}

void series_count(struct series *s, const struct record *r)
{
    uint64_t ns = r->end_ns > r->start_ns ? r->end_ns - r->start_ns : 0;

    counter_add(&s->requests, 1);
    if (r->is_grpc) {
        counter_add(&s->request_messages, r->request_messages);
        counter_add(&s->response_messages, r->response_messages);
    }
    histogram_ns(&s->histograms[SERIES_DURATION], ns);
    histogram_octets(&s->histograms[SERIES_REQUEST_BYTES], r->received);
    histogram_octets(&s->histograms[SERIES_RESPONSE_BYTES], r->sent);
}

uint32_t series_table_count(const struct series_table *t)
{
    return atomic_load_explicit(&t->n, memory_order_acquire);
}

struct series *series_at(const struct series_table *t, uint32_t i)
{
    return row(t, i);
}
