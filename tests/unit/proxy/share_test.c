/*
 * A worker's part in a limited number of connections, by itself: the turns in which things
 * happen are the test's.
 */
#include "proxy/share.h"

#include "http/conn_int.h"
#include "live/host.h"
#include "proxy/upstream_int.h"
#include "unit/check.h"
#include "unit/proxy/rig.h"

static bool conn_rests(const struct http_conn *c)
{
    (void)c;
    return true;
}

static void conn_retire(struct http_conn *c)
{
    (void)c;
}

static const struct http_conn_ops conn_ops = { .is_at_rest = conn_rests, .retire = conn_retire };

static void nothing(struct task *t)
{
    (void)t;
}

/* Two workers, one connection: worker 0 has it, and somebody waits at each. */
TEST(whoever_is_called_and_goes_leaves_the_connection_to_the_other_worker)
{
    struct worker w = { .loop = loop_new(NULL), .metrics = metrics_new() };
    struct http_conn conn = { .ops = &conn_ops };
    struct cluster *c = part_new(PART_CLUSTER, STR("outbound|80||a"));
    struct upstream_pool p = { .cluster = c, .named = true };
    struct upstream u = { .pool = &p, .conn = &conn, .is_open = true };
    struct claim first, second;
    struct task task;

    list_init(&w.shares), list_init(&p.idle), list_init(&p.busy);
    list_init(&u.node), list_init(&u.share_node), list_init(&u.opening);
    c->limits.max_connections = 1;
    c->budget = live_budget_get(c->part.name);
    p.share = share_of(&w, c);
    task_init(&task, w.loop, nothing);
    claim_init(&first, &task, w.metrics);
    claim_of_cluster(&first, c);
    claim_init(&second, &task, w.metrics);
    claim_of_cluster(&second, c);
    CHECK_EQ(share_enter(p.share, &first, &p, true), ERR_OK);
    upstream_set_busy(&u);
    CHECK_EQ(share_enter(p.share, &second, &p, true), ERR_AGAIN);
    budget_wait(c->budget, 1);

    CHECK(!share_gives_up(p.share)); /* the exchange is over: our own line first */
    upstream_set_idle(&u);
    share_idle(p.share, &p);
    CHECK(second.is_turn);
    share_leave_line(&second); /* but he has gone */
    CHECK(u.is_leaving);

    task_cancel(&task);
    list_remove(&u.node);
    share_gone(p.share, &u);
    budget_wait_not(c->budget, 1);
    claim_pending_give(&second);
    share_unref(p.share);
    part_unref(&c->part);
    metrics_free(w.metrics);
    loop_free(w.loop);
}

/* A finished part; `max` is its limit. One reference. */
static struct cluster *cluster_of(struct slots *slots, uint32_t max)
{
    struct cluster *c = part_new(PART_CLUSTER, STR("outbound|80||a"));
    struct str err = STR_NONE;

    c->part.slot = slots_of(slots, PART_CLUSTER, c->part.name);
    c->limits.max_connections = max;
    CHECK(part_finish(&c->part, &err));
    return c;
}

/* A request that began before the limit was lowered comes to an endpoint that nobody was at yet. */
TEST(a_request_that_began_before_brings_no_older_limit_back)
{
    struct part_hooks hooks = part_hooks;
    struct slots *slots = slots_new();
    struct root_edit *edit = root_edit_new(NULL);
    struct root_hold hold = { 0 };
    struct worker w = { .loop = loop_new(NULL), .metrics = metrics_new(), .hold = &hold };
    struct endpoint e = { .weight = 1 };
    struct cluster *before, *now;
    enum err why = ERR_OK;
    struct claim claim;
    struct task task;

    part_hooks = rig_hooks;
    before = cluster_of(slots, 2);
    now = cluster_of(slots, 1);
    list_init(&w.shares);
    slab_init(&w.upstream_slab, upstream_size(), 0); /* nothing could be dialled */
    CHECK(addr_parse(STR("127.0.0.1:1"), &e.addr));
    e.live = live_host_get(STR("outbound|80||a"), &e.addr);
    part_ref(&now->part);
    root_edit_set(edit, &now->part);
    hold.root = root_edit_finish(edit);
    budget_take_anyway(now->budget, BUDGET_CONNECTIONS); /* at another worker */
    task_init(&task, w.loop, nothing);
    claim_init(&claim, &task, w.metrics);
    claim_of_cluster(&claim, before);

    CHECK(upstream_open(&w, before, &e, NULL, &claim, &why) == NULL);
    CHECK_EQ(why, ERR_AGAIN); /* one is all there may be now */

    upstream_let_go(&w, &claim);
    budget_give(now->budget, BUDGET_CONNECTIONS);
    upstream_free_all(&w);
    task_cancel(&task);
    root_unref(hold.root);
    part_unref(&before->part);
    part_unref(&now->part);
    slots_free(slots);
    part_hooks = hooks;
    live_host_unref(e.live);
    slab_fini(&w.upstream_slab);
    metrics_free(w.metrics);
    loop_free(w.loop);
}
