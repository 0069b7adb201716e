#include "unit/http/rig.h"

#include "codec/h2/frame.h"
#include "codec/h2/h2.h"
#include "codec/h2/message.h"
#include "unit/check.h"

#define MS 1000000u
#define LIT(s) str_make(s, sizeof(s) - 1)

static void put(struct rig *r, struct str s)
{
    struct iovec iov = { (char *)(uintptr_t)s.p, s.n };

    CHECK_EQ(r->a->ops->writev(r->a, &iov, 1), s.n);
}

static void put_frame(struct rig *r, uint8_t type, uint8_t flags, uint32_t stream,
                      struct str payload)
{
    struct h2_head head = { (uint32_t)payload.n, stream, type, flags };
    char octets[H2_HEAD_LEN];

    h2_head_write(&head, octets);
    put(r, str_make(octets, sizeof(octets)));
    if (payload.n)
        put(r, payload);
}

/* All that came, frame by frame, as "type:stream=code"; `!` at the connection's end. */
static struct str came(struct rig *r, char *text, size_t size)
{
    static char octets[1 << 20];
    struct buf out;
    size_t n = 0, at = 0;
    ssize_t got;
    struct h2_head f;

    while ((got = r->a->ops->read(r->a, octets + n, sizeof(octets) - n)) > 0)
        n += (size_t)got;
    buf_init(&out, size);
    while (at < n && h2_head_read(str_make(octets + at, n - at), &f)) {
        const char *p = octets + at + H2_HEAD_LEN;

        buf_printf(&out, "%s%u:%u", out.n ? " " : "", f.type, f.stream);
        if (f.type == H2_RST_STREAM)
            buf_printf(&out, "=%u", h2_get32(p));
        if (f.type == H2_GOAWAY)
            buf_printf(&out, "=%u,%u", h2_get32(p), h2_get32(p + 4));
        at += H2_HEAD_LEN + f.len;
    }
    if (got != -ERR_AGAIN)
        buf_add(&out, STR(" !"));
    if (out.n)
        memcpy(text, out.p, out.n);
    n = out.n;
    buf_fini(&out);
    return str_make(text, n);
}

static struct str path_block(const char *path, char *text)
{
    size_t n = strlen(path);

    memcpy(text, "\x82\x86\x41\x01x\x04", 6);
    text[6] = (char)n;
    memcpy(text + 7, path, n);
    return str_make(text, n + 7);
}

/* The first HEADERS that came are an extended CONNECT. */
static void check_extended_connect(struct rig *r)
{
    struct hpack_limits limits = { 1000, 20 };
    struct headers fields = { 0 };
    struct hpack_decoder d;
    struct h2_message m;
    struct arena arena;
    struct h2_head f = { 0 };
    char octets[1000];
    size_t at = H2_PREFACE.n;
    ssize_t n = r->a->ops->read(r->a, octets, sizeof(octets));
    bool over;

    while (h2_head_read(str_make(octets + at, (size_t)n - at), &f) && f.type != H2_HEADERS)
        at += H2_HEAD_LEN + f.len;
    CHECK_EQ(f.type, H2_HEADERS);
    arena_init(&arena, 1000);
    hpack_decoder_init(&d, 4096);
    CHECK(!hpack_decode(&d, str_make(octets + at + H2_HEAD_LEN, f.len), &limits, &arena, &fields,
                        &over));
    CHECK(!h2_request_read(&fields, &arena, &m));
    CHECK_STRZ(m.method, "CONNECT");
    CHECK_STRZ(m.protocol, "websocket");
    CHECK_STRZ(m.path, "/upgrade");
    hpack_decoder_fini(&d);
    arena_fini(&arena);
}

static void begin_with(struct rig *r, struct str settings)
{
    char text[1000];

    rig_init_raw(r);
    put(r, H2_PREFACE);
    put_frame(r, H2_SETTINGS, 0, 0, settings);
    rig_settle(r);
    CHECK_STRZ(came(r, text, sizeof(text)), "4:0 8:0 4:0");
}

static void begin(struct rig *r)
{
    begin_with(r, STR(""));
    put_frame(r, H2_SETTINGS, H2_ACK, 0, STR(""));
}

TEST(a_connection_error_leaves_as_goaway_before_the_end)
{
    char text[1000], block[100];
    struct rig r;

    begin(&r);
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/never", block));
    rig_settle(&r);
    CHECK_EQ(r.exchanges, 1);
    put_frame(&r, H2_PING, 0, 1, LIT("12345678"));
    put_frame(&r, H2_PING, 0, 0, LIT("unread--"));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=1,1 !");
    CHECK_EQ(r.exchanges, 0); /* its legs failed at once */
    CHECK(r.down != NULL);    /* it lingers until the client closes */
    transport_close(r.a, false);
    r.a = NULL;
    rig_settle(&r);
    CHECK(r.down == NULL);
    rig_fini(&r);

    begin(&r); /* or for a second */
    put_frame(&r, H2_PING, 0, 1, LIT("12345678"));
    rig_settle(&r);
    CHECK(r.down != NULL);
    r.now_ns += 1100ull * 1000000;
    rig_settle(&r);
    CHECK(r.down == NULL);
    rig_fini(&r);
}

TEST(a_client_that_does_not_read_its_goaway_is_cut)
{
    struct rig r;
    char block[100];

    begin(&r);
    pipe_script(r.b)->capacity = 100;
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/size/60000", block));
    rig_settle(&r);
    put_frame(&r, H2_PING, 0, 1, LIT("12345678"));
    rig_settle(&r);
    CHECK(r.down != NULL);
    r.now_ns += 1100ull * 1000000;
    rig_settle(&r);
    CHECK(r.down == NULL);
    rig_fini(&r);
}

/* A stream came behind the last GOAWAY and was refused; then the connection is closed. */
TEST(the_last_stream_that_goaway_names_never_rises)
{
    char text[1000], block[100];
    struct rig r;

    begin(&r);
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/never", block));
    rig_settle(&r);
    http_conn_retire(r.down);
    rig_settle(&r);
    put_frame(&r, H2_PING, H2_ACK, 0, LIT("\0\0\0\0\0\0\0\0"));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=2147483647,0 6:0 7:0=1,0");
    put_frame(&r, H2_HEADERS, 5, 3, path_block("/never", block));
    rig_settle(&r);
    http_conn_close(r.down);
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "3:3=7 7:0=1,0 !");
    rig_fini(&r);
}

/* It had its last answer, and takes nothing of it for 30 s. */
TEST(a_client_that_does_not_read_its_last_answer_is_cut)
{
    char block[100], octets[50];
    struct rig r;

    begin(&r);
    pipe_script(r.b)->capacity = 100;
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/size/4000", block));
    rig_settle(&r);
    CHECK_EQ(r.exchanges, 0);
    http_conn_retire(r.down);
    rig_settle(&r);
    r.now_ns += 1100ull * MS; /* the PING behind GOAWAY is not answered */
    rig_settle(&r);
    r.now_ns += 29000ull * MS;
    rig_settle(&r);
    CHECK_EQ(r.a->ops->read(r.a, octets, sizeof(octets)), sizeof(octets));
    rig_settle(&r);
    r.now_ns += 29000ull * MS; /* it took some: another 30 s */
    rig_settle(&r);
    CHECK(r.down != NULL);
    r.now_ns += 2000ull * MS;
    rig_settle(&r);
    CHECK(r.down == NULL);
    rig_fini(&r);
}

TEST(retiring_waits_for_streams_that_are_under_way)
{
    char text[1000], block[100];
    struct rig r;

    begin(&r);
    http_conn_retire(r.down);
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=2147483647,0 6:0"); /* PING behind it */
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/size/2", block));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "1:1 0:1");
    put_frame(&r, H2_PING, H2_ACK, 0, LIT("\0\0\0\0\0\0\0\0"));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=1,0 !");
    rig_fini(&r);

    begin(&r); /* without an answer: a second */
    r.hold = true;
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/hold", block));
    rig_settle(&r);
    http_conn_retire(r.down);
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=2147483647,0 6:0");
    r.now_ns += 1100ull * 1000000;
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=1,0");
    put_frame(&r, H2_HEADERS, 4, 3, path_block("/echo", block)); /* too late */
    put_frame(&r, H2_DATA, 1, 3, LIT("x"));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "3:3=7");
    CHECK_EQ(r.requests, 1);
    rig_fini(&r);
}

TEST(fin_lets_whole_requests_finish_and_fails_the_others)
{
    char text[1000], block[100];
    struct rig r;

    begin(&r);
    r.hold = true;
    pipe_script(r.b)->capacity = 1 << 20;
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/hold", block));
    put_frame(&r, H2_HEADERS, 4, 3, path_block("/echo", block));
    put_frame(&r, H2_HEADERS, 5, 5, path_block("/size/100000", block)); /* above its window */
    rig_settle(&r);
    (void)came(&r, text, sizeof(text));
    r.a->ops->finish(r.a);
    rig_settle(&r);
    CHECK_EQ(r.exchanges, 1);
    CHECK(r.down != NULL);
    r.now_ns += 31000ull * 1000000;
    rig_settle(&r);
    CHECK(r.down == NULL);
    CHECK_EQ(r.exchanges, 0);
    rig_fini(&r);
}

TEST(a_head_that_trickles_is_cut_after_its_time)
{
    char text[1000], block[100];
    struct rig r;

    for (int how = 0; how < 3; how++) {
        CASE(how);
        begin(&r);
        if (how == 0)
            put_frame(&r, H2_HEADERS, 1, 1, path_block("/size/1", block)); /* no END_HEADERS */
        else if (how == 1)
            put(&r, LIT("\0\0\x64\1\5\0\0\0\1abc")); /* a part of HEADERS */
        rig_settle(&r);
        r.now_ns += 6000ull * 1000000;
        rig_settle(&r);
        CHECK_STRZ(came(&r, text, sizeof(text)), how == 2   ? ""
                                                 : how == 0 ? "7:0=1,11 !"
                                                            : "7:0=0,11 !");
        rig_fini(&r);
    }
}

TEST(a_head_above_the_limits_is_answered_431_and_may_be_reset_meanwhile)
{
    char text[1000], block[100];
    struct rig r;

    for (int reset = 0; reset < 2; reset++) {
        CASE(reset);
        begin(&r);
        r.settings.max_head_octets = 20;
        if (reset)
            pipe_script(r.b)->capacity = 1; /* the answer cannot leave */
        put_frame(&r, H2_HEADERS, 4, 1, path_block("/a-long-path-that-is-too-much", block));
        put_frame(&r, H2_DATA, 0, 1, LIT("x"));
        rig_settle(&r);
        CHECK_EQ(r.bad_requests, 1);
        CHECK_EQ(r.bad_status, 431);
        if (reset) {
            put_frame(&r, H2_RST_STREAM, 0, 1, LIT("\0\0\0\x8"));
            rig_settle(&r);
        } else {
            CHECK_STRZ(came(&r, text, sizeof(text)), "1:1 3:1=0");
        }
        CHECK_EQ(r.exchanges, 0);
        rig_fini(&r);
    }
}

TEST(all_frames_of_a_turn_leave_in_one_write)
{
    uint32_t before;
    char block[100];
    struct rig r;

    begin(&r);
    pipe_script(r.b)->capacity = 1 << 20;
    for (uint32_t i = 0; i < 100; i++)
        put_frame(&r, H2_HEADERS, 5, 2 * i + 1, path_block("/size/600", block));
    put_frame(&r, H2_PING, 0, 0, LIT("12345678"));
    before = pipe_writes(r.b);
    rig_settle(&r);
    CHECK_EQ(r.requests, 100);
    CHECK(pipe_waiting(r.a) > 100 * 600);
    CHECK_EQ(pipe_writes(r.b) - before, 2); /* PONG in the turn of arrival; the answers in theirs */
    rig_fini(&r);

    rig_init_raw_server(&r); /* a client's requests, bodies and all */
    put_frame(&r, H2_SETTINGS, 0, 0, STR(""));
    rig_settle(&r);
    before = pipe_writes(r.b);
    for (uint32_t i = 0; i < 10; i++)
        rig_call(&r, "POST", "/echo", 100);
    rig_settle(&r);
    CHECK_EQ(pipe_writes(r.b) - before, 1);
    CHECK(pipe_waiting(r.a) > 10 * 100);
    rig_fini(&r);
}

TEST(settings_that_are_not_acknowledged_end_the_connection)
{
    char text[1000], block[100];
    struct rig r;

    begin_with(&r, STR(""));
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/never", block));
    rig_settle(&r);
    r.now_ns += 59000ull * MS;
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "");
    r.now_ns += 2000ull * MS;
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=1,4 !");
    CHECK_EQ(r.exchanges, 0);
    CHECK_EQ(r.counts[H2_COUNT_SETTINGS_TIMEOUT], 1);
    CHECK_EQ(r.counts[H2_COUNT_ENDED], 1);
    rig_fini(&r);

    begin(&r);
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/never", block));
    rig_settle(&r);
    r.now_ns += 100000ull * MS;
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "");
    CHECK_EQ(r.exchanges, 1);
    rig_fini(&r);

    rig_init_raw_server(&r); /* a backend, too */
    put_frame(&r, H2_SETTINGS, 0, 0, STR(""));
    rig_call(&r, "GET", "/never", 0);
    rig_settle(&r);
    (void)came(&r, text, sizeof(text));
    r.now_ns += 61000ull * MS;
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "7:0=0,4 !");
    CHECK_EQ(r.calls[0].fail, LEG_PROTOCOL);
    CHECK_EQ(r.client_counts[H2_COUNT_SETTINGS_TIMEOUT], 1);
    rig_fini(&r);
}

#define MAX_LIST(n) LIT("\0\6\0\0\0" n)

TEST(a_head_that_a_client_does_not_take_is_answered_by_a_smaller_one)
{
    char text[1000], block[100];
    struct rig r;

    begin_with(&r, MAX_LIST("\xc8"));
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/heavy", block));
    put_frame(&r, H2_HEADERS, 5, 3, path_block("/size/2", block));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "1:3 0:3 1:1");
    CHECK_EQ(r.counts[H2_COUNT_PEER_HEADER_OVERFLOW], 1);
    CHECK_EQ(r.exchanges, 0);
    rig_fini(&r);

    begin_with(&r, MAX_LIST("\x20")); /* not even that one */
    put_frame(&r, H2_HEADERS, 5, 1, path_block("/heavy", block));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "3:1=2");
    CHECK_EQ(r.exchanges, 0);
    rig_fini(&r);

    begin_with(&r, MAX_LIST("\x2a")); /* the head, but not the trailers */
    put_frame(&r, H2_HEADERS, 4, 1, path_block("/echo", block));
    put_frame(&r, H2_HEADERS, 5, 1, LIT("\0\3x-t\x8longlong"));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "1:1 3:1=2");
    CHECK_EQ(r.counts[H2_COUNT_TRAILERS], 1);
    rig_fini(&r);
}

TEST(a_head_that_a_backend_does_not_take_is_not_sent)
{
    char text[1000];
    struct call *c;
    struct rig r;

    rig_init_raw_server(&r);
    put_frame(&r, H2_SETTINGS, 0, 0, MAX_LIST("\xc8"));
    rig_settle(&r);
    (void)came(&r, text, sizeof(text));
    c = rig_call(&r, "GET", "/", 0);
    headers_add(&c->head->headers, c->arena, STR("x-large"),
                STR("0123456789012345678901234567890123456789"));
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "");
    CHECK(c->done);
    CHECK_EQ(c->fail, LEG_TOO_LARGE);
    CHECK_EQ(r.client_counts[H2_COUNT_PEER_HEADER_OVERFLOW], 1);
    rig_call(&r, "GET", "/", 0);
    rig_settle(&r);
    CHECK_STRZ(came(&r, text, sizeof(text)), "1:3"); /* the other number goes unused */
    rig_fini(&r);
}

/* RFC 8441 on both sides: what HTTP/1 says by Upgrade. */
TEST(extended_connect_is_a_get_that_asks_for_an_upgrade)
{
    char text[1000];
    struct call *c;
    struct rig r;

    begin(&r);
    put_frame(&r, H2_HEADERS, 4, 1,
              LIT("\x42\7CONNECT\x86\x41\1x\x44\x8/upgrade\0\x9:protocol\x9websocket"));
    rig_settle(&r);
    CHECK_EQ(r.requests, 1); /* as the rig checks */
    CHECK_STRZ(came(&r, text, sizeof(text)), "1:1 3:1=0");
    rig_fini(&r);

    rig_init(&r, HTTP_2); /* not offered: not sent */
    c = rig_call(&r, "GET", "/upgrade", 0);
    c->head->upgrade = STR("websocket");
    rig_settle(&r);
    CHECK(c->done);
    CHECK_EQ(c->fail, LEG_PROTOCOL);
    CHECK_EQ(r.requests, 0);
    rig_fini(&r);

    rig_init_raw_server(&r);
    put_frame(&r, H2_SETTINGS, 0, 0, LIT("\0\x8\0\0\0\1"));
    c = rig_call(&r, "GET", "/upgrade", 0);
    c->head->upgrade = STR("websocket");
    rig_settle(&r);
    check_extended_connect(&r);
    rig_fini(&r);
}
