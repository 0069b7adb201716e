#include "proxy/share.h"

#include "live/ear.h"
#include "live/host.h"
#include "proxy/upstream_int.h"

#include <stdlib.h>

#define PASSED_MAX 16 /* then the oldest goes, whatever endpoint it waits for */
#define LOOK_MAX 64   /* how far down the line */
#define STREAK_MAX 8  /* exchanges for one's own line while other workers wait */

struct share {
    struct list node; /* in worker.shares */
    struct worker *worker;
    struct live_budget *budget; /* a reference */
    uint32_t max;
    uint32_t pools;   /* that use it */
    uint32_t leaving; /* connections that were told to */
    uint32_t held;    /* of those: had streams still */
    uint32_t streak;
    struct list line; /* struct claim, the oldest first */
    struct list idle; /* struct upstream, by share_node */
};

struct share *share_of(struct worker *w, const struct cluster *c)
{
    struct share *s;

    if (!c->budget || c->limits.max_connections == 0)
        return NULL;
    LIST_EACH (it, &w->shares, after) {
        s = LIST_ITEM(it, struct share, node);
        if (s->budget != c->budget)
            continue;
        s->max = c->limits.max_connections;
        s->pools++;
        return s;
    }
    s = must_alloc(sizeof(*s));
    s->worker = w;
    s->budget = live_budget_ref(c->budget);
    s->max = c->limits.max_connections;
    s->pools = 1;
    list_init(&s->line);
    list_init(&s->idle);
    list_push_back(&w->shares, &s->node);
    return s;
}

void share_unref(struct share *s)
{
    if (!s || --s->pools > 0)
        return;
    MUST(list_is_empty(&s->line));
    list_remove(&s->node);
    live_budget_unref(s->budget);
    free(s);
}

static uint32_t self(const struct share *s)
{
    return worker_id(s->worker);
}

static bool has_room(const struct share *s)
{
    return budget_used(s->budget, BUDGET_CONNECTIONS) < s->max;
}

static void count(const struct share *s, const struct upstream_pool *p, enum stat_id id,
                  int64_t delta)
{
    metrics_cluster_stat(s->worker->metrics, p->cluster, id, delta);
}

/* ---- the line ---- */

static struct claim *claim_at(struct list *it)
{
    return LIST_ITEM(it, struct claim, node);
}

/* Who goes next where a connection of `p` (or any: NULL) is free. */
static struct claim *choose(struct share *s, const struct upstream_pool *p)
{
    struct claim *oldest = NULL;
    int looked = 0;

    LIST_EACH (it, &s->line, after) {
        struct claim *c = claim_at(it);

        if (c->is_turn)
            continue;
        if (!p || c->pool == p)
            return c;
        oldest = oldest ? oldest : c;
        if (oldest->passed >= PASSED_MAX || ++looked == LOOK_MAX)
            break;
    }
    return oldest;
}

/* Wakes it; takes NULL. */
static void kick(struct share *s, struct claim *c)
{
    if (!c)
        return;
    LIST_EACH (it, &s->line, after) {
        if (claim_at(it) == c)
            break;
        claim_at(it)->passed += !claim_at(it)->is_turn;
    }
    c->is_turn = true;
    task_wake(c->task);
}

/* The number of connections may have room: whose turn is it, of all workers? */
static void pass_on(struct share *s)
{
    uint32_t next;

    if (!has_room(s))
        return;
    next = budget_next(s->budget, self(s));
    if (next == self(s))
        kick(s, choose(s, NULL));
    else if (next < LIVE_WORKERS_MAX)
        live_call(next);
}

static void line_remove(struct share *s, struct claim *c)
{
    list_remove(&c->node);
    c->share = NULL;
    c->is_turn = false;
    c->pool->in_line--;
    count(s, c->pool, STAT_UPSTREAM_RQ_PENDING_ACTIVE, -1);
    if (list_is_empty(&s->line))
        budget_wait_not(s->budget, self(s));
}

static enum err line_add(struct share *s, struct claim *c, struct upstream_pool *p, bool in_front)
{
    if (!claim_pending(c))
        return ERR_OVERFLOW;
    if (in_front)
        list_push_front(&s->line, &c->node);
    else
        list_push_back(&s->line, &c->node);
    c->share = s;
    c->pool = p;
    c->is_turn = false; /* left by share_dismiss: whose turn it seems is not called */
    p->in_line++;
    count(s, p, STAT_UPSTREAM_RQ_PENDING_ACTIVE, 1);
    count(s, p, STAT_UPSTREAM_RQ_PENDING_TOTAL, !in_front);
    if (!budget_wait(s->budget, self(s)))
        return ERR_AGAIN;
    if (has_room(s))
        kick(s, choose(s, NULL)); /* given back before the bit was seen */
    else
        live_call_all_but(self(s));
    return ERR_AGAIN;
}

static struct upstream *idle_at(struct list *it)
{
    return LIST_ITEM(it, struct upstream, share_node);
}

/* The oldest that nobody uses; HTTP/2's take more streams beside those that they have. */
static struct upstream *at_rest(struct share *s)
{
    for (struct list *it = s->idle.prev; it != &s->idle; it = it->prev) {
        if (http_conn_is_at_rest(idle_at(it)->conn))
            return idle_at(it);
    }
    return NULL;
}

static void give_up_one(struct share *s)
{
    struct upstream *u = at_rest(s);

    if (u || !list_is_empty(&s->idle))
        upstream_leave(u ? u : idle_at(s->idle.prev));
}

/* For somebody in line: one of our own that serves another endpoint, unless one is about to go. */
static void make_room(struct share *s)
{
    if (s->leaving == s->held && (s->held == 0 || at_rest(s)))
        give_up_one(s);
}

static bool take_connection(struct share *s)
{
    if (budget_take(s->budget, BUDGET_CONNECTIONS, s->max))
        return true;
    make_room(s);
    return false;
}

/* It got what it wanted; there may be more for others. */
static void entered(struct share *s)
{
    if (!list_is_empty(&s->line) || budget_others_wait(s->budget, self(s)))
        pass_on(s);
}

enum err share_enter(struct share *s, struct claim *c, struct upstream_pool *p, bool dials)
{
    bool was_in_line = c->share != NULL;
    bool others = !list_is_empty(&s->line) || budget_others_wait(s->budget, self(s));

    if (!was_in_line && others && (dials || !list_is_empty(&s->line)))
        return line_add(s, c, p, false);
    if (was_in_line)
        line_remove(s, c);
    if (dials && !take_connection(s)) {
        if (!was_in_line)
            count(s, p, STAT_UPSTREAM_CX_OVERFLOW, 1);
        return line_add(s, c, p, was_in_line);
    }
    entered(s);
    return ERR_OK;
}

void share_leave_line(struct claim *c)
{
    struct share *s = c->share;
    struct upstream_pool *p = c->pool;
    bool was_turn = c->is_turn;

    line_remove(s, c);
    if (was_turn && !list_is_empty(&s->line))
        kick(s, choose(s, p));
    entered(s);
    share_served(s); /* the connection that he was called for is nobody's here now */
}

void share_dismiss(struct share *s, struct upstream_pool *p)
{
    LIST_EACH (it, &s->line, after) {
        struct claim *c = claim_at(it);

        if (c->pool != p)
            continue;
        line_remove(s, c);
        c->is_turn = true;
        task_wake(c->task);
    }
}

/* ---- connections ---- */

void share_idle_add(struct share *s, struct upstream *u)
{
    list_push_front(&s->idle, &u->share_node);
}

bool share_gives_up(struct share *s)
{
    bool others = budget_others_wait(s->budget, self(s));

    if (budget_used(s->budget, BUDGET_CONNECTIONS) > s->max)
        return true;
    if (!others)
        s->streak = 0;
    if (!others || (!list_is_empty(&s->line) && s->streak++ < STREAK_MAX))
        return false;
    s->streak = 0;
    return true;
}

void share_idle(struct share *s, struct upstream_pool *p)
{
    kick(s, choose(s, p));
}

void share_more(struct share *s, struct upstream_pool *p)
{
    struct claim *c = choose(s, p);

    if (c && c->pool == p)
        kick(s, c);
}

void share_served(struct share *s)
{
    if (list_is_empty(&s->line) && !has_room(s) && budget_others_wait(s->budget, self(s)))
        make_room(s);
}

void share_leaving(struct share *s, const struct upstream *u)
{
    s->leaving++;
    s->held += u->is_held;
}

void share_count(struct share *s, struct upstream *u, bool is_idle)
{
    budget_take_anyway(s->budget, BUDGET_CONNECTIONS);
    if (is_idle)
        share_idle_add(s, u);
}

void share_gone(struct share *s, const struct upstream *u)
{
    budget_give(s->budget, BUDGET_CONNECTIONS);
    if (u) {
        s->leaving -= u->is_leaving;
        s->held -= u->is_held;
    }
    pass_on(s);
}

/* ---- called by another worker ---- */

/* The limit was lowered: idle connections beyond it go. */
static void shrink(struct share *s)
{
    uint32_t used = budget_used(s->budget, BUDGET_CONNECTIONS);

    while (used > s->max && used - s->max > s->leaving && !list_is_empty(&s->idle))
        give_up_one(s);
}

static void look(struct share *s)
{
    shrink(s);
    if (!list_is_empty(&s->line)) {
        if (has_room(s))
            kick(s, choose(s, NULL));
        return;
    }
    budget_wait_not(s->budget, self(s));
    if (!budget_others_wait(s->budget, self(s)))
        return;
    if (has_room(s))
        pass_on(s);
    else
        make_room(s);
}

void share_look_at_all(struct worker *w)
{
    LIST_EACH (it, &w->shares, after)
        look(LIST_ITEM(it, struct share, node));
}
