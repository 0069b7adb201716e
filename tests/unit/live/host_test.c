#include "live/host.h"

#include "unit/check.h"

static struct addr addr_of(const char *text)
{
    struct addr a = { 0 };

    CHECK(addr_parse(str_of(text), &a));
    return a;
}

TEST(the_same_cluster_and_address_are_one_host)
{
    struct addr a = addr_of("10.0.0.1:80"), b = addr_of("10.0.0.1:81");
    struct live_host *one = live_host_get(STR("c"), &a), *again = live_host_get(STR("c"), &a);
    struct live_host *port = live_host_get(STR("c"), &b), *cluster = live_host_get(STR("d"), &a);

    CHECK(one == again);
    CHECK(port != one && cluster != one && cluster != port);
    CHECK_STRZ(cluster->cluster, "d");
    CHECK(addr_eq(&port->addr, &b));
    live_host_unref(one);
    live_host_unref(again);
    live_host_unref(port);
    live_host_unref(cluster);
    live_host_unref(NULL);
    CHECK_EQ(live_host_limit(), 0);
}

TEST(ids_are_small_and_reused_only_after_release)
{
    struct addr a = addr_of("[::1]:80");
    struct live_host *hosts[100];
    char name[16];

    for (uint32_t i = 0; i < LEN(hosts); i++) {
        snprintf(name, sizeof(name), "c%u", i);
        hosts[i] = live_host_get(str_of(name), &a);
        CHECK_EQ(hosts[i]->id, i);
    }
    live_host_unref(hosts[40]);
    live_host_unref(hosts[30]);
    CHECK_EQ(live_host_limit(), 100);
    hosts[30] = live_host_get(STR("new"), &a);
    CHECK_EQ(hosts[30]->id, 30);
    hosts[40] = live_host_get(STR("newer"), &a);
    CHECK_EQ(hosts[40]->id, 40);
    for (uint32_t i = LEN(hosts); i > 10; i--)
        live_host_unref(hosts[i - 1]);
    CHECK_EQ(live_host_limit(), 10);
    for (uint32_t i = 0; i < 10; i++)
        live_host_unref(hosts[i]);
}

TEST(active_is_the_sum_of_all_workers)
{
    struct addr a = addr_of("10.0.0.1:80");
    struct live_host *h = live_host_get(STR("c"), &a);

    atomic_fetch_add(&h->active[0], 3);
    atomic_fetch_add(&h->active[LIVE_WORKERS_MAX - 1], 4);
    CHECK_EQ(live_host_active(h), 7);
    live_host_unref(h);
}
