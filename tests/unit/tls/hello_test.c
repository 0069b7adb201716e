#include "tls/hello.h"
#include "unit/check.h"
#include "unit/tls/client.h"

#include <stdlib.h>

/* ---- building ClientHellos by hand ---- */

struct octets {
    unsigned char p[40000];
    size_t n;
};

static void add(struct octets *o, size_t v, size_t width)
{
    while (width--)
        o->p[o->n++] = (unsigned char)(v >> (8 * width));
}

static void add_str(struct octets *o, struct str s)
{
    memcpy(o->p + o->n, s.p, s.n);
    o->n += s.n;
}

static struct str octets_str(const struct octets *o)
{
    return str_make((const char *)o->p, o->n);
}

/* A handshake message with these extensions. */
static struct octets message_of(struct str extensions, bool with_extensions)
{
    struct octets body = { .n = 0 }, m = { .n = 0 };

    add(&body, 0x0303, 2);
    body.n += 32;
    add(&body, 0, 1);
    add(&body, 2, 2);
    add(&body, 0x1301, 2);
    add(&body, 1, 1);
    add(&body, 0, 1);
    if (with_extensions) {
        add(&body, extensions.n, 2);
        add_str(&body, extensions);
    }
    add(&m, 1, 1);
    add(&m, body.n, 3);
    add_str(&m, octets_str(&body));
    return m;
}

/* The message in records of up to `per_record` octets. */
static struct octets records_of(struct str message, size_t per_record)
{
    struct octets r = { .n = 0 };

    while (message.n) {
        struct str part = str_sub(message, 0, per_record);

        add(&r, 22, 1);
        add(&r, 0x0301, 2);
        add(&r, part.n, 2);
        add_str(&r, part);
        message = str_from(message, part.n);
    }
    return r;
}

static struct octets name_extension(struct str name)
{
    struct octets e = { .n = 0 };

    add(&e, 0x7777, 2); /* an unknown one first */
    add(&e, 1, 2);
    add(&e, 0, 1);
    add(&e, 0, 2);
    add(&e, name.n + 5, 2);
    add(&e, name.n + 3, 2);
    add(&e, 0, 1);
    add(&e, name.n, 2);
    add_str(&e, name);
    return e;
}

static enum hello_state hello_with_name(struct str name, struct hello *h)
{
    struct octets e = name_extension(name);
    struct octets m = message_of(octets_str(&e), true);
    struct octets r = records_of(octets_str(&m), 16384);

    return hello_read(octets_str(&r), h);
}

TEST(names_of_every_length_are_read_or_refused)
{
    char name[400];
    struct hello h;

    for (size_t n = 0; n < sizeof(name); n++) {
        memset(name, 'A', n);
        memset(&h, 0, sizeof(h));
        CASE(n);
        if (n == 0 || n > 255) {
            CHECK_EQ(hello_with_name(str_make(name, n), &h), HELLO_BROKEN);
        } else {
            CHECK_EQ(hello_with_name(str_make(name, n), &h), HELLO_DONE);
            CHECK_EQ(hello_name(&h).n, n);
            CHECK(h.name[n - 1] == 'a');
        }
    }
    CHECK_EQ(hello_with_name(STR("a.test\0evil"), &h), HELLO_BROKEN);
}

TEST(a_hello_may_stand_in_records_of_any_size_and_arrive_octet_by_octet)
{
    struct octets e = name_extension(STR("Some.Test"));
    struct octets m = message_of(octets_str(&e), true);

    for (size_t per = 1; per <= m.n; per++) {
        struct octets r = records_of(octets_str(&m), per);
        struct hello h = { 0 };

        CASE(per);
        for (size_t n = 0; n < r.n; n++) {
            char *exact = malloc(n + 1); /* so that ASan sees each octet too far */

            memcpy(exact, r.p, n);
            CHECK_EQ(hello_read(str_make(exact, n), &h), HELLO_MORE);
            free(exact);
        }
        CHECK_EQ(hello_read(octets_str(&r), &h), HELLO_DONE);
        CHECK_STRZ(hello_name(&h), "some.test");
    }
}

TEST(without_a_name_there_is_none)
{
    struct octets m = message_of(STR(""), false), r = records_of(octets_str(&m), 16384);
    struct hello h = { .has_name = true };

    CHECK_EQ(hello_read(octets_str(&r), &h), HELLO_DONE);
    CHECK(!str_is_set(hello_name(&h)));
    m = message_of(STR(""), true);
    r = records_of(octets_str(&m), 16384);
    CHECK_EQ(hello_read(octets_str(&r), &h), HELLO_DONE);
    CHECK(!str_is_set(hello_name(&h)));
}

TEST(what_begins_no_handshake_is_known_by_its_first_octets)
{
    static const struct {
        struct str octets;
        enum hello_state want;
    } rows[] = {
        { STR_INIT(""), HELLO_MORE },
        { STR_INIT("G"), HELLO_NO_TLS },
        { STR_INIT("\x16"), HELLO_MORE },
        { STR_INIT("\x16\x02"), HELLO_NO_TLS },
        { STR_INIT("\x15\x03\x01"), HELLO_NO_TLS },
        { STR_INIT("\x80\x2e\x01\x03\x01"), HELLO_NO_TLS }, /* SSLv2's hello */
        { STR_INIT("\x16\x03\x01\x00\x00"), HELLO_BROKEN },
        { STR_INIT("\x16\x03\x01\x40\x01"), HELLO_BROKEN },
        { STR_INIT("\x16\x03\x01\x00\x04\x02"), HELLO_BROKEN },
        { STR_INIT("\x16\x03\x01\x00\x01\x01\x17\x03\x03"), HELLO_BROKEN },
        { STR_INIT("\x16\x03\x01\x00\x04\x01\xff\xff\xff"), HELLO_BROKEN }, /* 16 MB */
        { STR_INIT("\x16\x03\x01\x00\x04\x01\x00\x00\x00"), HELLO_BROKEN }, /* empty */
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct hello h;

        CASE(i);
        CHECK_EQ(hello_read(rows[i].octets, &h), rows[i].want);
    }
}

TEST(broken_lists_of_names_are_refused)
{
    static const struct {
        struct str extension;
        enum hello_state want;
    } rows[] = {
        { STR_INIT("\x00\x04\x00\x00\x01"
                   "a"),
          HELLO_DONE },
        { STR_INIT(""), HELLO_BROKEN },
        { STR_INIT("\x00\x00"), HELLO_BROKEN },
        { STR_INIT("\x00\x04\x01\x00\x01"
                   "a"),
          HELLO_BROKEN }, /* no host name */
        { STR_INIT("\x00\x05\x00\x00\x01"
                   "a"),
          HELLO_BROKEN }, /* list too long */
        { STR_INIT("\x00\x04\x00\x00\x02"
                   "a"),
          HELLO_BROKEN }, /* name too long */
        { STR_INIT("\x00\x04\x00\x00\x01"
                   "aX"),
          HELLO_BROKEN }, /* octets behind */
        { STR_INIT("\x00\x08\x00\x00\x01"
                   "a\x00\x00\x01"
                   "b"),
          HELLO_BROKEN }, /* two hosts */
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct octets e = { .n = 0 }, m, r;
        struct hello h;

        CASE(i);
        add(&e, 0, 2);
        add(&e, rows[i].extension.n, 2);
        add_str(&e, rows[i].extension);
        m = message_of(octets_str(&e), true);
        r = records_of(octets_str(&m), 16384);
        CHECK_EQ(hello_read(octets_str(&r), &h), rows[i].want);
    }
}

TEST(a_real_clients_hello_is_read)
{
    struct client_setup s = { .sni = "Shop.Example.COM", .alpn = "\x02h2" };
    struct client c;
    struct hello h;

    client_init(&c, &s);
    CHECK_EQ(client_handshake(&c), CLIENT_GOING);
    CHECK_EQ(hello_read(client_output(&c, 65536), &h), HELLO_DONE);
    CHECK_STRZ(hello_name(&h), "shop.example.com");
    client_fini(&c);
}

/* Every octet of a good hello replaced by others: any answer, but no step beyond the end. */
TEST(damaged_hellos_do_no_harm)
{
    struct octets e = name_extension(STR("a.test"));
    struct octets m = message_of(octets_str(&e), true);
    struct octets r = records_of(octets_str(&m), 30);
    static const unsigned char values[] = { 0, 1, 0x16, 0x40, 0x7f, 0x80, 0xff };

    for (size_t i = 0; i < r.n; i++) {
        for (size_t k = 0; k < LEN(values); k++) {
            char *exact = malloc(r.n);
            struct hello h;

            memcpy(exact, r.p, r.n);
            exact[i] = (char)values[k];
            (void)hello_read(str_make(exact, r.n), &h);
            free(exact);
        }
    }
}
