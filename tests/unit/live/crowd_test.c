/*
 * Client connections: counted exactly by listener, in all and by address, and nothing is left
 * behind.
 */
#include "live/crowd.h"

#include "live/addresses.h"
#include "unit/check.h"

#include <pthread.h>
#include <stdatomic.h>

static struct addr addr_of(const char *text)
{
    struct addr a;

    CHECK(addr_parse_ip(str_of(text), &a));
    return a;
}

TEST(a_listener_takes_as_many_as_it_may)
{
    struct live_crowd *c = live_crowd_get(STR("0.0.0.0_80"));
    struct addr peer = addr_of("192.0.2.1");
    struct crowd_place places[3];

    CHECK_EQ(crowd_enter(&places[0], c, &peer, (struct crowd_limits){ 2, 0 }), CROWD_ROOM);
    CHECK_EQ(crowd_enter(&places[1], c, &peer, (struct crowd_limits){ 2, 0 }), CROWD_ROOM);
    CHECK_EQ(crowd_enter(&places[2], c, &peer, (struct crowd_limits){ 2, 0 }), CROWD_LISTENER_FULL);
    CHECK(!places[2].crowd);
    crowd_leave(&places[2]);
    CHECK_EQ(crowd_open(c), 2);
    crowd_leave(&places[0]);
    crowd_leave(&places[0]);
    CHECK_EQ(crowd_enter(&places[2], c, &peer, (struct crowd_limits){ 2, 0 }), CROWD_ROOM);
    crowd_leave(&places[1]);
    crowd_leave(&places[2]);
    CHECK_EQ(crowd_open(c), 0);
    live_crowd_unref(c);
}

TEST(a_limit_that_is_set_later_knows_those_that_are_open)
{
    struct live_crowd *c = live_crowd_get(STR("a"));
    struct addr peer = addr_of("192.0.2.1");
    struct crowd_place open[5], more;

    for (size_t i = 0; i < LEN(open); i++)
        CHECK_EQ(crowd_enter(&open[i], c, &peer, (struct crowd_limits){ 0, 0 }), CROWD_ROOM);
    live_crowd_unref(c); /* the listener went; its connections stay */
    c = live_crowd_get(STR("a"));
    CHECK_EQ(crowd_open(c), 5);
    CHECK_EQ(crowd_enter(&more, c, &peer, (struct crowd_limits){ 5, 0 }), CROWD_LISTENER_FULL);
    for (size_t i = 0; i < LEN(open); i++)
        crowd_leave(&open[i]);
    CHECK_EQ(crowd_open(c), 0);
    live_crowd_unref(c);
    live_crowd_unref(NULL);
}

TEST(all_listeners_count_together)
{
    struct live_crowd *a = live_crowd_get(STR("a")), *b = live_crowd_get(STR("b"));
    struct addr peer = addr_of("192.0.2.1");
    struct crowd_place one, two, none;

    CHECK_EQ(crowd_enter(&one, a, &peer, (struct crowd_limits){ 0, 2 }), CROWD_ROOM);
    CHECK_EQ(crowd_enter(&two, b, &peer, (struct crowd_limits){ 1, 2 }), CROWD_ROOM);
    CHECK_EQ(crowd_enter(&none, a, &peer, (struct crowd_limits){ 9, 2 }), CROWD_ALL_FULL);
    CHECK_EQ(crowd_open(a), 1);
    CHECK_EQ(crowd_open_in_all(), 2);
    crowd_leave(&one);
    crowd_leave(&two);
    CHECK_EQ(crowd_open_in_all(), 0);
    live_crowd_unref(a);
    live_crowd_unref(b);
}

TEST(an_address_takes_as_many_as_it_may)
{
    struct live_crowd *c = live_crowd_get(STR("a"));
    struct addr v4 = addr_of("192.0.2.1"), mapped = addr_of("::ffff:192.0.2.1");
    struct addr other = addr_of("192.0.2.2");
    struct crowd_limits any = { 0, 0 };
    struct crowd_place places[3], none;

    crowd_limit_addresses(2);
    CHECK_EQ(crowd_enter(&places[0], c, &v4, any), CROWD_ROOM);
    CHECK_EQ(crowd_enter(&places[1], c, &mapped, any), CROWD_ROOM);
    CHECK_EQ(crowd_enter(&none, c, &v4, any), CROWD_ADDRESS_FULL);
    CHECK_EQ(crowd_enter(&places[2], c, &other, any), CROWD_ROOM);
    CHECK_EQ(crowd_open(c), 3);
    CHECK_EQ(crowd_enter(&none, c, &other, (struct crowd_limits){ 3, 0 }), CROWD_LISTENER_FULL);
    CHECK_EQ(crowd_open_from(&other), 1); /* what was refused elsewhere is given back here */
    for (size_t i = 0; i < LEN(places); i++)
        crowd_leave(&places[i]);
    CHECK_EQ(crowd_open_from(&v4), 0);
    crowd_limit_addresses(0);
    live_crowd_unref(c);
}

TEST(an_address_of_ipv6_is_its_network)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true },
        { "2001:db8:0:1::1", "2001:db8:0:2::1", false },
        { "::1", "::2", true },
        { "::ffff:10.0.0.1", "10.0.0.1", true },
        { "10.0.0.1", "10.0.0.2", false },
        { "::", "0.0.0.0", false },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        struct addr a = addr_of(cases[i].a), b = addr_of(cases[i].b);

        CHECK(address_key(&a) != 0 && address_key(&b) != 0);
        CHECK_EQ(address_key(&a) == address_key(&b), cases[i].same);
    }
    CHECK_EQ(address_key(&(struct addr){ 0 }), 0);
}

/* The table against a plain array: takes and gives in an order that a generator picks. */
TEST(many_addresses_come_and_go)
{
    enum { ADDRESSES = 4096, STEPS = 400000, MOST = 3 };
    static uint32_t counts[ADDRESSES];
    uint64_t random = 42;

    for (size_t i = 0; i < STEPS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t at = (size_t)(random >> 33) % ADDRESSES;
        uint64_t key = UINT64_C(0x0000ffff00000000) + at;
        bool grows = i < STEPS / 2 ? (random >> 20) % 3 != 0 : (random >> 20) % 3 == 0;

        if (grows) {
            bool room = counts[at] < MOST;

            CHECK_EQ(addresses_take(key, MOST), room);
            counts[at] += room;
        } else if (counts[at]) {
            addresses_give(key);
            counts[at]--;
        }
        if (i % 64 == 0)
            CHECK_EQ(addresses_count(key), counts[at]);
    }
    for (size_t at = 0; at < ADDRESSES; at++) {
        CHECK_EQ(addresses_count(UINT64_C(0x0000ffff00000000) + at), counts[at]);
        while (counts[at]--)
            addresses_give(UINT64_C(0x0000ffff00000000) + at);
    }
    CHECK_EQ(addresses_count(UINT64_C(0x0000ffff00000000)), 0);
}

enum { THREADS = 4, ROUNDS = 20000, LIMIT = 2 };
static _Atomic uint32_t inside, most;

static void *comes_and_goes(void *arg)
{
    struct live_crowd *c = arg;
    struct addr peer = addr_of("192.0.2.1");
    struct crowd_place place;

    for (size_t i = 0; i < ROUNDS; i++) {
        if (crowd_enter(&place, c, &peer, (struct crowd_limits){ LIMIT, 0 }) != CROWD_ROOM)
            continue;
        uint32_t n = atomic_fetch_add(&inside, 1) + 1, seen = atomic_load(&most);

        while (n > seen && !atomic_compare_exchange_weak(&most, &seen, n))
            ;
        atomic_fetch_sub(&inside, 1);
        crowd_leave(&place);
    }
    return NULL;
}

TEST(the_limit_is_exact_for_all_threads_together)
{
    struct live_crowd *c = live_crowd_get(STR("a"));
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, comes_and_goes, c) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(atomic_load(&most) <= LIMIT);
    CHECK_EQ(crowd_open(c), 0);
    live_crowd_unref(c);
}
