#include "echo/grpc.h"

#include "echo/proto.h"
#include "unit/check.h"

#define LIT(s) str_make(s, sizeof(s) - 1)

TEST(fields_are_read_one_by_one_whatever_their_type)
{
    struct str in = LIT("\x0a\3abc\x10\x96\1\x19\1\2\3\4\5\6\7\x8\x25\1\0\0\x80\xfa\1\0");
    static const struct {
        uint32_t id;
        uint64_t number;
        const char *octets;
    } want[] = { { 1, 0, "abc" },
                 { 2, 150, NULL },
                 { 3, 0x0807060504030201, NULL },
                 { 4, 0x80000001, NULL },
                 { 31, 0, "" } };
    struct proto_field f;

    for (size_t i = 0; i < LEN(want); i++) {
        CASE(i);
        CHECK(proto_next(&in, &f));
        CHECK_EQ(f.id, want[i].id);
        CHECK_EQ(f.number, want[i].number);
        CHECK_EQ(str_is_set(f.octets), want[i].octets != NULL);
        if (want[i].octets)
            CHECK_STRZ(f.octets, want[i].octets);
    }
    CHECK_EQ(in.n, 0);
    CHECK(!proto_next(&in, &f));
}

TEST(broken_fields_are_not_read)
{
    static const struct str rows[] = {
        STR_INIT("\x0a"),
        STR_INIT("\x0a\4abc"),
        STR_INIT("\x10"),
        STR_INIT("\x10\x80"),
        STR_INIT("\x19\1\2"),
        STR_INIT("\x25\1"),
        STR_INIT("\x0b"),
        STR_INIT("\x02\1x"), /* a group; the id 0 */
        STR_INIT("\x80\x80\x80"),
        STR_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
        STR_INIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1x"),
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct str in = rows[i];
        struct proto_field f;

        CASE(i);
        CHECK(!proto_next(&in, &f));
        CHECK_EQ(in.n, rows[i].n); /* which tells it from the end */
    }
}

TEST(what_is_written_is_read_again)
{
    struct echo_identity who = { .name = STR("shop"), .version = STR("v2") };
    struct grpc_tell tell = {
        .who = &who, .message = STR("hello"), .index = 300, .requests = 1, .octets = 1u << 31
    };
    const struct grpc_method *m = grpc_method_of(STR("/lateen.echo.v1.Echo/Unary"));
    struct proto_field f;
    enum grpc_status status;
    const char *why;
    struct buf out;
    struct str in;
    uint32_t n;

    CHECK(m != NULL);
    buf_init(&out, 1000);
    CHECK(grpc_message_write(m, &tell, &out));
    CHECK(grpc_head_read(out.p, &n, &status, &why));
    in = str_from(buf_str(&out), GRPC_HEAD_LEN);
    CHECK_EQ(n, in.n);
    CHECK(proto_next(&in, &f));
    CHECK_STRZ(f.octets, "hello");
    CHECK(proto_next(&in, &f));
    CHECK_STRZ(f.octets, "shop");
    CHECK(proto_next(&in, &f));
    CHECK_STRZ(f.octets, "v2");
    CHECK(proto_next(&in, &f));
    CHECK_EQ(f.number, 300);
    CHECK(proto_next(&in, &f));
    CHECK(proto_next(&in, &f));
    CHECK_EQ(f.number, 1u << 31);
    CHECK_EQ(in.n, 0);
    buf_fini(&out);
    buf_init(&out, 10); /* no room */
    CHECK(!grpc_message_write(m, &tell, &out));
    buf_fini(&out);
}

TEST(a_request_asks_within_limits)
{
    const struct grpc_method *m = grpc_method_of(STR("/lateen.echo.v1.Echo/ServerStream"));
    struct grpc_ask ask;

    CHECK(m->read(STR(""), &ask));
    CHECK_EQ(ask.answers, 1);
    CHECK(
        m->read(LIT("\x0a\2hi\x10\xff\xff\xff\xff\xf\x18\xff\xff\xff\xff\xf\x20\5\x32\1x"), &ask));
    CHECK_STRZ(ask.message, "hi");
    CHECK_EQ(ask.answers, GRPC_ANSWERS_MAX);
    CHECK_EQ(ask.delay_ms, ECHO_DELAY_MAX_MS);
    CHECK_EQ(ask.status, 5);
    CHECK(!m->read(LIT("\x0a\3hi"), &ask));
    CHECK(!grpc_method_of(STR("/lateen.echo.v1.Echo/Unar")));
}

TEST(health_is_known_for_the_server_and_its_service)
{
    static const struct {
        const char *method;
        struct str message;
        uint32_t health, status;
    } rows[] = {
        { "/grpc.health.v1.Health/Check", STR_INIT(""), 1, 0 },
        { "/grpc.health.v1.Health/Check", STR_INIT("\x0a\x13lateen.echo.v1.Echo"), 1, 0 },
        { "/grpc.health.v1.Health/Check", STR_INIT("\x0a\1x"), 0, GRPC_NOT_FOUND },
        { "/grpc.health.v1.Health/Watch", STR_INIT(""), 1, 0 },
        { "/grpc.health.v1.Health/Watch", STR_INIT("\x0a\1x"), 3, 0 },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        const struct grpc_method *m = grpc_method_of(str_of(rows[i].method));
        struct grpc_ask ask;

        CASE(i);
        CHECK(m && m->read(rows[i].message, &ask));
        CHECK_EQ(ask.health, rows[i].health);
        CHECK_EQ(ask.status, rows[i].status);
    }
}

TEST(a_message_head_has_limits)
{
    static const struct {
        const char *octets;
        enum grpc_status status;
    } rows[] = { { "\0\0\x40\0\0", GRPC_OK },
                 { "\0\0\x40\0\1", GRPC_RESOURCE_EXHAUSTED },
                 { "\1\0\0\0\1", GRPC_UNIMPLEMENTED } };

    for (size_t i = 0; i < LEN(rows); i++) {
        enum grpc_status status = GRPC_OK;
        const char *why = NULL;
        uint32_t n = 0;

        CASE(i);
        CHECK_EQ(grpc_head_read(rows[i].octets, &n, &status, &why), rows[i].status == GRPC_OK);
        CHECK_EQ(status, rows[i].status);
        CHECK_EQ(why != NULL, rows[i].status != GRPC_OK);
    }
}
