#include "lb/lb.h"

#include "live/host.h"
#include "unit/check.h"

#include <math.h>

#define HOSTS_MAX 8

/* A root with the cluster "c", whose host set "h" has these endpoints: weight 0 is an
 * unhealthy one of weight 1. And a virtual host "v" with a route of these weights. */
struct scene {
    struct root *root;
    const struct cluster *cluster;
    const struct hosts *hosts;
    const struct vhost *vhost;
    struct rng rng;
    struct lb *lb;
};

static struct part *hosts_part(const uint32_t *weights, uint32_t n)
{
    struct hosts *hosts = part_new(PART_HOSTS, STR("h"));
    struct str err;

    hosts->cluster_name = STR("c");
    hosts->endpoints.v = ARENA_ARRAY(hosts->part.arena, struct endpoint, n);
    hosts->endpoints.n = n;
    for (uint32_t i = 0; i < n; i++) {
        struct endpoint *e = &hosts->endpoints.v[i];

        e->addr = (struct addr){ .family = 4, .port = 80, .ip = { 10, 0, 0, (uint8_t)i } };
        e->weight = MAX(weights[i], 1);
        e->healthy = weights[i] > 0;
    }
    CHECK(part_finish(&hosts->part, &err));
    return &hosts->part;
}

static struct part *vhost_part(const uint32_t *weights, uint32_t n)
{
    struct vhost *vhost = part_new(PART_VHOST, STR("v"));
    struct route *route = ARENA_NEW(vhost->part.arena, struct route);
    struct str err;

    vhost->routes.v = route;
    vhost->routes.n = 1;
    route->destinations.v = ARENA_ARRAY(vhost->part.arena, struct destination, n);
    route->destinations.n = n;
    for (uint32_t i = 0; i < n; i++) {
        route->destinations.v[i].cluster = SLOT_NONE;
        route->destinations.v[i].weight = weights[i];
    }
    CHECK(part_finish(&vhost->part, &err));
    return &vhost->part;
}

static struct part *cluster_part(enum lb_policy policy)
{
    struct cluster *c = part_new(PART_CLUSTER, STR("c"));
    struct str err;

    c->lb = (uint8_t)policy;
    CHECK(part_finish(&c->part, &err));
    return &c->part;
}

static void scene_change(struct scene *s, struct part *hosts, struct part *vhost,
                         struct part *cluster)
{
    struct root_edit *e = root_edit_new(s->root);
    slot_id h = hosts->slot, v = vhost->slot, c = cluster->slot;

    root_edit_set(e, hosts);
    root_edit_set(e, vhost);
    root_edit_set(e, cluster);
    root_unref(s->root);
    s->root = root_edit_finish(e);
    s->hosts = root_hosts(s->root, h);
    s->vhost = root_vhost(s->root, v);
    s->cluster = root_cluster(s->root, c);
}

static void scene_begin(struct scene *s, enum lb_policy policy, const uint32_t *weights, uint32_t n)
{
    *s = (struct scene){ 0 };
    part_hooks.host_get = live_host_get;
    part_hooks.host_unref = live_host_unref;
    rng_init(&s->rng, 41);
    s->lb = lb_new(&s->rng);
    scene_change(s, hosts_part(weights, n), vhost_part(weights, n), cluster_part(policy));
}

static void scene_end(struct scene *s)
{
    lb_free(s->lb);
    root_unref(s->root);
    CHECK_EQ(live_host_limit(), 0);
}

static uint32_t endpoint_pick(struct scene *s)
{
    const struct endpoint *e = lb_endpoint(s->lb, s->cluster, s->hosts, NULL, 0);

    return e ? (uint32_t)(e - s->hosts->endpoints.v) : UINT32_MAX;
}

/* ---- destinations -------------------------------------------------------------------------- */

TEST(destinations_come_in_exact_shares)
{
    static const struct {
        uint32_t n, weights[4], picks, want[4];
    } cases[] = {
        { 2, { 50, 50 }, 2000, { 1000, 1000 } },
        { 2, { 90, 10 }, 2000, { 1800, 200 } },
        { 3, { 33, 33, 34 }, 2000, { 660, 660, 680 } },
        { 2, { 1, 999 }, 2000, { 2, 1998 } },
        { 2, { 0, 100 }, 2000, { 0, 2000 } },
        { 2, { 0, 0 }, 10, { 10, 0 } },
        { 1, { 0 }, 10, { 10 } },
        { 4, { 1, 1, 1, 0 }, 3000, { 1000, 1000, 1000, 0 } },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct scene s;
        uint32_t count[4] = { 0 };

        CASE(i);
        scene_begin(&s, LB_RANDOM, cases[i].weights, cases[i].n);
        for (uint32_t k = 0; k < cases[i].picks; k++)
            count[lb_destination(s.lb, s.vhost, &s.vhost->routes.v[0])]++;
        for (uint32_t k = 0; k < cases[i].n; k++)
            CHECK_EQ(count[k], cases[i].want[k]);
        scene_end(&s);
    }
}

TEST(a_deck_lives_on_over_roots_until_its_weights_change)
{
    static const uint32_t weights[] = { 3, 1 }, others[] = { 1, 1, 1 };
    struct scene s;
    uint32_t count[3] = { 0 };

    scene_begin(&s, LB_RANDOM, weights, 2);
    for (uint32_t i = 0; i < 400; i++) {
        struct vhost *vhost;

        if (i % 3 == 0) { /* another part in the slot, with a sweep as after each swap */
            vhost = (void *)vhost_part(weights, 2);
            vhost->part.hash = i;
            scene_change(&s, hosts_part(weights, 2), &vhost->part, cluster_part(LB_RANDOM));
            lb_sweep(s.lb, s.root);
        }
        count[lb_destination(s.lb, s.vhost, &s.vhost->routes.v[0])]++;
    }
    CHECK_EQ(count[0], 300);
    scene_change(&s, hosts_part(weights, 2), vhost_part(others, 3), cluster_part(LB_RANDOM));
    memset(count, 0, sizeof(count));
    for (uint32_t i = 0; i < 300; i++)
        count[lb_destination(s.lb, s.vhost, &s.vhost->routes.v[0])]++;
    CHECK_EQ(count[2], 100);
    scene_end(&s);
}

/* ---- endpoints ----------------------------------------------------------------------------- */

TEST(no_healthy_endpoint_is_none)
{
    static const uint32_t weights[] = { 0, 0 };
    struct scene s;

    for (uint32_t policy = LB_LEAST_REQUEST; policy <= LB_RANDOM; policy++) {
        scene_begin(&s, policy, weights, 2);
        CHECK_EQ(endpoint_pick(&s), UINT32_MAX);
        scene_change(&s, hosts_part(NULL, 0), vhost_part(weights, 2), cluster_part(policy));
        CHECK_EQ(endpoint_pick(&s), UINT32_MAX);
        scene_end(&s);
    }
}

TEST(round_robin_goes_round_the_healthy_ones)
{
    static const uint32_t weights[] = { 1, 0, 1, 1 };
    struct scene s;
    uint32_t before[3];

    scene_begin(&s, LB_ROUND_ROBIN, weights, 4);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t got = endpoint_pick(&s);

        CHECK(got != 1);
        if (i >= 3)
            CHECK_EQ(got, before[i % 3]);
        before[i % 3] = got;
    }
    CHECK_EQ(before[0] + before[1] + before[2], 0 + 2 + 3);
    scene_end(&s);
}

TEST(each_algorithm_honours_weights_when_idle)
{
    static const uint32_t weights[] = { 1, 2, 5 };
    static const double slack[] = {
        [LB_LEAST_REQUEST] = 0.02, [LB_ROUND_ROBIN] = 0.0001, [LB_RANDOM] = 0.02
    };

    for (uint32_t policy = LB_LEAST_REQUEST; policy <= LB_RANDOM; policy++) {
        uint32_t count[3] = { 0 };
        struct scene s;

        CASE(policy);
        scene_begin(&s, policy, weights, 3);
        for (uint32_t i = 0; i < 40000; i++)
            count[endpoint_pick(&s)]++;
        for (uint32_t i = 0; i < 3; i++)
            CHECK(fabs(count[i] / 40000.0 - weights[i] / 8.0) <= slack[policy]);
        scene_end(&s);
    }
}

TEST(least_request_keeps_away_from_the_busy_one)
{
    static const uint32_t weights[] = { 1, 1, 1 };
    struct scene s;
    uint32_t count[3] = { 0 };

    scene_begin(&s, LB_LEAST_REQUEST, weights, 3);
    atomic_store(&s.hosts->endpoints.v[1].live->active[5], 10);
    for (uint32_t i = 0; i < 3000; i++)
        count[endpoint_pick(&s)]++;
    CHECK_EQ(count[1], 0); /* two different ones are compared */
    CHECK(count[0] > 1300 && count[2] > 1300);
    scene_end(&s);
}

TEST(least_request_spreads_load_that_stays)
{
    static const uint32_t weights[] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    struct scene s;
    int32_t most = 0;

    scene_begin(&s, LB_LEAST_REQUEST, weights, 8);
    for (uint32_t i = 0; i < 800; i++)
        atomic_fetch_add(&s.hosts->endpoints.v[endpoint_pick(&s)].live->active[i % 2], 1);
    for (uint32_t i = 0; i < 8; i++) {
        int32_t active = (int32_t)live_host_active(s.hosts->endpoints.v[i].live);

        most = MAX(most, active);
    }
    CHECK(most <= 104);
    scene_end(&s);
}

TEST(a_retry_avoids_what_was_tried_while_others_exist)
{
    static const uint32_t weights[] = { 1, 1, 1 };

    for (uint32_t policy = LB_LEAST_REQUEST; policy <= LB_RANDOM; policy++) {
        const struct endpoint *tried[3];
        struct scene s;

        CASE(policy);
        scene_begin(&s, policy, weights, 3);
        for (uint32_t i = 0; i < 300; i++) {
            for (size_t n = 0; n < 3; n++) {
                tried[n] = lb_endpoint(s.lb, s.cluster, s.hosts, tried, n);
                for (size_t k = 0; k < n; k++)
                    CHECK(tried[k] != tried[n]);
            }
            CHECK(lb_endpoint(s.lb, s.cluster, s.hosts, tried, 3) != NULL);
        }
        scene_end(&s);
    }
}

TEST(state_of_host_sets_that_are_gone_is_swept)
{
    static const uint32_t weights[] = { 1, 1 };
    struct root *empty = root_edit_finish(root_edit_new(NULL));
    struct scene s;

    scene_begin(&s, LB_ROUND_ROBIN, weights, 2);
    for (uint32_t i = 2; i < 200; i++) {
        const uint32_t changed[] = { 1, i };

        (void)endpoint_pick(&s);
        (void)lb_destination(s.lb, s.vhost, &s.vhost->routes.v[0]);
        CHECK(lb_state_count(s.lb) <= 4);
        scene_change(&s, hosts_part(changed, 2), vhost_part(changed, 2),
                     cluster_part(LB_ROUND_ROBIN));
        lb_sweep(s.lb, s.root);
    }
    lb_sweep(s.lb, empty);
    CHECK_EQ(lb_state_count(s.lb), 0);
    root_unref(empty);
    scene_end(&s);
}
