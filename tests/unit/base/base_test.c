#include "base/hash.h"
#include "base/heap.h"
#include "base/bufq.h"
#include "base/list.h"
#include "base/map.h"
#include "base/notes.h"
#include "base/rng.h"
#include "base/when.h"
#include "unit/check.h"

TEST(str_cut_walks_over_all_parts)
{
    struct str rest = STR("a,,b");

    CHECK_STRZ(str_cut(&rest, ','), "a");
    CHECK_STRZ(str_cut(&rest, ','), "");
    CHECK_STRZ(str_cut(&rest, ','), "b");
    CHECK(!str_is_set(rest));
}

TEST(str_u64_takes_plain_digits_only)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t want;
    } cases[] = {
        { "0", true, 0 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "", false, 0 },
        { "+5", false, 0 },
        { "5 ", false, 0 },
        { "0x5", false, 0 },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        uint64_t v = 0;

        CASE(i);
        CHECK_EQ(str_u64(str_of(cases[i].text), &v), cases[i].ok);
        if (cases[i].ok)
            CHECK(v == cases[i].want);
    }
}

TEST(map_agrees_with_a_naive_array_over_random_steps)
{
    static char keys[200][8];
    void *naive[200] = { 0 };
    struct map m;
    struct rng rng;

    rng_init(&rng, 7);
    map_init(&m);
    for (size_t i = 0; i < LEN(keys); i++)
        snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
    for (size_t step = 0; step < 50000; step++) {
        size_t k = rng_below(&rng, LEN(keys));
        struct str key = str_of(keys[k]);

        if (rng_below(&rng, 3) == 0) {
            CHECK(map_del(&m, key) == naive[k]);
            naive[k] = NULL;
        } else {
            void *v = &keys[rng_below(&rng, LEN(keys))];

            CHECK(map_put(&m, key, v) == naive[k]);
            naive[k] = v;
        }
        k = rng_below(&rng, LEN(keys));
        CHECK(map_get(&m, str_of(keys[k])) == naive[k]);
    }
    map_fini(&m);
}

TEST(heap_gives_the_smallest_first_after_moves_and_removals)
{
    struct heap_node nodes[300] = { 0 };
    struct heap h = { 0 };
    struct rng rng;
    uint64_t last = 0;

    rng_init(&rng, 3);
    for (size_t round = 0; round < 3000; round++) {
        struct heap_node *n = &nodes[rng_below(&rng, LEN(nodes))];

        if (rng_below(&rng, 4) == 0)
            heap_remove(&h, n);
        else
            heap_set(&h, n, rng_below(&rng, 1000));
    }
    while (heap_first(&h)) {
        struct heap_node *n = heap_first(&h);

        CHECK(n->key >= last);
        last = n->key;
        heap_remove(&h, n);
    }
    heap_fini(&h);
}

TEST(bufq_keeps_octets_in_order_through_copy_move_share_and_drop)
{
    struct chunk_pool pool;
    struct bufq a, b;
    char text[50000];
    struct iovec iov[16];
    size_t n, total = 0;

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7 % 251);
    chunk_pool_init(&pool, 1 << 20);
    bufq_init(&a);
    bufq_init(&b);
    CHECK(bufq_copy(&a, &pool, str_make(text, 20000)));
    CHECK(bufq_copy(&a, &pool, str_make(text + 20000, 30000)));
    CHECK(bufq_share(&b, &a));
    bufq_drop(&a, 123);
    bufq_reset(&a);
    bufq_drop(&b, 100);
    bufq_move(&a, &b);
    CHECK_EQ(a.n, 49900);
    CHECK(bufq_is_empty(&b));
    n = bufq_iov(&a, iov, LEN(iov));
    for (size_t i = 0; i < n; i++) {
        CHECK(memcmp(iov[i].iov_base, text + 100 + total, iov[i].iov_len) == 0);
        total += iov[i].iov_len;
    }
    CHECK_EQ(total, 49900);
    bufq_reset(&a);
    CHECK_EQ(pool.chunks.live, 0);
    CHECK_EQ(pool.slices.live, 0);
    chunk_pool_fini(&pool);
}

TEST(a_chunk_pool_says_no_at_its_limit)
{
    struct chunk_pool pool;
    struct bufq q;
    static char text[10 * CHUNK_OCTETS];

    chunk_pool_init(&pool, 4 * CHUNK_OCTETS);
    bufq_init(&q);
    CHECK(!bufq_copy(&q, &pool, str_make(text, sizeof(text))));
    CHECK_EQ(q.n, 4 * CHUNK_OCTETS);
    bufq_reset(&q);
    CHECK(bufq_copy(&q, &pool, str_make(text, 100)));
    bufq_reset(&q);
    chunk_pool_fini(&pool);
}

TEST(durations_are_read_as_go_reads_them)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t ns;
    } cases[] = {
        { "1s", true, 1000000000 },
        { "1h30m", true, 5400000000000 },
        { ".5s", true, 500000000 },
        { "5.s", true, 5000000000 },
        { "+5s", true, 5000000000 },
        { "-1s", true, -1000000000 },
        { "1h1h", true, 7200000000000 },
        { "0", true, 0 },
        { "5", false, 0 },
        { "", false, 0 },
        { "s", false, 0 },
        { "1d", false, 0 },
        { "100ms", true, 100000000 },
        { "1us", true, 1000 },
    };

    for (size_t i = 0; i < LEN(cases); i++) {
        int64_t ns = 0;

        CASE(i);
        CHECK_EQ(duration_parse(str_of(cases[i].text), &ns), cases[i].ok);
        if (cases[i].ok)
            CHECK_EQ(ns, cases[i].ns);
    }
}

TEST(instants_survive_format_and_parse)
{
    static const int64_t cases[] = { 0, 1763977503042, 951782400000, 4102444799999 };

    for (size_t i = 0; i < LEN(cases); i++) {
        char text[WHEN_LEN + 1];
        int64_t back = -1;

        CASE(i);
        when_format(cases[i], text);
        CHECK(when_parse(str_of(text), &back));
        CHECK_EQ(back, cases[i]);
    }
}

TEST(nocase_hash_ignores_case_and_nothing_else)
{
    CHECK(hash_str_nocase(STR("Mk.Hedgus.COM")) == hash_str_nocase(STR("mk.hedgus.com")));
    CHECK(hash_str_nocase(STR("a[")) != hash_str_nocase(STR("a{")));
    CHECK(hash_str_nocase(STR("\xc1zzzzzzz")) != hash_str_nocase(STR("\xe1zzzzzzz")));
    CHECK(hash_str(STR("abc")) == hash_str_nocase(STR("abc")));
}
