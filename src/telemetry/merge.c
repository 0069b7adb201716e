#include "telemetry/merge.h"

#include "telemetry/blocks.h"
#include "telemetry/metrics.h"

#include <pthread.h>
#include <stdlib.h>

#define LABELS_MAX (1 << 18)

static struct {
    pthread_mutex_t lock; /* of all below: one step of a scrape at a time */
    struct buf source;
    struct merged_all sum;
    struct map by_key;
    struct map by_owner[OWNER_KINDS];
    size_t room; /* rows that this step may still take in */
    bool all_in;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- who we are ---- */

static void source_render(const struct metrics_source *s)
{
    struct buf *text = &all.source;

    buf_fini(text);
    buf_init(text, LABELS_MAX);
    buf_add(text, STR("reporter=\"source\""));
    label_add(text, "source_workload", s->workload);
    label_add(text, "source_workload_namespace", s->namespace);
    label_add(text, "source_principal", s->principal);
    label_add(text, "source_app", s->app);
    label_add(text, "source_version", s->version);
    label_add(text, "source_canonical_service", s->canonical_service);
    label_add(text, "source_canonical_revision", s->canonical_revision);
    label_add(text, "source_cluster", s->cluster);
    all.sum.source = buf_str(text);
}

void metrics_set_source(const struct metrics_source *source)
{
    pthread_mutex_lock(&all.lock);
    source_render(source);
    pthread_mutex_unlock(&all.lock);
}

/* ---- taking in ---- */

static void rows_add(struct merged_rows *rows, void *row)
{
    if (rows->n == rows->cap) {
        rows->cap = MAX(rows->cap * 2, 64);
        rows->v = must_realloc(rows->v, rows->cap * sizeof(*rows->v));
    }
    rows->v[rows->n++] = row;
}

static void series_take_in(struct series *s)
{
    struct str key = str_make((const char *)&s->key, sizeof(s->key));
    struct series *first = map_get(&all.by_key, key);

    if (first) {
        s->peer = first->peer;
        first->peer = s;
    } else if (s->key.protocol == SERIES_OTHER || all.sum.series.n >= SERIES_BUDGET) {
        s->peer = (struct series *)(uintptr_t)all.sum.other;
        all.sum.other = s;
    } else {
        s->peer = NULL;
        rows_add(&all.sum.series, s);
        map_put(&all.by_key, key, s);
    }
}

static void owner_take_in(struct stat_row *r)
{
    struct stat_row *first = map_get(&all.by_owner[r->owner], r->name);

    if (first) {
        r->peer = first->peer;
        first->peer = r;
        return;
    }
    r->peer = NULL;
    rows_add(&all.sum.owners[r->owner], r);
    map_put(&all.by_owner[r->owner], r->name, r);
}

static void see_worker(struct metrics *m, void *arg)
{
    uint32_t series = series_table_count(&m->series), rows = stat_table_count(&m->stats);

    (void)arg;
    for (; all.room && m->series_seen < series; all.room--)
        series_take_in(series_at(&m->series, m->series_seen++));
    for (; all.room && m->stats_seen < rows; all.room--)
        owner_take_in(stat_row_at(&m->stats, m->stats_seen++));
    all.all_in = all.all_in && m->series_seen >= series && m->stats_seen >= rows;
}

const struct merged_all *merge_begin(bool *ret_all_in)
{
    pthread_mutex_lock(&all.lock);
    if (!all.source.n)
        source_render(&(struct metrics_source){ 0 });
    all.room = MERGE_AT_ONCE;
    all.all_in = true;
    metrics_each(see_worker, NULL);
    *ret_all_in = all.all_in;
    return &all.sum;
}

void merge_end(void)
{
    pthread_mutex_unlock(&all.lock);
}

/* ---- a worker goes ---- */

static void rows_forget(struct merged_rows *rows)
{
    free(rows->v);
    *rows = (struct merged_rows){ 0 };
}

static void unsee_worker(struct metrics *m, void *arg)
{
    (void)arg;
    m->series_seen = m->stats_seen = 0;
}

void merge_forget(void)
{
    pthread_mutex_lock(&all.lock);
    all.sum.epoch++;
    all.sum.other = NULL;
    rows_forget(&all.sum.series);
    map_fini(&all.by_key);
    for (size_t i = 0; i < OWNER_KINDS; i++) {
        rows_forget(&all.sum.owners[i]);
        map_fini(&all.by_owner[i]);
    }
    metrics_each(unsee_worker, NULL);
    pthread_mutex_unlock(&all.lock);
}
