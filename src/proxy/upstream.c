#include "proxy/upstream_int.h"

#include "base/hash.h"
#include "live/host.h"
#include "proxy/upstream_tls.h"

#include <stdlib.h>

/* Connections of one endpoint for other names than the one asked for: a stranger may name many
 * where a virtual host has a wildcard. The oldest goes. */
#define OTHER_NAMES_MAX 64

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
    share_unref(p->share);
    tls_resume_drop(&p->resume);
    if (p->cluster)
        part_unref((struct part *)(uintptr_t)&p->cluster->part);
    live_host_unref(p->live);
    free(p);
}

void upstream_pool_let_go(struct worker *w, struct upstream_pool *p)
{
    if (!p->named && p->in_line == 0 && list_is_empty(&p->idle) && list_is_empty(&p->busy))
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

/* Leaves one share for another; what is open is counted there from now on. */
static void pool_change_share(struct upstream_pool *p, struct share *fresh)
{
    struct list *const lists[] = { &p->idle, &p->busy };
    struct share *old = p->share;

    p->share = fresh;
    if (old)
        share_dismiss(old, p);
    for (size_t i = 0; i < LEN(lists); i++) {
        LIST_EACH (it, lists[i], after) {
            struct upstream *u = LIST_ITEM(it, struct upstream, node);

            list_remove(&u->share_node);
            if (old)
                share_gone(old, u);
            u->is_leaving = u->is_held = false;
            if (fresh)
                share_count(fresh, u, i == 0);
        }
    }
}

/* The pool's cluster as it is now. */
static void pool_adopt(struct worker *w, struct upstream_pool *p, const struct cluster *c)
{
    struct share *old = p->share, *fresh = share_of(w, c);

    part_ref((struct part *)(uintptr_t)&c->part);
    if (p->cluster)
        part_unref((struct part *)(uintptr_t)&p->cluster->part);
    p->cluster = c;
    p->tls_hash = upstream_tls_hash(c, worker_root(w));
    if (old != fresh)
        pool_change_share(p, fresh);
    share_unref(old);
}

/* The same cluster as the current root has it; NULL: it is gone there. */
static const struct cluster *newest(struct worker *w, const struct cluster *c)
{
    const struct cluster *now = root_cluster(worker_root(w), c->part.slot);

    return now && str_eq(now->part.name, c->part.name) ? now : NULL;
}

static bool is_current(const struct root *root, const struct cluster *c, const struct endpoint *e)
{
    const struct hosts *hosts = root_hosts(root, c->hosts);

    return root_cluster(root, c->part.slot) == c && hosts && e >= hosts->endpoints.v &&
           e < hosts->endpoints.v + hosts->endpoints.n;
}

static struct upstream_pool *pool_of(struct worker *w, const struct cluster *c,
                                     const struct endpoint *e)
{
    uint32_t id = e->live->id;
    const struct cluster *now;
    struct upstream_pool *p;

    pools_grow(w, id);
    p = w->upstream_pools[id];
    if (!p) {
        p = w->upstream_pools[id] = pool_new(e->live);
        w->pools_are_older |= !is_current(worker_root(w), c, e);
    }
    if (!p->cluster) {      /* later ones come by upstream_sweep */
        now = newest(w, c); /* an older limit must not come back with an older request */
        pool_adopt(w, p, now ? now : c);
    }
    return p;
}

/* ---- connections ---- */

void upstream_set_idle(struct upstream *u)
{
    list_remove(&u->node);
    list_push_front(&u->pool->idle, &u->node);
    list_remove(&u->share_node);
    if (u->pool->share)
        share_idle_add(u->pool->share, u);
}

void upstream_set_busy(struct upstream *u)
{
    list_remove(&u->node);
    list_push_back(&u->pool->busy, &u->node);
    list_remove(&u->share_node);
}

void upstream_leave(struct upstream *u)
{
    if (u->pool->share && !u->is_leaving) {
        u->is_leaving = true;
        u->is_held = !http_conn_is_at_rest(u->conn);
        share_leaving(u->pool->share, u);
    }
    upstream_set_busy(u);
    http_conn_retire(u->conn); /* HTTP/2: the others' streams end first */
}

/* Nobody waits for it to open any more. */
static void opening_over(struct upstream *u)
{
    LIST_EACH (it, &u->opening, after) {
        claim_pending_give(LIST_ITEM(it, struct claim, node));
        list_remove(it);
    }
}

static void upstream_opened(struct http_client *client, struct http_conn *conn)
{
    struct upstream *u = CONTAINER_OF(client, struct upstream, client);

    (void)conn;
    u->is_open = true;
    opening_over(u);
}

static void upstream_gone(struct upstream *u)
{
    struct worker *w = u->worker;
    struct upstream_pool *p = u->pool;

    metrics_cluster_stat(w->metrics, p->cluster, STAT_UPSTREAM_CX_ACTIVE, -1);
    opening_over(u);
    list_remove(&u->node);
    list_remove(&u->share_node);
    if (p->share)
        share_gone(p->share, u);
    slab_put(&w->upstream_slab, u);
    upstream_pool_let_go(w, p);
}

static bool is_used_up(const struct upstream *u)
{
    return u->max_exchanges && http_conn_exchanges(u->conn) >= u->max_exchanges;
}

/* The cluster is spoken to otherwise by now. */
static bool is_of_the_past(const struct upstream *u)
{
    return u->http2 != u->pool->cluster->http2 || u->tls_hash != u->pool->tls_hash;
}

static void upstream_changed(struct http_client *client, struct http_conn *conn)
{
    struct upstream *u = CONTAINER_OF(client, struct upstream, client);

    if (http_conn_is_dead(conn)) {
        upstream_gone(u);
        return;
    }
    if (!u->pool->named || is_used_up(u) || is_of_the_past(u) ||
        (u->pool->share && share_gives_up(u->pool->share))) {
        upstream_leave(u);
        return;
    }
    upstream_set_idle(u);
    if (u->pool->share)
        share_idle(u->pool->share, u->pool);
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

/* What a connection is wanted for. */
struct target {
    const struct endpoint *endpoint;
    struct str name; /* TLS: of the server */
    uint64_t key;    /* 0: clear text */
    char octets[UPSTREAM_NAME_MAX + 1];
};

MUST_USE static bool target_init(struct target *t, const struct upstream_pool *p,
                                 const struct endpoint *e, struct str authority)
{
    t->endpoint = e;
    t->key = 0;
    if (LIKELY(!p->cluster->tls))
        return true;
    if (!upstream_tls_name(p->cluster->tls, authority, t->octets, &t->name))
        return false;
    t->key = hash_mix(p->tls_hash, hash_str(t->name));
    return true;
}

static struct transport *dial(struct upstream *u, const struct target *t, enum err *reterr)
{
    struct worker *w = u->worker;
    struct tls_dial how;

    if (LIKELY(!u->pool->cluster->tls))
        return net_dial(w->net, &t->endpoint->addr, NULL, reterr);
    u->tls_hash = u->pool->tls_hash;
    u->tls_key = t->key;
    how = (struct tls_dial){ .cluster = u->pool->cluster,
                             .root = worker_root(w),
                             .name = t->name,
                             .resume = &u->pool->resume,
                             .resume_key = t->key };
    return net_dial_tls(w->net, &t->endpoint->addr, NULL, &how, reterr);
}

static struct upstream *upstream_dial(struct worker *w, struct upstream_pool *p,
                                      const struct target *target, enum err *reterr)
{
    struct upstream *u = slab_get(&w->upstream_slab);
    struct transport *t;

    *reterr = ERR_LIMIT;
    if (!u)
        return NULL;
    u->worker = w;
    u->pool = p;
    u->client.opened = upstream_opened;
    u->client.changed = upstream_changed;
    u->client.counted = upstream_counted;
    u->max_exchanges = p->cluster->max_requests_per_connection;
    u->http2 = p->cluster->http2;
    settings_of_cluster(&u->settings, p->cluster);
    list_init(&u->node);
    list_init(&u->share_node);
    list_init(&u->opening);
    t = dial(u, target, reterr);
    if (t)
        u->conn = http_connect(w->pools, t, &u->client, &u->settings, u->http2 ? HTTP_2 : HTTP_11);
    if (!u->conn) {
        slab_put(&w->upstream_slab, u);
        return NULL;
    }
    metrics_cluster_stat(w->metrics, p->cluster, STAT_UPSTREAM_CX_TOTAL, 1);
    metrics_cluster_stat(w->metrics, p->cluster, STAT_UPSTREAM_CX_ACTIVE, 1);
    return u;
}

static struct upstream *upstream_idle(struct upstream_pool *p, uint64_t key)
{
    struct upstream *other = NULL;
    uint32_t others = 0;

    LIST_EACH (it, &p->idle, after) {
        struct upstream *u = LIST_ITEM(it, struct upstream, node);

        if (u->tls_key != key)
            others++, other = u;
        else if (http_conn_is_usable(u->conn))
            return u;
    }
    if (others >= OTHER_NAMES_MAX)
        upstream_leave(other);
    return NULL;
}

/* A connection for a request that may have one, within all limits. NULL with a reason. */
static struct upstream *upstream_for(struct worker *w, struct upstream_pool *p,
                                     const struct target *t, struct claim *claim, enum err *reterr)
{
    struct upstream *idle = upstream_idle(p, t->key), *u = idle;

    *reterr = p->share ? share_enter(p->share, claim, p, idle == NULL) : ERR_OK;
    if (*reterr != ERR_OK)
        return NULL;
    if (!(idle && idle->is_open) && !claim_pending(claim)) {
        *reterr = ERR_OVERFLOW;
        u = NULL;
    } else if (!idle) {
        u = upstream_dial(w, p, t, reterr);
    }
    if (!u && !idle && p->share)
        share_gone(p->share, NULL); /* not dialled after all */
    return u;
}

struct leg *upstream_open(struct worker *w, const struct cluster *c, const struct endpoint *e,
                          struct arena *arena, struct claim *claim, enum err *reterr)
{
    struct upstream_pool *p = pool_of(w, c, e);
    struct upstream *u = NULL;
    struct target target;
    struct leg *leg;

    *reterr = ERR_OVERFLOW;
    if (claim_request(claim)) {
        *reterr = ERR_SYNTAX;
        if (target_init(&target, p, e, claim->authority))
            u = upstream_for(w, p, &target, claim, reterr);
    }
    if (!u) {
        claim_request_give(claim);
        return NULL;
    }
    leg = http_open(u->conn, arena, claim->task);
    /* HTTP/2 takes more at once; HTTP/1 comes back when it is idle */
    if (http_conn_is_usable(u->conn))
        upstream_set_idle(u);
    else
        upstream_set_busy(u);
    if (claim->pending)
        list_push_back(&u->opening, &claim->node);
    if (u->is_open)
        opening_over(u);
    if (p->share && http_conn_is_usable(u->conn))
        share_more(p->share, p);
    if (p->share)
        share_served(p->share);
    if (u->http2 && is_used_up(u))
        http_conn_retire(u->conn); /* nobody else's idle moment would come */
    if (!leg)
        *reterr = ERR_LIMIT;
    return leg;
}

void upstream_let_go(struct worker *w, struct claim *claim)
{
    struct upstream_pool *p = claim->share ? claim->pool : NULL;

    if (p) {
        share_leave_line(claim);
        upstream_pool_let_go(w, p);
    }
    claim->is_turn = false; /* left by share_dismiss: the next try is not now */
    list_remove(&claim->node);
    claim_pending_give(claim);
    claim_request_give(claim);
}

/* ---- sweeping ---- */

static void each_conn(struct list *of, void (*act)(struct http_conn *c))
{
    LIST_EACH (it, of, after)
        act(LIST_ITEM(it, struct upstream, node)->conn);
}

struct sweep {
    struct worker *w;
    bool any; /* clusters or endpoints differ */
};

static void name_hosts(struct worker *w, const struct hosts *hosts, bool named)
{
    for (uint32_t i = 0; hosts && i < hosts->endpoints.n; i++) {
        const struct live_host *live = hosts->endpoints.v[i].live;
        struct upstream_pool *p = NULL;

        if (live && live->id < w->upstream_pool_cap)
            p = w->upstream_pools[live->id];
        if (p)
            p->named = named;
    }
}

static void differs(void *arg, const struct part *before, const struct part *after)
{
    struct sweep *s = arg;

    (void)before, (void)after;
    s->any = true;
}

static void unname(void *arg, const struct part *before, const struct part *after)
{
    struct sweep *s = arg;

    (void)after;
    s->any = true;
    name_hosts(s->w, (const struct hosts *)(const void *)before, false);
}

static void name(void *arg, const struct part *before, const struct part *after)
{
    (void)before;
    name_hosts(((struct sweep *)arg)->w, (const struct hosts *)(const void *)after, true);
}

/* As if all hosts had changed. */
static void name_anew(struct worker *w, const struct root *root)
{
    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        if (w->upstream_pools[i])
            w->upstream_pools[i]->named = false;
    }
    for (slot_id s = 0; s < root_slots(root, PART_HOSTS); s++)
        name_hosts(w, root_hosts(root, s), true);
    w->pools_are_older = false;
}

/* What the new root says of its cluster. */
static void pool_renew(struct worker *w, struct upstream_pool *p)
{
    const struct cluster *c = newest(w, p->cluster);

    if (!c)
        return;
    if (c != p->cluster)
        pool_adopt(w, p, c);
    else if (!c->tls)
        return;
    p->tls_hash = upstream_tls_hash(c, worker_root(w));
    LIST_EACH (it, &p->idle, after) {
        struct upstream *u = LIST_ITEM(it, struct upstream, node);

        if (is_of_the_past(u))
            upstream_leave(u);
    }
}

/* The live state of an endpoint is that of one cluster, whose hosts are one part: what does not
 * differ names none that what differs has named. */
void upstream_sweep(struct worker *w, const struct root *before)
{
    const struct root *root = worker_root(w);
    struct sweep sweep = { w, w->pools_are_older };

    root_kind_differences(before, root, PART_CLUSTER, differs, &sweep);
    root_kind_differences(before, root, PART_SECRET, differs, &sweep);
    root_kind_differences(before, root, PART_HOSTS, unname, &sweep);
    root_kind_differences(before, root, PART_HOSTS, name, &sweep);
    if (!sweep.any)
        return;
    if (w->pools_are_older)
        name_anew(w, root);
    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        struct upstream_pool *p = w->upstream_pools[i];

        if (p)
            pool_renew(w, p);
        if (!p || p->named)
            continue;
        each_conn(&p->idle, http_conn_retire); /* HTTP/2's may be in use */
        upstream_pool_let_go(w, p);
    }
    share_look_at_all(w);
}

void upstream_retire_idle(struct worker *w)
{
    for (size_t i = 0; i < w->upstream_pool_cap; i++) {
        if (w->upstream_pools[i])
            each_conn(&w->upstream_pools[i]->idle, http_conn_retire);
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
