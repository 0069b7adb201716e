#include "telemetry/metrics.h"

#include "telemetry/merge.h"

#include <pthread.h>
#include <stdlib.h>

/* Workers of the process. The lock is taken when a worker comes or goes and by the scraper. */
static pthread_mutex_t register_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list workers = { &workers, &workers };

struct metrics *metrics_new(void)
{
    struct metrics *m = must_alloc(sizeof(*m));

    metrics_process_begin();
    series_table_init(&m->series);
    stat_table_init(&m->stats);
    pthread_mutex_lock(&register_lock);
    list_push_back(&workers, &m->node);
    pthread_mutex_unlock(&register_lock);
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&register_lock);
    list_remove(&m->node);
    pthread_mutex_unlock(&register_lock);
    merge_forget();
    series_table_fini(&m->series);
    stat_table_fini(&m->stats);
    free(m);
}

void metrics_each(void (*see)(struct metrics *m, void *arg), void *arg)
{
    pthread_mutex_lock(&register_lock);
    LIST_EACH (node, &workers, next)
        see(LIST_ITEM(node, struct metrics, node), arg);
    pthread_mutex_unlock(&register_lock);
}

static struct str known(struct str name)
{
    return name.n ? name : STR("unknown");
}

struct stat_row *metrics_listener_row(struct metrics *m, const struct listener *l)
{
    return stat_row_get(&m->stats, OWNER_LISTENER, known(l ? l->stat_prefix : STR_NONE));
}

struct stat_row *metrics_cluster_row(struct metrics *m, const struct cluster *c)
{
    return stat_row_get(&m->stats, OWNER_CLUSTER, known(c ? c->part.name : STR_NONE));
}

void metrics_listener_stat(struct metrics *m, const struct listener *l, enum stat_id id,
                           int64_t delta)
{
    stat_row_add(metrics_listener_row(m, l), id, delta);
}

void metrics_cluster_stat(struct metrics *m, const struct cluster *c, enum stat_id id,
                          int64_t delta)
{
    stat_row_add(metrics_cluster_row(m, c), id, delta);
}

static void row_add_h2(struct stat_row *r, const uint32_t counts[static H2_COUNTS])
{
    for (uint32_t i = 0; i < H2_COUNT_ENDED; i++) {
        if (counts[i])
            stat_row_add(r, STAT_H2_FIRST + i, counts[i]);
    }
}

void metrics_listener_h2(struct metrics *m, const struct listener *l,
                         const uint32_t counts[static H2_COUNTS])
{
    row_add_h2(stat_row_get(&m->stats, OWNER_PROCESS, STR("unknown")), counts);
    metrics_listener_stat(m, l, STAT_DOWNSTREAM_PROTOCOL_ERROR, counts[H2_COUNT_ENDED]);
}

void metrics_cluster_h2(struct metrics *m, const struct cluster *c,
                        const uint32_t counts[static H2_COUNTS])
{
    row_add_h2(metrics_cluster_row(m, c), counts);
    metrics_cluster_stat(m, c, STAT_UPSTREAM_PROTOCOL_ERROR, counts[H2_COUNT_ENDED]);
}

void metrics_row_stat(struct stat_row *r, enum stat_id id, int64_t delta)
{
    stat_row_add(r, id, delta);
}

void metrics_stat(struct metrics *m, enum stat_id id, int64_t delta)
{
    stat_row_add(stat_row_get(&m->stats, stat_owner_of(id), STR("unknown")), id, delta);
}

/* 1xx to 5xx as a column; false for what no upstream or gateway sends. */
static bool class_column(uint16_t code, uint32_t *ret)
{
    if (code < 100 || code > 599)
        return false;
    *ret = STAT_CLASS_1XX + code / 100 - 1;
    return true;
}

void metrics_request(struct metrics *m, const struct record *r)
{
    struct stat_row *listener = r->listener_stats, *cluster;
    struct series_key key;
    uint32_t column;
    bool has_class = class_column(r->code, &column);

    series_key_of(r, &key);
    series_count(series_get(&m->series, &key), r);
    if (has_class)
        stat_row_add(listener ? listener : metrics_listener_row(m, r->listener), column, 1);
    if (!r->cluster)
        return;
    cluster = metrics_cluster_row(m, r->cluster);
    stat_row_add(cluster, STAT_UPSTREAM_RQ_TOTAL, r->attempts);
    if (has_class && r->upstream_first_ns)
        stat_row_add(cluster, column, 1);
}
