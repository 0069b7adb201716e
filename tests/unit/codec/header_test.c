#include "codec/header.h"
#include "codec/method.h"

#include "unit/check.h"

static const struct {
    enum header_id id;
    const char *name;
} rows[] = {
#define XX(id, name) { HDR_##id, name },
    HEADER_MAP(XX)
#undef XX
};

TEST(every_well_known_name_is_found_in_any_case_and_only_whole)
{
    for (size_t i = 0; i < LEN(rows); i++) {
        struct str name = str_of(rows[i].name);
        char text[64];

        CASE(i);
        CHECK_EQ(header_id_of(name), rows[i].id);
        CHECK_STR(header_id_name(rows[i].id), name);
        for (size_t k = 0; k < name.n; k++)
            text[k] = name.p[k] >= 'a' && name.p[k] <= 'z' ? (char)(name.p[k] - 32) : name.p[k];
        CHECK_EQ(header_id_of(str_make(text, name.n)), rows[i].id);
        text[name.n] = 'x';
        CHECK_EQ(header_id_of(str_make(text, name.n + 1)), HDR_OTHER);
        text[0] = '~';
        CHECK_EQ(header_id_of(str_make(text, name.n)), HDR_OTHER);
    }
    CHECK_EQ(header_id_of(STR("")), HDR_OTHER);
    CHECK_EQ(header_id_of(STR_NONE), HDR_OTHER);
    CHECK_EQ(header_id_of(STR("x")), HDR_OTHER);
}

TEST(a_name_with_one_octet_changed_is_well_known_only_where_it_is_the_same_letter)
{
    for (size_t i = 0; i < LEN(rows) * 64 * 256; i++) {
        struct str name = str_of(rows[i / 64 / 256].name);
        size_t at = i / 256 % 64;
        char text[64];

        if (at >= name.n)
            continue;
        memcpy(text, name.p, name.n);
        text[at] = (char)i;
        if (header_id_of(str_make(text, name.n)) == rows[i / 64 / 256].id)
            CHECK(ascii_lower((char)i) == name.p[at]);
    }
}

static bool is_envoy(const struct header *h)
{
    return header_is_envoy(h->name);
}

TEST(a_header_list_keeps_order_and_counts_its_octets)
{
    struct arena *a = arena_new(1024);
    struct headers h = { 0 };
    struct header *one;

    headers_add(&h, a, STR("X-One"), STR("1"));
    headers_add(&h, a, STR("Host"), STR("x.test"));
    headers_add(&h, a, STR("x-one"), STR("2"));
    CHECK_EQ(h.octets, 5 + 1 + 4 + 6 + 5 + 1);
    one = headers_find_name(&h, STR("X-ONE"));
    CHECK_STRZ(one->value, "1");
    one = headers_next(&h, one);
    CHECK_STRZ(one->value, "2");
    CHECK(headers_next(&h, one) == NULL);
    CHECK_STRZ(headers_get(&h, HDR_HOST), "x.test");
    headers_set(&h, a, STR("x-one"), STR("three"));
    CHECK_EQ(h.n, 2);
    CHECK_STRZ(h.v[0].value, "three");
    CHECK_STRZ(h.v[0].name, "X-One");
    CHECK_STRZ(header_name_lower(&h.v[0], a), "x-one");
    CHECK_EQ(headers_remove_name(&h, STR("x-One")), 1);
    CHECK_EQ(h.octets, 10);
    headers_set_id(&h, a, HDR_SERVER, STR("istio-envoy"));
    CHECK_EQ(headers_remove(&h, HDR_HOST), 1);
    CHECK_EQ(headers_remove(&h, HDR_HOST), 0);
    CHECK_EQ(h.n, 1);
    CHECK_STRZ(h.v[0].name, "server");
    for (int i = 0; i < 100; i++)
        headers_add(&h, a, STR("X-Envoy-Foo"), STR("v"));
    CHECK_EQ(headers_remove_if(&h, HEADERS_MARK(HDR_VIA), is_envoy), 0);
    CHECK_EQ(headers_remove_if(&h, HEADERS_MARK(HDR_OTHER), is_envoy), 100);
    CHECK_EQ(h.octets, 6 + 11);
    arena_free(a);
}

TEST(token_lists_are_walked_over_empty_members_and_blanks)
{
    struct arena *a = arena_new(1024);
    struct headers h = { 0 };
    struct str rest = STR(" , a ,\tb,,c"), got = STR_NONE;

    CHECK(header_token_next(&rest, &got));
    CHECK_STRZ(got, "a");
    CHECK(header_token_next(&rest, &got));
    CHECK_STRZ(got, "b");
    CHECK(header_token_next(&rest, &got));
    CHECK_STRZ(got, "c");
    CHECK(!header_token_next(&rest, &got));
    headers_add(&h, a, STR("Connection"), STR("keep-alive"));
    headers_add(&h, a, STR("Connection"), STR("x-a, Upgrade"));
    CHECK(headers_have_token(&h, HDR_CONNECTION, STR("upgrade")));
    CHECK(!headers_have_token(&h, HDR_CONNECTION, STR("x")));
    arena_free(a);
}

TEST(methods_are_case_sensitive)
{
    CHECK_EQ(method_of(STR("GET")), METHOD_GET);
    CHECK_EQ(method_of(STR("get")), METHOD_UNKNOWN);
    CHECK_EQ(method_of(STR("PURGE")), METHOD_PURGE);
    CHECK_EQ(method_of(STR("M-SEARCH")), METHOD_M_SEARCH);
    CHECK_EQ(method_of(STR("GETX")), METHOD_UNKNOWN);
    CHECK_EQ(method_of(STR("")), METHOD_UNKNOWN);
    CHECK(method_is_idempotent(METHOD_PUT) && !method_is_idempotent(METHOD_POST));
    CHECK_STRZ(method_text(METHOD_TRACE), "TRACE");
}

TEST(values_may_hold_all_but_controls_wherever_they_stand)
{
    char text[40];

    for (size_t at = 0; at < sizeof(text); at++) {
        for (int c = 0; c < 256; c++) {
            memset(text, c & 1 ? 0xff : 'a', sizeof(text));
            text[at] = (char)c;
            CASE(c);
            CHECK_EQ(header_value_is_valid(str_make(text, sizeof(text))),
                     c == '\t' || (c >= 0x20 && c != 0x7f));
        }
    }
    CHECK(header_value_is_valid(STR("")) && header_value_is_valid(STR_NONE));
}
