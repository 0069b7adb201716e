#include "net/listen.h"
#include "net/net.h"
#include "unit/check.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two transports of one net, connected over loopback. */
struct pair {
    struct loop *loop;
    struct net *net;
    struct acceptor acceptor;
    struct addr at;
    struct transport *server, *client;
    struct task server_task, client_task;
    int server_runs, client_runs;
};

static bool pair_accepted(struct acceptor *a, int take_fd, const struct addr *peer)
{
    struct pair *p = CONTAINER_OF(a, struct pair, acceptor);

    p->server = net_accept(p->net, take_fd, peer, &p->server_task);
    return p->server != NULL;
}

static void server_ran(struct task *t)
{
    CONTAINER_OF(t, struct pair, server_task)->server_runs++;
}

static void client_ran(struct task *t)
{
    CONTAINER_OF(t, struct pair, client_task)->client_runs++;
}

static void pair_init(struct pair *p, size_t max)
{
    int fd;

    *p = (struct pair){ .acceptor = { .accepted = pair_accepted } };
    p->loop = loop_new(NULL);
    p->net = net_new(p->loop, max);
    task_init(&p->server_task, p->loop, server_ran);
    task_init(&p->client_task, p->loop, client_ran);
    CHECK(addr_parse(STR("127.0.0.1:0"), &p->at));
    CHECK_EQ(listen_open(&p->at, &fd, 1), ERR_OK);
    CHECK_EQ(acceptor_start(&p->acceptor, p->loop, fd, false), ERR_OK);
}

static void pair_connect(struct pair *p)
{
    enum err e = ERR_OK;

    p->client = net_dial(p->net, &p->at, &p->client_task, &e);
    CHECK(p->client != NULL);
    CHECK_EQ(p->client->state, TRANSPORT_OPENING);
    while (!p->server || p->client->ops->advance(p->client) == TRANSPORT_OPENING)
        loop_turn(p->loop, 1000);
    CHECK_EQ(p->client->state, TRANSPORT_OPEN);
    CHECK_EQ(p->server->state, TRANSPORT_OPEN);
}

static void pair_fini(struct pair *p)
{
    transport_close(p->server, false);
    transport_close(p->client, false);
    acceptor_stop(&p->acceptor);
    CHECK_EQ(net_open_count(p->net), 0);
    net_free(p->net);
    loop_free(p->loop);
}

static ssize_t send_str(struct transport *t, struct str s)
{
    struct iovec iov = { (char *)(uintptr_t)s.p, s.n };

    return t->ops->writev(t, &iov, 1);
}

/* Turns until there is something to read (or an end). */
static ssize_t read_wait(struct pair *p, struct transport *t, char *into, size_t n)
{
    ssize_t got;

    while ((got = t->ops->read(t, into, n)) == -ERR_AGAIN)
        loop_turn(p->loop, 1000);
    return got;
}

TEST(octets_go_both_ways_and_addresses_agree)
{
    struct pair p;
    char in[64];

    pair_init(&p, 10);
    pair_connect(&p);
    CHECK(addr_eq(&p.client->info.local, &p.server->info.remote));
    CHECK(addr_eq(&p.client->info.remote, &p.server->info.local));
    CHECK_EQ(send_str(p.client, STR("ping")), 4);
    CHECK_EQ(read_wait(&p, p.server, in, sizeof(in)), 4);
    CHECK_STRZ(str_make(in, 4), "ping");
    CHECK(p.server->read_drained); /* a short read says so without a second recv */
    CHECK_EQ(p.server->ops->read(p.server, in, sizeof(in)), -ERR_AGAIN);
    CHECK_EQ(send_str(p.server, STR("pong")), 4);
    CHECK_EQ(read_wait(&p, p.client, in, sizeof(in)), 4);
    pair_fini(&p);
}

TEST(a_read_that_fills_the_room_is_not_drained)
{
    struct pair p;
    char in[64];

    pair_init(&p, 10);
    pair_connect(&p);
    CHECK_EQ(send_str(p.client, STR("abcdef")), 6);
    CHECK_EQ(read_wait(&p, p.server, in, 3), 3);
    CHECK(!p.server->read_drained);
    CHECK_EQ(p.server->ops->read(p.server, in, 3), 3);
    CHECK_EQ(p.server->ops->read(p.server, in, 3), -ERR_AGAIN);
    CHECK(p.server->read_drained);
    pair_fini(&p);
}

TEST(the_end_is_not_lost_behind_a_short_read)
{
    struct pair p;
    char in[64];

    /* octets and FIN in one readiness, then FIN after the short read */
    for (int apart = 0; apart < 2; apart++) {
        CASE(apart);
        pair_init(&p, 10);
        pair_connect(&p);
        CHECK_EQ(send_str(p.client, STR("bye")), 3);
        if (!apart)
            p.client->ops->finish(p.client);
        while (p.server->read_drained)
            loop_turn(p.loop, 1000);
        CHECK_EQ(p.server->ops->read(p.server, in, sizeof(in)), 3);
        if (apart)
            p.client->ops->finish(p.client);
        CHECK_EQ(read_wait(&p, p.server, in, sizeof(in)), -ERR_EOF);
        CHECK_EQ(p.server->ops->read(p.server, in, sizeof(in)), -ERR_EOF);
        /* the half that is left still carries */
        CHECK_EQ(send_str(p.server, STR("late")), 4);
        CHECK_EQ(read_wait(&p, p.client, in, sizeof(in)), 4);
        pair_fini(&p);
    }
}

TEST(a_reset_is_told_from_an_end)
{
    struct pair p;
    char in[64];

    pair_init(&p, 10);
    pair_connect(&p);
    transport_close(p.client, true);
    p.client = NULL;
    CHECK_EQ(read_wait(&p, p.server, in, sizeof(in)), -ERR_RESET);
    CHECK_EQ(send_str(p.server, STR("x")), -ERR_RESET);
    CHECK_EQ(p.server->ops->read(p.server, in, sizeof(in)), -ERR_RESET);
    pair_fini(&p);
}

TEST(a_refused_connect_fails_with_envoys_words)
{
    struct pair p;
    enum err e = ERR_OK;

    pair_init(&p, 10);
    acceptor_stop(&p.acceptor);
    p.client = net_dial(p.net, &p.at, &p.client_task, &e);
    if (!p.client) {
        CHECK_EQ(e, ERR_REFUSED);
    } else {
        while (p.client->ops->advance(p.client) == TRANSPORT_OPENING)
            loop_turn(p.loop, 1000);
        CHECK_EQ(p.client->state, TRANSPORT_FAILED);
        CHECK_EQ(p.client->info.failure, ERR_REFUSED);
        CHECK_STRZ(p.client->info.failure_text, "delayed connect error: Connection refused");
    }
    pair_fini(&p);
}

/* What stands for the socket when its connect is asked about is none. */
TEST(any_other_failed_connect_is_called_one)
{
    struct pair p;
    enum err e = ERR_OK;
    int fds[2], next;

    pair_init(&p, 10);
    CHECK(pipe(fds) == 0);
    next = dup(fds[0]);
    close(next);
    p.client = net_dial(p.net, &p.at, &p.client_task, &e);
    while (p.client_runs == 0)
        loop_turn(p.loop, 1000);
    CHECK_EQ(dup2(fds[0], next), next);
    CHECK_EQ(p.client->ops->advance(p.client), TRANSPORT_FAILED);
    CHECK_EQ(p.client->info.failure, ERR_IO);
    CHECK_STRZ(p.client->info.failure_text, "delayed connect error: input/output error");
    close(fds[0]);
    close(fds[1]);
    while (!p.server)
        loop_turn(p.loop, 1000);
    pair_fini(&p);
}

TEST(the_door_says_no_to_dialling_and_accepting)
{
    struct pair p;
    enum err e = ERR_OK;
    int fds[2];

    pair_init(&p, 2);
    pair_connect(&p);
    CHECK(net_dial(p.net, &p.at, &p.client_task, &e) == NULL);
    CHECK_EQ(e, ERR_LIMIT);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    CHECK(net_accept(p.net, fds[0], &p.at, &p.server_task) == NULL);
    CHECK_EQ(write(fds[0], "x", 1), -1); /* it was closed */
    close(fds[1]);
    CHECK_EQ(net_open_count(p.net), 2);
    pair_fini(&p);
}

/* Fills until AGAIN, then reads all of it at the other side, waking the writer again. */
TEST(a_full_socket_says_again_and_wakes_the_writer)
{
    static char out[65536], in[65536];
    struct pair p;
    size_t sent = 0, got = 0;
    ssize_t n;
    int wakes;

    pair_init(&p, 10);
    pair_connect(&p);
    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (char)i;
    while ((n = send_str(p.client, str_make(out, sizeof(out)))) > 0)
        sent += (size_t)n;
    CHECK_EQ(n, -ERR_AGAIN);
    wakes = p.client_runs;
    CHECK_EQ(send_str(p.client, str_make(out, 1)), -ERR_AGAIN);
    while (p.client_runs == wakes) {
        n = p.server->ops->read(p.server, in, sizeof(in));
        if (n > 0)
            got += (size_t)n;
        loop_turn(p.loop, 0);
    }
    CHECK(send_str(p.client, str_make(out, sizeof(out))) > 0);
    while (got < sent) {
        n = read_wait(&p, p.server, in, MIN(sizeof(in), sent - got));
        CHECK(n > 0);
        got += (size_t)n;
    }
    pair_fini(&p);
}

TEST(an_idle_connection_wakes_nobody)
{
    struct pair p;

    pair_init(&p, 10);
    pair_connect(&p);
    p.server_runs = p.client_runs = 0;
    for (int i = 0; i < 5; i++)
        loop_turn(p.loop, 1);
    CHECK_EQ(p.server_runs, 0);
    CHECK_EQ(p.client_runs, 0);
    pair_fini(&p);
}

TEST(an_answer_behind_a_reset_is_still_read)
{
    struct pair p;
    char in[64];

    pair_init(&p, 10);
    pair_connect(&p);
    CHECK_EQ(send_str(p.client, STR("unread")), 6);
    while (p.server->read_drained)
        loop_turn(p.loop, 1000);
    CHECK_EQ(send_str(p.server, STR("answer")), 6);
    transport_close(p.server, false); /* with octets unread: the kernel resets */
    p.server = NULL;
    for (int i = 0; i < 3; i++)
        loop_turn(p.loop, 1);
    CHECK_EQ(send_str(p.client, STR("more")), -ERR_RESET);
    CHECK_EQ(p.client->ops->read(p.client, in, sizeof(in)), 6);
    CHECK_STRZ(str_make(in, 6), "answer");
    CHECK_EQ(p.client->ops->read(p.client, in, sizeof(in)), -ERR_RESET);
    pair_fini(&p);
}
