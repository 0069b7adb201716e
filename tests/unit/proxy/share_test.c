/*
 * A worker's part in a limited number of connections, by itself: the turns in which things
 * happen are the test's.
 */
#include "proxy/share.h"

#include "http/conn_int.h"
#include "live/host.h"
#include "proxy/upstream_int.h"
#include "unit/check.h"

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
