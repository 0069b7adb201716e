#include "net/listen.h"
#include "unit/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct addr loopback(uint16_t port)
{
    struct addr a;

    CHECK(addr_parse_ip(STR("127.0.0.1"), &a));
    a.port = port;
    return a;
}

/* A blocking client, connected. */
static int client_connect(uint16_t port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0)
        return fd;
    close(fd);
    return -1;
}

struct taker {
    struct acceptor a;
    int fds[512];
    size_t n, limit;
    struct addr peer;
};

static bool take(struct acceptor *a, int take_fd, const struct addr *peer)
{
    struct taker *t = CONTAINER_OF(a, struct taker, a);

    if (t->n == t->limit) {
        close(take_fd);
        return false;
    }
    t->fds[t->n++] = take_fd;
    t->peer = *peer;
    return true;
}

static void taker_start(struct taker *t, struct loop *l, int fd, bool shared)
{
    *t = (struct taker){ .a = { .accepted = take }, .limit = LEN(t->fds) };
    CHECK_EQ(acceptor_start(&t->a, l, fd, shared), ERR_OK);
}

static void taker_stop(struct taker *t)
{
    acceptor_stop(&t->a);
    for (size_t i = 0; i < t->n; i++)
        close(t->fds[i]);
    t->n = 0;
}

TEST(port_zero_is_filled_in_and_connections_are_accepted)
{
    struct loop *l = loop_new(NULL);
    struct addr at = loopback(0);
    struct taker t;
    int fd, client, on = 0;
    socklen_t n = sizeof(on);

    CHECK_EQ(listen_open(&at, &fd, 1), ERR_OK);
    CHECK(at.port != 0);
    taker_start(&t, l, fd, false);
    client = client_connect(at.port);
    CHECK(client >= 0);
    while (t.n == 0)
        loop_turn(l, 1000);
    CHECK_EQ(t.peer.family, 4);
    CHECK_EQ(t.peer.ip[0], 127);
    CHECK(getsockopt(t.fds[0], IPPROTO_TCP, TCP_NODELAY, &on, &n) == 0 && on != 0);
    close(client);
    taker_stop(&t);
    CHECK_EQ(client_connect(at.port), -1);
    loop_free(l);
}

TEST(every_address_means_ipv4_and_ipv6)
{
    struct loop *l = loop_new(NULL);
    struct addr at = { 0 };
    struct taker t;
    int fd, client;

    CHECK_EQ(listen_open(&at, &fd, 1), ERR_OK);
    CHECK_EQ(at.family, 0);
    taker_start(&t, l, fd, false);
    client = client_connect(at.port);
    CHECK(client >= 0);
    while (t.n == 0)
        loop_turn(l, 1000);
    CHECK_EQ(t.peer.family, 4); /* not ::ffff:127.0.0.1 */
    close(client);
    taker_stop(&t);
    loop_free(l);
}

TEST(a_group_shares_one_port_and_all_its_connections_arrive)
{
    struct loop *l = loop_new(NULL);
    struct addr at = loopback(0);
    struct taker t[4];
    int fds[4], clients[64];
    size_t all = 0;

    CHECK_EQ(listen_open(&at, fds, LEN(fds)), ERR_OK);
    for (size_t i = 0; i < LEN(t); i++)
        taker_start(&t[i], l, fds[i], false);
    for (size_t i = 0; i < LEN(clients); i++)
        clients[i] = client_connect(at.port);
    for (int turn = 0; turn < 100 && all < LEN(clients); turn++) {
        loop_turn(l, 10);
        all = t[0].n + t[1].n + t[2].n + t[3].n;
    }
    CHECK_EQ(all, LEN(clients));
    for (size_t i = 0; i < LEN(clients); i++)
        close(clients[i]);
    for (size_t i = 0; i < LEN(t); i++)
        taker_stop(&t[i]);
    loop_free(l);
}

TEST(a_taken_port_is_said_for_one_socket_and_for_groups)
{
    struct addr at = loopback(0), again;
    int fds[2], more[2];

    CHECK_EQ(listen_open(&at, fds, 2), ERR_OK);
    again = at;
    CHECK_EQ(listen_open(&again, more, 1), ERR_ADDRESS_IN_USE);
    CHECK_EQ(listen_open(&again, more, 2), ERR_ADDRESS_IN_USE);
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ(listen_open(&again, more, 2), ERR_OK);
    close(more[0]);
    close(more[1]);
}

TEST(listen_errors_name_the_reason)
{
    struct addr at;
    int fd;

    CHECK(addr_parse(STR("192.0.2.77:0"), &at));
    CHECK_EQ(listen_open(&at, &fd, 1), ERR_ADDRESS);
    if (geteuid() != 0) {
        at = loopback(1);
        CHECK_EQ(listen_open(&at, &fd, 1), ERR_ACCESS);
    }
}

TEST(stopping_accepts_what_waits_already)
{
    struct loop *l = loop_new(NULL);
    struct addr at = loopback(0);
    struct taker t;
    int fd, clients[3];

    CHECK_EQ(listen_open(&at, &fd, 1), ERR_OK);
    taker_start(&t, l, fd, true);
    for (size_t i = 0; i < LEN(clients); i++)
        clients[i] = client_connect(at.port);
    acceptor_stop(&t.a);
    CHECK_EQ(t.n, 3);
    acceptor_stop(&t.a);
    for (size_t i = 0; i < LEN(clients); i++)
        close(clients[i]);
    taker_stop(&t);
    loop_free(l);
}

TEST(at_a_limit_accepting_pauses_and_goes_on)
{
    struct loop *l = loop_new(NULL);
    struct addr at = loopback(0);
    struct taker t;
    int fd, clients[3];
    uint64_t start;

    CHECK_EQ(listen_open(&at, &fd, 1), ERR_OK);
    taker_start(&t, l, fd, false);
    t.limit = 1;
    for (size_t i = 0; i < LEN(clients); i++)
        clients[i] = client_connect(at.port);
    start = loop_now_ms(l);
    for (int i = 0; i < 5; i++)
        loop_turn(l, 2);
    CHECK_EQ(t.n, 1); /* the second was refused; the third waits */
    t.limit = 3;
    while (t.n < 2)
        loop_turn(l, 1000);
    CHECK(loop_now_ms(l) - start >= 90);
    for (size_t i = 0; i < LEN(clients); i++)
        close(clients[i]);
    taker_stop(&t);
    loop_free(l);
}

/* In a child, whose limit of descriptors it may lower. Exit codes name the step. */
static int run_out_of_descriptors(void)
{
    struct loop *l = loop_new(NULL);
    struct addr at = loopback(0);
    struct taker t = { .a = { .accepted = take }, .limit = LEN(t.fds) };
    struct rlimit limit;
    int fd, client, spare;

    if (listen_open(&at, &fd, 1) != ERR_OK || acceptor_start(&t.a, l, fd, false) != ERR_OK)
        return 1;
    client = client_connect(at.port);
    spare = dup(client);
    limit = (struct rlimit){ (rlim_t)spare, (rlim_t)spare + 10 };
    close(spare);
    if (client < 0 || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 2;
    loop_turn(l, 50);
    loop_turn(l, 50);
    if (t.n != 0 || t.a.accept_errors != 1) /* paused, not spinning */
        return 3;
    limit.rlim_cur += 10;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 4;
    for (int i = 0; i < 10 && t.n == 0; i++)
        loop_turn(l, 100);
    return t.n == 1 ? 0 : 5;
}

TEST(without_descriptors_accepting_waits_and_does_not_spin)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0)
        _exit(run_out_of_descriptors());
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST(loops_that_share_a_socket_lose_no_connection)
{
    struct loop *l[2] = { loop_new(NULL), loop_new(NULL) };
    struct addr at = loopback(0);
    struct taker t[2];
    int fd, clients[40];

    CHECK_EQ(listen_open(&at, &fd, 1), ERR_OK);
    taker_start(&t[0], l[0], dup(fd), true);
    taker_start(&t[1], l[1], fd, true);
    for (size_t i = 0; i < LEN(clients); i++)
        clients[i] = client_connect(at.port);
    for (int turn = 0; turn < 200 && t[0].n + t[1].n < LEN(clients); turn++)
        loop_turn(l[turn % 2], 5);
    CHECK_EQ(t[0].n + t[1].n, LEN(clients));
    taker_stop(&t[0]); /* the other goes on */
    close(client_connect(at.port));
    for (int turn = 0; turn < 200 && t[1].n == 0; turn++)
        loop_turn(l[1], 5);
    CHECK(t[1].n > 0);
    for (size_t i = 0; i < LEN(clients); i++)
        close(clients[i]);
    taker_stop(&t[1]);
    loop_free(l[0]);
    loop_free(l[1]);
}

/* Whether a port that is held for IPv6 is free for IPv4. */
static bool ipv4_stays_free(struct addr at)
{
    struct addr v4_at;
    int fds[2], v4;
    bool is_free;

    if (listen_open(&at, fds, 2) != ERR_OK)
        return true; /* a machine without IPv6 */
    v4_at = loopback(at.port);
    is_free = client_connect(at.port) == -1 && listen_open(&v4_at, &v4, 1) == ERR_OK;
    if (is_free)
        close(v4);
    close(fds[0]);
    close(fds[1]);
    return is_free;
}

TEST(an_ipv6_address_takes_no_ipv4)
{
    struct addr at;
    bool is_free = false;

    CHECK(addr_parse(STR("[::]:0"), &at));
    for (int i = 0; i < 8 && !is_free; i++) /* somebody else may hold the IPv4 port by chance */
        is_free = ipv4_stays_free(at);
    CHECK(is_free);
}

TEST(an_acceptor_may_stop_while_it_pauses)
{
    struct loop *l = loop_new(NULL);
    struct addr at = loopback(0);
    struct taker t;
    int fd, clients[2];

    CHECK_EQ(listen_open(&at, &fd, 1), ERR_OK);
    taker_start(&t, l, fd, false);
    t.limit = 0;
    for (size_t i = 0; i < LEN(clients); i++)
        clients[i] = client_connect(at.port);
    for (int i = 0; i < 5 && t.a.paused_fd < 0; i++)
        loop_turn(l, 10);
    CHECK(t.a.paused_fd >= 0);
    taker_stop(&t);
    CHECK_EQ(client_connect(at.port), -1);
    for (size_t i = 0; i < LEN(clients); i++)
        close(clients[i]);
    loop_free(l);
}
