/*
 * The HTTP/1 server driver over a socket pair and a clock that the test moves.
 */
#include "http/conn.h"
#include "http/h1_nap.h"
#include "net/net.h"

#include "unit/check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct bench {
    uint64_t now_ns;
    struct loop *loop;
    struct net *net;
    struct http_pools *pools;
    struct http_settings settings;
    struct http_server server;
    struct http_conn *conn;
    struct leg *leg;     /* of the request under way */
    struct arena *arena; /* the leg's, ours */
    struct task task;
    int requests, fd; /* fd: the client's end */
    bool is_closed;
    char got[4096];
};

static uint64_t bench_clock(void *arg)
{
    return ((struct bench *)arg)->now_ns;
}

static void bench_woken(struct task *t)
{
    (void)t;
}

static void bench_request(struct http_server *s, struct http_conn *c, struct leg *leg)
{
    struct bench *b = CONTAINER_OF(s, struct bench, server);

    (void)c;
    CHECK(b->leg == NULL);
    b->requests++;
    b->leg = leg;
    b->arena = leg->arena;
    leg->task = &b->task;
}

static void bench_closed(struct http_server *s, struct http_conn *c)
{
    struct bench *b = CONTAINER_OF(s, struct bench, server);

    (void)c;
    b->is_closed = true;
    b->conn = NULL;
}

static void bench_replaced(struct http_server *s, struct http_conn *old, struct http_conn *fresh)
{
    struct bench *b = CONTAINER_OF(s, struct bench, server);

    CHECK(b->conn == old);
    b->conn = fresh;
}

static void turn(struct bench *b)
{
    for (int i = 0; i < 5; i++)
        loop_turn(b->loop, 0);
}

static void pass(struct bench *b, uint64_t ms)
{
    b->now_ns += ms * 1000000;
    turn(b);
}

static void bench_start(struct bench *b)
{
    struct http_limits limits = { .max_connections = 4, .max_body_octets = 256 << 20 };
    struct loop_env env = { .mono_ns = bench_clock, .arg = b };
    struct addr peer = { .family = 4, .ip = { 192, 0, 2, 1 } };
    int fds[2];

    *b = (struct bench){ .now_ns = 1000000000 };
    b->settings = (struct http_settings){ .request_head_ms = 60000,
                                          .idle_ms = 3600000,
                                          .max_headers = 100,
                                          .max_head_octets = 61440,
                                          .buffer_limit = 65536 };
    b->server = (struct http_server){ .request = bench_request,
                                      .replaced = bench_replaced,
                                      .closed = bench_closed };
    b->loop = loop_new(&env);
    b->net = net_new(b->loop, 4);
    b->pools = http_pools_new(b->loop, &limits);
    task_init(&b->task, b->loop, bench_woken);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    b->fd = fds[1];
    b->conn = http_serve(b->pools, net_accept(b->net, fds[0], &peer, NULL), &b->server,
                         &b->settings);
    CHECK(b->conn != NULL);
    turn(b);
}

static void bench_release(struct bench *b)
{
    leg_release(b->leg);
    arena_give(b->pools, b->arena);
    b->leg = NULL;
    turn(b);
}

static void bench_stop(struct bench *b)
{
    if (b->leg)
        bench_release(b);
    if (b->conn)
        http_conn_close(b->conn);
    turn(b);
    CHECK(b->is_closed);
    task_cancel(&b->task);
    close(b->fd);
    http_pools_free(b->pools);
    CHECK_EQ(net_open_count(b->net), 0);
    net_free(b->net);
    loop_free(b->loop);
}

static void say(struct bench *b, const char *text)
{
    CHECK_EQ(send(b->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    turn(b);
}

static void answer(struct bench *b, uint16_t status, const char *body)
{
    struct head *head = head_new(b->arena);

    head->status = status;
    head->content_length = (int64_t)strlen(body);
    CHECK(bufq_copy(&b->leg->out, &b->pools->chunks, str_of(body)));
    b->leg->out_head = head;
    b->leg->out_end = true;
    leg_wake(b->leg);
    turn(b);
}

/* All that arrived at the client since the last call. */
static struct str heard(struct bench *b)
{
    size_t n = 0;
    ssize_t some;

    turn(b);
    while ((some = recv(b->fd, b->got + n, sizeof(b->got) - n, MSG_DONTWAIT)) > 0)
        n += (size_t)some;
    return str_make(b->got, n);
}

static bool client_sees_end(struct bench *b)
{
    char octet;

    turn(b);
    return recv(b->fd, &octet, 1, MSG_DONTWAIT) == 0;
}

TEST(a_head_that_trickles_in_has_the_time_of_one_head)
{
    struct bench b;

    bench_start(&b);
    say(&b, "G");
    for (int i = 0; i < 5; i++) {
        pass(&b, 10000);
        say(&b, "E");
        CHECK_EQ(b.requests, 0);
    }
    pass(&b, 9000);
    CHECK_EQ(b.requests, 0);
    pass(&b, 1500);
    CHECK_EQ(b.requests, 1);
    CHECK_EQ(b.leg->fail, LEG_TIMEOUT);
    CHECK_EQ(b.leg->fail_status, 408);
    answer(&b, 408, "");
    CHECK_STRZ(heard(&b), "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n"
                          "connection: close\r\n\r\n");
    bench_release(&b);
    CHECK(client_sees_end(&b));
    bench_stop(&b);
}

/* Nobody is there to answer: the owner must learn it, or waits for ever. */
TEST(a_connection_that_dies_before_its_408_is_sent_ends_the_exchange)
{
    struct bench b;

    bench_start(&b);
    say(&b, "G");
    pass(&b, 61000);
    CHECK_EQ(b.leg->fail, LEG_TIMEOUT);
    http_conn_close(b.conn);
    turn(&b);
    CHECK_EQ(b.leg->fail, LEG_GONE);
    CHECK(!b.leg->out_done);
    bench_release(&b);
    CHECK(b.is_closed);
    bench_stop(&b);
}

TEST(the_time_of_a_head_starts_anew_with_each_request)
{
    struct bench b;

    bench_start(&b);
    for (int i = 0; i < 3; i++) {
        say(&b, "GET / HTTP/1.1\r\nHo");
        pass(&b, 59000);
        say(&b, "st: x\r\n\r\n");
        CHECK_EQ(b.requests, i + 1);
        CHECK_EQ(b.leg->fail, LEG_OK);
        pass(&b, 100000); /* an exchange under way has no deadline here */
        answer(&b, 200, "ok");
        bench_release(&b);
        CHECK(str_ends(heard(&b), STR("\r\n\r\nok")));
        pass(&b, 100000); /* nor has an idle connection before idle_ms */
    }
    CHECK(!b.is_closed);
    bench_stop(&b);
}

TEST(an_idle_connection_ends_in_silence)
{
    struct bench b;

    bench_start(&b);
    pass(&b, 3599000);
    CHECK(!b.is_closed);
    pass(&b, 2000);
    CHECK(b.is_closed);
    CHECK_EQ(b.requests, 0);
    CHECK_EQ(heard(&b).n, 0);
    bench_stop(&b);
}

TEST(reading_stops_at_the_buffer_limit_and_goes_on_below_it)
{
    static char block[32768];
    struct bench b;
    size_t sent = 0;
    ssize_t n;

    bench_start(&b);
    say(&b, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
    for (int i = 0; i < 200; i++) {
        n = send(b.fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        turn(&b);
    }
    CHECK(b.leg->in.n >= 65536 && b.leg->in.n < 65536 + 16 * CHUNK_OCTETS);
    CHECK(sent < 2000000);
    for (int i = 0; i < 2000 && b.leg->in_octets < 10000000; i++) {
        bufq_reset(&b.leg->in);
        leg_wake(b.leg);
        n = send(b.fd, block, MIN(sizeof(block), 10000000 - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        turn(&b);
    }
    CHECK_EQ(b.leg->in_octets, 10000000);
    CHECK(b.leg->in_end);
    answer(&b, 200, "");
    bench_release(&b);
    CHECK(!b.is_closed);
    bench_stop(&b);
}

TEST(a_queue_holds_a_share_of_what_is_left_for_all)
{
    static const struct {
        size_t max, live, octets;
    } cases[] = {
        { 16384, 0, 65536 }, { 16384, 8192, 32768 }, { 16384, 16383, 4 }, { 16384, 16384, 1 },
        { 100, 0, 400 },     { 100, 200, 1 }, /* held: what it has and no more */
    };
    struct http_pools p = { 0 };

    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        p.chunks.chunks.max = cases[i].max;
        p.chunks.chunks.live = cases[i].live;
        CHECK_EQ(http_pools_room(&p), cases[i].octets);
    }
}

TEST(a_body_that_cannot_be_read_is_told_once_and_never_whole)
{
    struct bench b;

    bench_start(&b);
    say(&b, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    CHECK_EQ(b.leg->in.n, 5);
    CHECK_EQ(b.leg->fail, LEG_OK);
    say(&b, "5 \r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_EQ(b.leg->fail, LEG_BAD);
    CHECK_EQ(b.leg->fail_status, 400);
    CHECK(!b.leg->in_end);
    answer(&b, 400, "");
    CHECK(str_starts(heard(&b), STR("HTTP/1.1 400 Bad Request\r\n")));
    bench_release(&b);
    CHECK_EQ(b.requests, 1);
    CHECK(client_sees_end(&b));
    bench_stop(&b);
}

TEST(a_bad_body_behind_an_answer_ends_the_connection)
{
    struct bench b;

    bench_start(&b);
    say(&b, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    b.leg->out_head = head_new(b.arena);
    ((struct head *)(uintptr_t)b.leg->out_head)->status = 200;
    leg_wake(b.leg);
    turn(&b);
    say(&b, "x");
    CHECK_EQ(b.leg->fail, LEG_GONE);
    bench_release(&b);
    CHECK(b.is_closed);
    bench_stop(&b);
}

TEST(a_bad_head_behind_a_half_one_is_told)
{
    struct bench b;

    bench_start(&b);
    say(&b, "GET / HTTP/1.1\r\nHost: x\r\n");
    say(&b, "X: y\n\r\n");
    CHECK_EQ(b.leg->fail, LEG_BAD);
    answer(&b, 400, "");
    bench_release(&b);
    bench_stop(&b);
}

TEST(what_was_pipelined_before_a_fin_is_answered)
{
    struct bench b;

    bench_start(&b);
    say(&b, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HT");
    shutdown(b.fd, SHUT_WR);
    for (int i = 1; i <= 2; i++) {
        turn(&b);
        CHECK_EQ(b.requests, i);
        answer(&b, 200, i == 1 ? "one" : "two");
        bench_release(&b);
        CHECK(str_ends(heard(&b), i == 1 ? STR("\r\n\r\none") : STR("\r\n\r\ntwo")));
    }
    turn(&b);
    CHECK_EQ(b.requests, 2);
    CHECK(b.is_closed);
    bench_stop(&b);
}

TEST(a_client_that_leaves_fails_the_leg_and_frees_all)
{
    static const char *const parts[] = {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX",
    };

    for (size_t i = 0; i < LEN(parts); i++) {
        struct bench b;

        CASE(i);
        bench_start(&b);
        say(&b, parts[i]);
        CHECK_EQ(b.requests, 1);
        shutdown(b.fd, SHUT_RDWR);
        turn(&b);
        CHECK_EQ(b.leg->fail, LEG_GONE);
        CHECK(!b.leg->in_end);
        bench_release(&b);
        CHECK(b.is_closed);
        bench_stop(&b);
    }
}

TEST(a_connection_that_is_to_end_waits_a_second_for_its_first_request)
{
    struct bench b;

    bench_start(&b);
    http_conn_retire(b.conn);
    turn(&b);
    pass(&b, 999);
    CHECK(!b.is_closed);
    say(&b, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_EQ(b.requests, 1);
    pass(&b, 5000); /* the request has its own time */
    answer(&b, 200, "");
    CHECK_STRZ(heard(&b), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    bench_release(&b);
    CHECK(client_sees_end(&b));
    bench_stop(&b);

    bench_start(&b);
    http_conn_retire(b.conn);
    turn(&b);
    pass(&b, 1000);
    CHECK(b.is_closed);
    bench_stop(&b);
}

TEST(a_connection_that_is_to_end_and_was_used_ends_at_once)
{
    struct bench b;

    bench_start(&b);
    say(&b, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    answer(&b, 200, "");
    bench_release(&b);
    CHECK(heard(&b).n > 0);
    http_conn_retire(b.conn);
    CHECK(client_sees_end(&b));
    CHECK(b.is_closed);
    bench_stop(&b);
}

/* ---- naps ---- */

static void exchange_once(struct bench *b)
{
    say(b, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(b->leg != NULL);
    answer(b, 200, "");
    bench_release(b);
    CHECK_STRZ(str_sub(heard(b), 0, 15), "HTTP/1.1 200 OK");
}

static void fall_asleep(struct bench *b)
{
    bench_start(b);
    exchange_once(b);
    pass(b, 999);
    CHECK_EQ(b->pools->naps.live, 0);
    pass(b, 1);
    CHECK_EQ(b->pools->naps.live, 1);
    CHECK_EQ(b->pools->conns.live, 0);
    CHECK_EQ(net_open_count(b->net), 1);
    CHECK(http_conn_info(b->conn) == NULL);
}

TEST(an_idle_connection_is_kept_in_256_octets_and_goes_on_when_something_comes)
{
    struct addr remote, local;
    struct bench b;
    uint64_t id;

    CHECK(h1_nap_size() <= 256);
    fall_asleep(&b);
    CHECK(http_conn_addresses(b.conn, &remote, &local));
    CHECK(addr_eq(&remote, &(struct addr){ .family = 4, .ip = { 192, 0, 2, 1 } }));
    id = http_conn_id(b.conn);
    for (int i = 2; i < 5; i++) {
        say(&b, "GET / HT"); /* any octet wakes it */
        CHECK_EQ(b.pools->naps.live, 0);
        say(&b, "TP/1.1\r\nHost: x\r\n\r\n");
        CHECK_EQ(b.requests, i);
        answer(&b, 200, "");
        bench_release(&b);
        CHECK(heard(&b).n > 0);
        CHECK_EQ(http_conn_exchanges(b.conn), i);
        CHECK_EQ(http_conn_id(b.conn), id);
        pass(&b, 1000);
        CHECK_EQ(b.pools->naps.live, 1);
    }
    bench_stop(&b);
}

TEST(a_nap_does_not_lengthen_the_idle_time)
{
    struct bench b;

    fall_asleep(&b);
    pass(&b, 3600000 - 1001);
    CHECK(!b.is_closed);
    pass(&b, 1);
    CHECK(b.is_closed);
    CHECK_EQ(heard(&b).n, 0);
    CHECK(client_sees_end(&b));
    bench_stop(&b);
}

static void leave(struct bench *b)
{
    shutdown(b->fd, SHUT_WR);
    turn(b);
}

static void retire(struct bench *b)
{
    http_conn_retire(b->conn);
    turn(b);
}

static void end(struct bench *b)
{
    http_conn_close(b->conn);
    turn(b);
}

TEST(whoever_ends_a_connection_that_naps_ends_it)
{
    static void (*const ways[])(struct bench * b) = { leave, retire, end };

    for (size_t i = 0; i < LEN(ways); i++) {
        struct bench b;

        CASE(i);
        fall_asleep(&b);
        ways[i](&b);
        CHECK(b.is_closed);
        CHECK(client_sees_end(&b));
        CHECK_EQ(b.pools->naps.live, 0);
        bench_stop(&b);
    }
}

TEST(a_connection_that_was_told_to_drain_in_its_nap_says_so_with_the_next_answer)
{
    struct bench b;

    fall_asleep(&b);
    http_conn_drain(b.conn);
    turn(&b);
    CHECK(!b.is_closed);
    say(&b, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    answer(&b, 200, "");
    bench_release(&b);
    CHECK_STRZ(heard(&b), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    CHECK(client_sees_end(&b));
    bench_stop(&b);
}
