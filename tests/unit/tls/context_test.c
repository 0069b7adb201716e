#include "tls/context.h"
#include "tls/tickets.h"
#include "unit/check.h"

#include <pthread.h>

TEST(equal_profiles_share_a_context)
{
    static const struct str h2[] = { STR_INIT("h2") }, h1[] = { STR_INIT("http/1.1") };
    static const struct str joined[] = { STR_INIT("h2:http/1.1") };
    struct tls_contexts *all = tls_contexts_new();
    struct tls_setup a = { .alpn = h2, .alpn_count = 1 }, b = a, c = a, d = a;
    struct tls_context *ca, *cb, *cc, *cd;
    struct str why;

    c.alpn = h1;
    d.alpn = joined;
    ca = tls_context_get(all, &a, &why);
    cb = tls_context_get(all, &b, &why);
    cc = tls_context_get(all, &c, &why);
    cd = tls_context_get(all, &d, &why);
    CHECK(ca && ca == cb && cc && cc != ca && cd && cd != cc);
    CHECK_EQ(tls_contexts_count(all), 3);
    tls_context_unref(ca);
    tls_context_unref(cb);
    tls_context_unref(cc);
    tls_context_unref(cd);
    tls_context_unref(NULL);
    CHECK_EQ(tls_contexts_count(all), 3); /* kept for the next handshake */
    tls_contexts_free(all);
    tls_contexts_free(NULL);
}

TEST(profiles_of_which_no_context_can_be_made_say_why)
{
    static const struct str none[] = { STR_INIT("NO-SUCH-CIPHER") };
    static const struct str command[] = { STR_INIT("ALL"), STR_INIT("@SECLEVEL=0"),
                                          STR_INIT("!x") };
    static const struct str some[] = { STR_INIT("NO-SUCH-CIPHER"),
                                       STR_INIT("ECDHE-RSA-AES256-GCM-SHA384") };
    static const struct str empty[] = { STR_INIT("") };
    static const struct {
        struct tls_setup s;
        const char *why; /* NULL: fine */
    } rows[] = {
        { { .min_version = 0x0304, .max_version = 0x0303 },
          "no TLS version is between the lowest and the highest allowed" },
        { { .ciphers = none, .cipher_count = 1 }, "none of the cipher suites is known" },
        { { .ciphers = command, .cipher_count = 3 }, "none of the cipher suites is known" },
        { { .ciphers = some, .cipher_count = 2 }, NULL },
        { { .alpn = empty, .alpn_count = 1 }, "a protocol's name is empty or too long" },
        { { .min_version = 0x0302, .max_version = 0x0302 }, NULL },
        { { .min_version = 0x0304 }, NULL },
    };
    struct tls_contexts *all = tls_contexts_new();

    for (size_t i = 0; i < LEN(rows); i++) {
        struct str why = STR_NONE;
        struct tls_context *c = tls_context_get(all, &rows[i].s, &why);

        CASE(i);
        CHECK_EQ(c == NULL, rows[i].why != NULL);
        CHECK_STR(why, str_of(rows[i].why));
        tls_context_unref(c);
    }
    tls_contexts_free(all);
}

TEST(contexts_are_limited_and_the_unused_go_first)
{
    struct tls_contexts *all = tls_contexts_new();
    struct tls_context *held[256], *more;
    struct str why = STR_NONE;

    for (size_t i = 0; i < 300; i++) {
        char text[16];
        struct str alpn;
        struct tls_setup s = { .alpn = &alpn, .alpn_count = 1 };

        snprintf(text, sizeof(text), "p%zu", i);
        alpn = str_of(text);
        more = tls_context_get(all, &s, &why);
        if (i < 256) {
            CHECK(more != NULL);
            held[i] = more;
        } else if (i < 280) {
            CHECK(more == NULL);
            CHECK_STRZ(why, "too many TLS profiles are in use");
            if (i == 279)
                tls_context_unref(held[7]);
        } else {
            CHECK(more != NULL);
            tls_context_unref(more);
        }
        CHECK(tls_contexts_count(all) <= 256);
    }
    for (size_t i = 0; i < 256; i++) {
        if (i != 7)
            tls_context_unref(held[i]);
    }
    tls_contexts_free(all);
}

TEST(ticket_keys_last_two_rotations)
{
    struct ticket_set set = { 0 }, later = { 0 };

    tickets_refresh(&set);
    CHECK(set.n > 0);
    for (size_t i = 1; i <= TICKET_KEYS; i++) {
        bool found = false;

        tickets_rotate();
        tickets_refresh(&later);
        CHECK(later.generation == set.generation + i);
        for (size_t k = 0; k < later.n; k++)
            found |= memcmp(&later.keys[k], &set.keys[0], sizeof(set.keys[0])) == 0;
        CASE(i);
        CHECK_EQ(found, i < TICKET_KEYS);
    }
    tickets_wipe(&set);
    CHECK_EQ(set.n, 0);
}

static void *rotate_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 300; i++)
        tickets_rotate();
    return NULL;
}

TEST(workers_copy_ticket_keys_while_others_rotate)
{
    struct ticket_set set = { 0 };
    uint64_t before = 0;
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, rotate_often, NULL), 0);
    for (int i = 0; i < 3000; i++) {
        tickets_refresh(&set);
        CHECK(set.n >= 1 && set.n <= TICKET_KEYS && set.generation >= before);
        before = set.generation;
    }
    pthread_join(thread, NULL);
    tickets_wipe(&set);
}
