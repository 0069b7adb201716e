#include "proxy/upstream.h"

#include "live/host.h"

#include <stdlib.h>

struct upstream_pool {
    struct live_host *live;        /* a reference */
    const struct cluster *cluster; /* the newest; a reference */
    struct list idle, busy;        /* those that take another exchange, those that do not */
    bool named;                    /* by the current root */
};

struct upstream {
    struct list node; /* in one of the pool's lists */
    struct worker *worker;
    struct upstream_pool *pool;
    struct http_conn *conn;
    struct http_client client;
    struct http_settings settings;
    uint32_t max_exchanges; /* 0: no limit */
};

size_t upstream_size(void)
{
    return sizeof(struct upstream);
}

/* ---- pools ---- */

static struct upstream_pool *pool_new(struct live_host *live)
{
    struct upstream_pool *p = must_alloc(sizeof(*p));

    live_host_ref(live);
    p->live = live;
    p->named = true;
    list_init(&p->idle);
    list_init(&p->busy);
    return p;
}

static void pool_free(struct worker *w, struct upstream_pool *p)
{
    w->upstream_pools[p->live->id] = NULL;
    if (p->cluster)
        part_unref((struct part *)(uintptr_t)&p->cluster->part);
    live_host_unref(p->live);
    free(p);
}

static void pool_free_if_unused(struct worker *w, struct upstream_pool *p)
{
    if (!p->named && list_is_empty(&p->idle) && list_is_empty(&p->busy))
        pool_free(w, p);
}

static void pools_grow(struct worker *w, uint32_t id)
{
    size_t cap = MAX(w->upstream_pool_cap * 2, (size_t)id + 16);

    if (id < w->upstream_pool_cap)
        return;
    w->upstream_pools = must_realloc(w->upstream_pools, cap * sizeof(struct upstream_pool *));
    memset(w->upstream_pools + w->upstream_pool_cap, 0,
           (cap - w->upstream_pool_cap) * sizeof(struct upstream_pool *));
    w->upstream_pool_cap = cap;
}

static struct upstream_pool *pool_of(struct worker *w, const struct cluster *c,
                                     const struct endpoint *e)
{
    uint32_t id = e->live->id;
    struct upstream_pool *p;

    pools_grow(w, id);
    p = w->upstream_pools[id];
    if (!p)
        p = w->upstream_pools[id] = pool_new(e->live);
    if (p->cluster != c) {
        part_ref((struct part *)(uintptr_t)&c->part);
        if (p->cluster)
            part_unref((struct part *)(uintptr_t)&p->cluster->part);
        p->cluster = c;
    }
    return p;
}

/* ---- connections ---- */

static void upstream_gone(struct upstream *u)
{
    struct worker *w = u->worker;
    struct upstream_pool *p = u->pool;

    metrics_cluster_stat(w->metrics, p->cluster, STAT_UPSTREAM_CX_ACTIVE, -1);
    list_remove(&u->node);
    slab_put(&w->upstream_slab, u);
    pool_free_if_unused(w, p);
}

static bool is_used_up(const struct upstream *u)
{
    return u->max_exchanges && http_conn_exchanges(u->conn) >= u->max_exchanges;
}

static void upstream_changed(struct http_client *client, struct http_conn *conn)
{
    struct upstream *u = CONTAINER_OF(client, struct upstream, client);

    if (http_conn_is_dead(conn)) {
        upstream_gone(u);
        return;
    }
    list_remove(&u->node);
    if (!u->pool->named || is_used_up(u)) {
        list_push_back(&u->pool->busy, &u->node);
        http_conn_retire(conn); /* HTTP/2: the others' streams end first */
        return;
    }
    list_push_front(&u->pool->idle, &u->node);
}

static void upstream_counted(struct http_client *client, const uint32_t counts[static H2_COUNTS])
{
    struct upstream *u = CONTAINER_OF(client, struct upstream, client);

    metrics_cluster_h2(u->worker->metrics, u->pool->cluster, counts);
}

static void settings_of_cluster(struct http_settings *s, const struct cluster *c)
{
    *s = (struct http_settings){
        .connect_ms = c->connect_ms,
        .idle_ms = c->idle_ms,
        .max_headers = 100,
        .max_head_octets = 60 * 1024,
        .buffer_limit = 1 << 20,
    };
}

static struct upstream *upstream_dial(struct worker *w, struct upstream_pool *p,
                                      const struct endpoint *e, enum err *reterr)
{
    struct upstream *u = slab_get(&w->upstream_slab);
    struct transport *t;

    *reterr = ERR_LIMIT;
    if (!u)
        return NULL;
    u->worker = w;
    u->pool = p;
    u->client.changed = upstream_changed;
    u->client.counted = upstream_counted;
    u->max_exchanges = p->cluster->max_requests_per_connection;
    settings_of_cluster(&u->settings, p->cluster);
    list_init(&u->node);
    t = net_dial(w->net, &e->addr, NULL, reterr);
    if (t)
        u->conn = http_connect(w->pools, t, &u->client, &u->settings,
                               p->cluster->http2 ? HTTP_2 : HTTP_11);
    if (!u->conn) {
        slab_put(&w->upstream_slab, u);
        return NULL;
    }
    metrics_cluster_stat(w->metrics, p->cluster, STAT_UPSTREAM_CX_TOTAL, 1);
    metrics_cluster_stat(w->metrics, p->cluster, STAT_UPSTREAM_CX_ACTIVE, 1);
    return u;
}

static struct upstream *upstream_idle(struct upstream_pool *p)
{
    LIST_EACH (it, &p->idle, after) {
        struct upstream *u = LIST_ITEM(it, struct upstream, node);

        if (http_conn_is_usable(u->conn))
            return u;
    }
    return NULL;
}

struct leg *upstream_open(struct worker *w, const struct cluster *c, const struct endpoint *e,
                          struct arena *arena, struct task *task, enum err *reterr)
{
    struct upstream_pool *p = pool_of(w, c, e);
    struct upstream *u = upstream_idle(p);
    struct leg *leg;

    if (!u)
        u = upstream_dial(w, p, e, reterr);
    if (!u)
        return NULL;
    leg = http_open(u->conn, arena, task);
    list_remove(&u->node);
    /* HTTP/2 takes more at once; HTTP/1 comes back when it is idle */
    list_push_back(http_conn_is_usable(u->conn) ? &p->idle : &p->busy, &u->node);
    if (p->cluster->http2 && is_used_up(u))
        http_conn_retire(u->conn); /* nobody else's idle moment would come */
    if (!leg)
        *reterr = ERR_LIMIT;
    return leg;
}

/* ---- sweeping ---- */

static void each_conn(struct list *of, void (*act)(struct http_conn *c))
{
    LIST_EACH (it, of, after)
        act(LIST_ITEM(it, struct upstream, node)->conn);
}

static void name_hosts(struct worker *w, const struct hosts *hosts)
{
    for (uint32_t i = 0; hosts && i < hosts->endpoints.n; i++) {
        const struct live_host *live = hosts->endpoints.v[i].live;

        if (live && live->id < w->upstream_pool_cap && w->upstream_pools[live->id])
            w->upstream_pools[live->id]->named = true;
    }
}

void upstream_sweep(struct worker *w)
{
    const struct root *root = worker_root(w);

    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        if (w->upstream_pools[i])
            w->upstream_pools[i]->named = false;
    }
    for (slot_id s = 0; s < root_slots(root, PART_HOSTS); s++)
        name_hosts(w, root_hosts(root, s));
    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        struct upstream_pool *p = w->upstream_pools[i];

        if (!p || p->named)
            continue;
        each_conn(&p->idle, http_conn_retire); /* HTTP/2's may be in use */
        pool_free_if_unused(w, p);
    }
}

void upstream_close_all(struct worker *w)
{
    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        struct upstream_pool *p = w->upstream_pools[i];

        if (!p)
            continue;
        each_conn(&p->idle, http_conn_close);
        each_conn(&p->busy, http_conn_close);
    }
}

void upstream_free_all(struct worker *w)
{
    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        if (w->upstream_pools[i])
            pool_free(w, w->upstream_pools[i]);
    }
    free(w->upstream_pools);
    w->upstream_pools = NULL;
    w->upstream_pool_cap = 0;
}
