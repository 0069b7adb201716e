#include "telemetry/blocks.h"

#include "base/map.h"
#include "telemetry/log_value.h"
#include "telemetry/telemetry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PER_CHUNK 1024
#define CHUNKS 1024         /* a million blocks a side; what comes later is "unknown" */
#define BLOCK_MAX (1 << 16) /* octets of one block's text */

struct block_table {
    pthread_mutex_t lock; /* of creation; readers take none */
    struct map by_text;   /* text -> id + 1 */
    _Atomic uint32_t n;
    struct str *_Atomic chunks[CHUNKS];
};

static struct block_table tables[BLOCK_SIDES] = {
    { .lock = PTHREAD_MUTEX_INITIALIZER },
    { .lock = PTHREAD_MUTEX_INITIALIZER },
};

void label_value_add(struct buf *out, struct str value)
{
    while (value.n) {
        size_t n = log_char_len(value);
        char c = value.p[0];

        if (c == '\n')
            buf_add(out, STR("\\n"));
        else if (n == 0)
            buf_add(out, STR("\xef\xbf\xbd"));
        else if (c == '"' || c == '\\')
            buf_addc(out, '\\');
        if (n)
            buf_add(out, str_make(value.p, n));
        value = str_from(value, MAX(n, 1));
    }
}

void label_add(struct buf *out, const char *name, struct str value)
{
    buf_addc(out, ',');
    buf_add(out, str_of(name));
    buf_add(out, STR("=\""));
    label_value_add(out, value.n ? value : STR("unknown"));
    buf_addc(out, '"');
}

static void render_cluster(struct buf *out, const struct service_labels *s)
{
    label_add(out, "destination_service", s->host);
    label_add(out, "destination_service_name", s->name);
    label_add(out, "destination_service_namespace", s->namespace);
}

/* Identities and cluster ids of endpoints come with mTLS and with more than one cluster. */
static void render_endpoint(struct buf *out, const struct endpoint *e)
{
    label_add(out, "destination_workload", e->workload);
    label_add(out, "destination_workload_namespace", e->namespace);
    label_add(out, "destination_principal", STR_NONE);
    label_add(out, "destination_app", e->app);
    label_add(out, "destination_version", e->version);
    label_add(out, "destination_canonical_service", e->canonical_service);
    label_add(out, "destination_canonical_revision", e->canonical_revision);
    label_add(out, "destination_cluster", STR_NONE);
}

/* Under the lock: a new block, whose id is published only when it can be read. */
static uint32_t block_append(struct block_table *t, struct str text)
{
    uint32_t id = atomic_load_explicit(&t->n, memory_order_relaxed);
    struct str *chunk;
    char *copy;

    if (id == PER_CHUNK * CHUNKS)
        return 0;
    chunk = atomic_load_explicit(&t->chunks[id / PER_CHUNK], memory_order_relaxed);
    if (!chunk)
        chunk = must_alloc(sizeof(*chunk) * PER_CHUNK);
    copy = must_alloc(text.n);
    memcpy(copy, text.p, text.n);
    chunk[id % PER_CHUNK] = str_make(copy, text.n);
    map_put(&t->by_text, chunk[id % PER_CHUNK], (void *)((uintptr_t)id + 1));
    atomic_store_explicit(&t->chunks[id / PER_CHUNK], chunk, memory_order_release);
    atomic_store_explicit(&t->n, id + 1, memory_order_release);
    return id;
}

static uint32_t block_intern(struct block_table *t, struct str text)
{
    uintptr_t known;
    uint32_t id;

    pthread_mutex_lock(&t->lock);
    known = (uintptr_t)map_get(&t->by_text, text);
    id = known ? (uint32_t)(known - 1) : block_append(t, text);
    pthread_mutex_unlock(&t->lock);
    return id;
}

/* Block 0 of both sides: all unknown. */
static void blocks_begin(void)
{
    struct buf text;

    buf_init(&text, BLOCK_MAX);
    render_cluster(&text, &(struct service_labels){ 0 });
    MUST(block_intern(&tables[BLOCK_CLUSTER], buf_str(&text)) == 0);
    buf_reset(&text);
    render_endpoint(&text, &(struct endpoint){ 0 });
    MUST(block_intern(&tables[BLOCK_ENDPOINT], buf_str(&text)) == 0);
    buf_fini(&text);
}

static pthread_once_t begun = PTHREAD_ONCE_INIT;

uint32_t metrics_block_of_cluster(const struct cluster *c)
{
    struct buf text;
    uint32_t id;

    pthread_once(&begun, blocks_begin);
    buf_init(&text, BLOCK_MAX);
    render_cluster(&text, &c->service);
    id = text.full ? 0 : block_intern(&tables[BLOCK_CLUSTER], buf_str(&text));
    buf_fini(&text);
    return id;
}

uint32_t metrics_block_of_endpoint(const struct endpoint *e)
{
    struct buf text;
    uint32_t id;

    pthread_once(&begun, blocks_begin);
    buf_init(&text, BLOCK_MAX);
    render_endpoint(&text, e);
    id = text.full ? 0 : block_intern(&tables[BLOCK_ENDPOINT], buf_str(&text));
    buf_fini(&text);
    return id;
}

uint32_t block_count(enum block_side side)
{
    pthread_once(&begun, blocks_begin);
    return atomic_load_explicit(&tables[side].n, memory_order_acquire);
}

struct str block_text(enum block_side side, uint32_t id)
{
    struct str *chunk;

    if (id >= block_count(side))
        id = 0;
    chunk = atomic_load_explicit(&tables[side].chunks[id / PER_CHUNK], memory_order_acquire);
    return chunk[id % PER_CHUNK];
}
