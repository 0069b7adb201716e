#include "telemetry/merge.h"

#include "telemetry/blocks.h"
#include "telemetry/flags.h"
#include "telemetry/log_value.h"
#include "telemetry/metrics.h"

#include <pthread.h>

#define LABELS_MAX (1 << 18)

static struct {
    pthread_mutex_t lock; /* of all below: one scrape at a time */
    struct arena arena;
    bool begun;
    struct str source; /* `reporter="source",source_workload=...` */
    struct merged_all sum;
    size_t series_cap, owner_cap;
    struct map by_key;
    struct map by_owner[OWNER_KINDS];
    struct merged *other;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- who we are ---- */

static void source_render(const struct metrics_source *s)
{
    struct buf text;

    buf_init(&text, LABELS_MAX);
    buf_add(&text, STR("reporter=\"source\""));
    label_add(&text, "source_workload", s->workload);
    label_add(&text, "source_workload_namespace", s->namespace);
    label_add(&text, "source_principal", s->principal);
    label_add(&text, "source_app", s->app);
    label_add(&text, "source_version", s->version);
    label_add(&text, "source_canonical_service", s->canonical_service);
    label_add(&text, "source_canonical_revision", s->canonical_revision);
    label_add(&text, "source_cluster", s->cluster);
    all.source = arena_dup(&all.arena, buf_str(&text));
    buf_fini(&text);
}

static void all_begin(void)
{
    if (all.begun)
        return;
    all.begun = true;
    arena_init(&all.arena, 1 << 16);
    source_render(&(struct metrics_source){ 0 });
}

void metrics_set_source(const struct metrics_source *source)
{
    pthread_mutex_lock(&all.lock);
    all_begin();
    source_render(source);
    pthread_mutex_unlock(&all.lock);
}

/* ---- adding up ---- */

static struct str number_text(int64_t v, char room[static 24])
{
    return str_make(room, log_number_format(v, room));
}

static void key_render(struct buf *text, const struct series_key *k)
{
    char room[FLAGS_TEXT_MAX];

    buf_add(text, block_text(BLOCK_ENDPOINT, k->endpoint_block));
    buf_add(text, block_text(BLOCK_CLUSTER, k->cluster_block));
    label_add(text, "request_protocol", k->protocol == SERIES_GRPC ? STR("grpc") : STR("http"));
    label_add(text, "response_code", number_text(k->code, room));
    if (k->grpc != GRPC_STATUS_NONE)
        label_add(text, "grpc_response_status", number_text(k->grpc, room));
    label_add(text, "response_flags", flags_format(k->flags, room));
}

/* What stands for all series beyond the budget. */
static void other_render(struct buf *text)
{
    static const char *const names[] = {
        "destination_workload",
        "destination_workload_namespace",
        "destination_service",
        "destination_service_name",
        "destination_service_namespace",
        "request_protocol",
        "response_code",
        "response_flags",
    };

    for (size_t i = 0; i < LEN(names); i++)
        label_add(text, names[i], STR("__other__"));
}

static struct merged *merged_new(const struct series_key *key)
{
    struct merged *m = ARENA_NEW(&all.arena, struct merged);
    struct buf text;

    m->key = *key;
    buf_init(&text, LABELS_MAX);
    buf_add(&text, all.source);
    if (key->protocol == SERIES_OTHER)
        other_render(&text);
    else
        key_render(&text, key);
    label_add(&text, "connection_security_policy", STR_NONE); /* the client side: "unknown" */
    m->labels = arena_dup(&all.arena, buf_str(&text));
    buf_fini(&text);
    all.sum.series = arena_grow(&all.arena, all.sum.series, all.sum.series_n, &all.series_cap,
                                sizeof(struct merged *));
    all.sum.series[all.sum.series_n++] = m;
    map_put(&all.by_key, str_make((const char *)&m->key, sizeof(m->key)), m);
    return m;
}

/* Workers have a budget each; here it holds for the process. What was printed once stays. */
static struct merged *merged_of(const struct series_key *key)
{
    static const struct series_key other = { .protocol = SERIES_OTHER, .grpc = GRPC_STATUS_NONE };
    struct merged *m = map_get(&all.by_key, str_make((const char *)key, sizeof(*key)));

    if (m)
        return m;
    if (key->protocol != SERIES_OTHER && all.sum.series_n - (all.other != NULL) < SERIES_BUDGET)
        return merged_new(key);
    if (!all.other)
        all.other = merged_new(&other);
    return all.other;
}

static uint64_t counter_read(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

static void merged_add(struct merged *m, const struct series *s)
{
    m->requests += counter_read(&s->requests);
    for (size_t h = 0; h < SERIES_HISTOGRAMS; h++) {
        for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
            m->buckets[h][i] += counter_read(&s->histograms[h].buckets[i]);
        m->sums[h] += counter_read(&s->histograms[h].sum);
    }
}

static struct merged_owner *owner_of(const struct stat_row *r)
{
    struct merged_owner *o = map_get(&all.by_owner[r->owner], r->name);
    struct buf text;

    if (o)
        return o;
    o = ARENA_NEW(&all.arena, struct merged_owner);
    o->owner = r->owner;
    o->name = arena_dup(&all.arena, r->name);
    buf_init(&text, LABELS_MAX);
    label_value_add(&text, o->name);
    o->escaped = arena_dup(&all.arena, buf_str(&text));
    buf_fini(&text);
    all.sum.owners = arena_grow(&all.arena, all.sum.owners, all.sum.owner_n, &all.owner_cap,
                                sizeof(struct merged_owner *));
    all.sum.owners[all.sum.owner_n++] = o;
    map_put(&all.by_owner[r->owner], o->name, o);
    return o;
}

static void owner_add(struct merged_owner *o, const struct stat_row *r)
{
    for (size_t i = 0; i < STAT_COLUMNS; i++)
        o->columns[i] += atomic_load_explicit(&r->columns[i], memory_order_relaxed);
}

static void see_worker(const struct metrics *m, void *arg)
{
    uint32_t series = series_table_count(&m->series), rows = stat_table_count(&m->stats);

    (void)arg;
    for (uint32_t i = 0; i < series; i++) {
        const struct series *s = series_at(&m->series, i);

        merged_add(merged_of(&s->key), s);
    }
    for (uint32_t i = 0; i < rows; i++) {
        const struct stat_row *r = stat_row_at(&m->stats, i);

        owner_add(owner_of(r), r);
    }
}

const struct merged_all *merge_begin(void)
{
    pthread_mutex_lock(&all.lock);
    all_begin();
    for (size_t i = 0; i < all.sum.series_n; i++) {
        struct merged *m = all.sum.series[i];

        m->requests = 0;
        memset(m->buckets, 0, sizeof(m->buckets));
        memset(m->sums, 0, sizeof(m->sums));
    }
    for (size_t i = 0; i < all.sum.owner_n; i++)
        memset(all.sum.owners[i]->columns, 0, sizeof(all.sum.owners[i]->columns));
    metrics_each(see_worker, NULL);
    return &all.sum;
}

void merge_end(void)
{
    pthread_mutex_unlock(&all.lock);
}
