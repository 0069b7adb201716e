#include "model/root.h"
#include "net/listen.h"
#include "net/net.h"
#include "unit/check.h"
#include "unit/tls/certs.h"
#include "unit/tls/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- OpenSSL's memory ---- */

/* The server's side: its nth allocation from now is refused, the others are not. */
static struct {
    bool armed;
    int before; /* so many are not before it; -1: none is */
} memory = { .before = -1 };

static bool is_refused(void)
{
    return memory.armed && memory.before-- == 0;
}

static void *memory_alloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return is_refused() ? NULL : malloc(n);
}

static void *memory_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return n && is_refused() ? NULL : realloc(p, n);
}

static void memory_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

/* Before OpenSSL's first allocation, or it refuses. */
__attribute__((constructor)) static void memory_take(void)
{
    MUST(CRYPTO_set_mem_functions(memory_alloc, memory_realloc, memory_free) == 1);
}

/* ---- a world of chains: a.test, *.b.test, both.test, bare.test ---- */

enum { SLOT_A, SLOT_B, SLOT_BOTH, SLOT_BARE, SLOT_MUTUAL, SLOTS };

static struct {
    struct tls_chooser chooser;
    struct cert ca, ec_a, ec_b, ec_both, rsa_both;
    struct slots *slots;
    struct root *root;
    slot_id chains[SLOTS];
    char sni[256];
    bool sni_set;
} world;

static const struct chain *world_choose(const struct tls_chooser *self, struct str sni,
                                        const struct root **ret_root)
{
    static const struct {
        struct str sni;
        slot_id chain;
    } names[] = {
        { STR_INIT("a.test"), SLOT_A },           { STR_INIT("x.b.test"), SLOT_B },
        { STR_INIT("both.test"), SLOT_BOTH },     { STR_INIT("bare.test"), SLOT_BARE },
        { STR_INIT("mutual.test"), SLOT_MUTUAL },
    };

    CHECK(self == &world.chooser);
    world.sni_set = sni.p != NULL;
    str_copy(sni, world.sni, sizeof(world.sni));
    *ret_root = world.root;
    for (size_t i = 0; i < LEN(names); i++) {
        if (str_eq(names[i].sni, sni))
            return root_chain(world.root, world.chains[names[i].chain]);
    }
    return NULL;
}

static slot_id secret_add(struct root_edit *e, const char *name, const struct cert *c)
{
    struct secret *s = part_new(PART_SECRET, str_of(name));
    struct str why = STR_NONE;

    s->part.slot = slots_of(world.slots, PART_SECRET, str_of(name));
    s->chain_pem = arena_dup(s->part.arena, buf_str(&c->chain_pem));
    s->key_pem = arena_dup(s->part.arena, buf_str(&c->key_pem));
    CHECK(part_finish(&s->part, &why));
    root_edit_set(e, &s->part);
    return s->part.slot;
}

static void chain_add(struct root_edit *e, int which, const char *name, uint8_t mode,
                      slot_id secret, slot_id more)
{
    static const char *const alpn[] = { "h2", "http/1.1" };
    struct chain *c = part_new(PART_CHAIN, str_of(name));
    struct arena *a = c->part.arena;
    struct str why = STR_NONE;

    c->part.slot = world.chains[which] = slots_of(world.slots, PART_CHAIN, str_of(name));
    c->tls.mode = mode;
    c->tls.client_ca = SLOT_NONE;
    c->http.routes = SLOT_NONE;
    c->tls.alpn.v = ARENA_ARRAY(a, struct str, 2);
    c->tls.alpn.n = 2;
    for (size_t i = 0; i < 2; i++)
        c->tls.alpn.v[i] = str_of(alpn[i]);
    c->secrets.v = ARENA_ARRAY(a, slot_id, 2);
    c->secrets.n = more == SLOT_NONE ? 1 : 2;
    c->secrets.v[0] = secret;
    c->secrets.v[1] = more;
    CHECK(part_finish(&c->part, &why));
    root_edit_set(e, &c->part);
}

static void world_end(void)
{
    root_unref(world.root);
    slots_free(world.slots);
    cert_fini(&world.ca);
    cert_fini(&world.ec_a);
    cert_fini(&world.ec_b);
    cert_fini(&world.ec_both);
    cert_fini(&world.rsa_both);
}

static void world_begin(void)
{
    struct root_edit *e;
    slot_id a, both;

    if (world.root)
        return;
    world.slots = slots_new();
    world.chooser.choose = world_choose;
    world.ca = cert_make("Test CA", NULL, ISSUE_EC_P256);
    world.ec_a = cert_make("a.test", &world.ca, ISSUE_EC_P256);
    world.ec_b = cert_make("*.b.test", &world.ca, ISSUE_EC_P256);
    world.ec_both = cert_make("both.test", &world.ca, ISSUE_EC_P256);
    world.rsa_both = cert_make("both.test", &world.ca, ISSUE_RSA);
    e = root_edit_new(NULL);
    a = secret_add(e, "a", &world.ec_a);
    chain_add(e, SLOT_A, "chain a", TLS_MODE_SIMPLE, a, SLOT_NONE);
    chain_add(e, SLOT_B, "chain b", TLS_MODE_SIMPLE, secret_add(e, "b", &world.ec_b), SLOT_NONE);
    both = secret_add(e, "both-ec", &world.ec_both);
    chain_add(e, SLOT_BOTH, "chain both", TLS_MODE_SIMPLE, both,
              secret_add(e, "both-rsa", &world.rsa_both));
    chain_add(e, SLOT_BARE, "chain bare", TLS_MODE_SIMPLE,
              slots_of(world.slots, PART_SECRET, STR("missing")), SLOT_NONE);
    chain_add(e, SLOT_MUTUAL, "chain mutual", TLS_MODE_MUTUAL, a, SLOT_NONE);
    world.root = root_edit_finish(e);
    atexit(world_end);
}

/* ---- a listening net and one connection ---- */

struct bed {
    struct loop *loop;
    struct net *net;
    struct acceptor acceptor;
    struct addr at;
    struct task task;
    struct transport *server;
    int runs;
};

static bool bed_accepted(struct acceptor *a, int take_fd, const struct addr *peer)
{
    struct bed *b = CONTAINER_OF(a, struct bed, acceptor);
    int small = 8192;

    (void)setsockopt(take_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    b->server = net_accept_tls(b->net, take_fd, peer, &b->task, &world.chooser);
    return b->server != NULL;
}

static void bed_ran(struct task *t)
{
    struct bed *b = CONTAINER_OF(t, struct bed, task);

    b->runs++;
    memory.armed = true;
    if (b->server && b->server->state == TRANSPORT_OPENING)
        b->server->ops->advance(b->server);
    memory.armed = false;
}

static void bed_init(struct bed *b)
{
    int fd;

    world_begin();
    *b = (struct bed){ .acceptor = { .accepted = bed_accepted } };
    b->loop = loop_new(NULL);
    b->net = net_new(b->loop, 100);
    task_init(&b->task, b->loop, bed_ran);
    CHECK(addr_parse(STR("127.0.0.1:0"), &b->at));
    CHECK_EQ(listen_open(&b->at, &fd, 1), ERR_OK);
    CHECK_EQ(acceptor_start(&b->acceptor, b->loop, fd, false), ERR_OK);
}

static void bed_fini(struct bed *b)
{
    transport_close(b->server, false);
    acceptor_stop(&b->acceptor);
    CHECK_EQ(net_open_count(b->net), 0);
    net_free(b->net);
    loop_free(b->loop);
}

static int bed_connect(struct bed *b)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(b->at.port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    b->server = NULL;
    while (!b->server)
        loop_turn(b->loop, 1000);
    return fd;
}

/* A client whose octets this test carries, `step` at a time. */
struct peer {
    struct client c;
    int fd;
    size_t step;
    bool ended;
};

static void peer_pump(struct peer *p)
{
    char octets[32768];
    struct str out = client_output(&p->c, p->step);
    ssize_t n;

    if (out.n) {
        n = send(p->fd, out.p, out.n, MSG_NOSIGNAL);
        client_output_done(&p->c, n > 0 ? (size_t)n : 0);
    }
    n = recv(p->fd, octets, sizeof(octets), 0);
    if (n > 0)
        client_input(&p->c, str_make(octets, (size_t)n));
    p->ended |= n == 0 || (n < 0 && errno != EAGAIN);
}

static void both_pump(struct bed *b, struct peer *p)
{
    peer_pump(p);
    loop_turn(b->loop, 0);
}

static void peer_start(struct bed *b, struct peer *p, const struct client_setup *s)
{
    *p = (struct peer){ .step = 65536 };
    client_init(&p->c, s);
    p->fd = bed_connect(b);
}

/* True when both sides are open. */
static bool peer_open(struct bed *b, struct peer *p, const struct client_setup *s)
{
    peer_start(b, p, s);
    for (int i = 0; i < 2000; i++) {
        enum client_state c = client_handshake(&p->c);

        both_pump(b, p);
        if (c == CLIENT_OPEN && b->server->state == TRANSPORT_OPEN)
            return true;
        if (c == CLIENT_FAILED || p->ended || b->server->state == TRANSPORT_FAILED)
            break;
        if (i > 20)
            usleep(100);
    }
    for (int i = 0; i < 50 && b->server->state == TRANSPORT_OPENING; i++)
        both_pump(b, p);
    return false;
}

static void peer_fini(struct peer *p)
{
    client_fini(&p->c);
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static void server_close(struct bed *b, bool reset)
{
    transport_close(b->server, reset);
    b->server = NULL;
}

static ssize_t server_read(struct bed *b, struct peer *p, char *into, size_t n)
{
    ssize_t got = -ERR_AGAIN;

    for (int i = 0; i < 100000 && got == -ERR_AGAIN; i++) {
        if (!b->server->read_drained)
            got = b->server->ops->read(b->server, into, n);
        if (got == -ERR_AGAIN)
            both_pump(b, p);
    }
    return got;
}

static void server_write(struct bed *b, struct str s)
{
    struct iovec iov = { (char *)(uintptr_t)s.p, s.n };

    CHECK_EQ(b->server->ops->writev(b->server, &iov, 1), s.n);
    CHECK_EQ(b->server->ops->flush(b->server), ERR_OK);
}

/* "ping" to the server, "pong" back: also brings the tickets over. */
static void exchange(struct bed *b, struct peer *p)
{
    char in[64];
    ssize_t n = -1;

    CHECK(client_write(&p->c, STR("ping")));
    CHECK_EQ(server_read(b, p, in, sizeof(in)), 4);
    server_write(b, STR("pong"));
    for (int i = 0; i < 1000 && n < 0; i++) {
        both_pump(b, p);
        n = client_read(&p->c, in, sizeof(in));
    }
    CHECK_EQ(n, 4);
    CHECK_STRZ(str_make(in, 4), "pong");
}

/* ---- the tests ---- */

TEST(both_versions_open_and_say_what_they_are)
{
    static const struct {
        int version;
        const char *sni, *want_version, *want_sni;
        slot_id chain;
    } rows[] = {
        { TLS1_3_VERSION, "a.test", "TLSv1.3", "a.test", SLOT_A },
        { TLS1_2_VERSION, "a.test", "TLSv1.2", "a.test", SLOT_A },
        { TLS1_3_VERSION, "X.b.TEST", "TLSv1.3", "x.b.test", SLOT_B },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct client_setup s = { .sni = rows[i].sni, .version = rows[i].version };
        struct bed b;
        struct peer p;

        CASE(i);
        bed_init(&b);
        CHECK(peer_open(&b, &p, &s));
        CHECK_STR(b.server->info.tls_version, str_of(rows[i].want_version));
        CHECK_STR(b.server->info.sni, str_of(rows[i].want_sni));
        CHECK_EQ(b.server->info.chain, world.chains[rows[i].chain]);
        CHECK(!str_is_set(b.server->info.alpn));
        CHECK(b.server->info.tls_cipher.n > 0);
        CHECK_STR(client_peer_name(&p.c),
                  rows[i].chain == SLOT_A ? STR("a.test") : STR("*.b.test"));
        exchange(&b, &p);
        peer_fini(&p);
        bed_fini(&b);
    }
}

TEST(a_client_without_a_chain_is_closed)
{
    static const struct {
        const char *sni;
        int version;
        enum err failure;
        const char *text;
    } rows[] = {
        { "unknown.test", 0, ERR_NOT_FOUND, "filter_chain_not_found" },
        { NULL, 0, ERR_NOT_FOUND, "filter_chain_not_found" },
        { "bare.test", 0, ERR_NOT_FOUND, "TLS error: Secret is not supplied by SDS" },
        { "mutual.test", 0, ERR_NOT_FOUND, "TLS error: Secret is not supplied by SDS" },
        { "a.test", TLS1_1_VERSION, ERR_TLS,
          "TLS_error:|268435696:SSL_routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL:TLS_error_end" },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct client_setup s = { .sni = rows[i].sni, .version = rows[i].version };
        struct bed b;
        struct peer p;

        CASE(i);
        bed_init(&b);
        CHECK(!peer_open(&b, &p, &s));
        CHECK_EQ(b.server->state, TRANSPORT_FAILED);
        CHECK_EQ(b.server->info.failure, rows[i].failure);
        CHECK_STR(b.server->info.failure_text, str_of(rows[i].text));
        CHECK_EQ(world.sni_set, rows[i].sni != NULL);
        peer_fini(&p);
        bed_fini(&b);
    }
}

TEST(octets_that_are_no_tls_fail_at_once)
{
    static const struct {
        struct str octets;
        enum err failure;
    } rows[] = {
        { STR_INIT("GET / HTTP/1.1\r\n"), ERR_TLS },
        { STR_INIT("P"), ERR_TLS },
        { STR_INIT("\x16\x03\x01\x00\x05\x02rest"), ERR_TLS }, /* a ServerHello */
        { STR_INIT("\x16\x03\x01\x40\x01"), ERR_TLS },         /* a record too long */
        { STR_INIT(""), ERR_EOF },
        { STR_INIT("\x16\x03\x01\x01\x00\x01\x00"), ERR_EOF }, /* cut in the middle */
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct bed b;
        int fd;

        CASE(i);
        bed_init(&b);
        fd = bed_connect(&b);
        CHECK_EQ(send(fd, rows[i].octets.p, rows[i].octets.n, 0), rows[i].octets.n);
        if (rows[i].failure == ERR_EOF)
            shutdown(fd, SHUT_WR);
        for (int k = 0; k < 100 && b.server->state == TRANSPORT_OPENING; k++)
            loop_turn(b.loop, 10);
        CHECK_EQ(b.server->state, TRANSPORT_FAILED);
        CHECK_EQ(b.server->info.failure, rows[i].failure);
        close(fd);
        bed_fini(&b);
    }
}

TEST(the_servers_order_of_protocols_counts_and_foreign_ones_are_ignored)
{
    static const struct {
        const char *offered, *chosen;
    } rows[] = {
        { "\x08http/1.1\x02h2", "h2" },
        { "\x08http/1.1", "http/1.1" },
        { "\x06spdy/1", NULL },
        { NULL, NULL },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct client_setup s = { .sni = "a.test", .alpn = rows[i].offered };
        struct bed b;
        struct peer p;

        CASE(i);
        bed_init(&b);
        CHECK(peer_open(&b, &p, &s));
        CHECK_STR(b.server->info.alpn, rows[i].chosen ? str_of(rows[i].chosen) : STR_NONE);
        CHECK_EQ(str_is_set(b.server->info.alpn), rows[i].chosen != NULL);
        peer_fini(&p);
        bed_fini(&b);
    }
}

TEST(of_two_certificates_the_client_gets_the_one_it_can_check)
{
    static const struct {
        const char *sigalgs;
        bool is_rsa;
    } rows[] = {
        { "ECDSA+SHA256", false },
        { "RSA-PSS+SHA256:RSA+SHA256", true },
    };

    for (size_t i = 0; i < 2 * LEN(rows); i++) {
        struct client_setup s = { .sni = "both.test",
                                  .sigalgs = rows[i / 2].sigalgs,
                                  .version = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION };
        struct bed b;
        struct peer p;

        CASE(i);
        bed_init(&b);
        CHECK(peer_open(&b, &p, &s));
        CHECK_EQ(client_peer_is_rsa(&p.c), rows[i / 2].is_rsa);
        peer_fini(&p);
        bed_fini(&b);
    }
}

/* Opens with the session of before, keeps the new one, and says whether it was resumed. */
static bool resumes(struct bed *b, struct client_session *session, const char *sni, int version)
{
    struct client_setup s = { .sni = sni, .version = version, .session = session };
    struct peer p;
    bool resumed;

    CHECK(peer_open(b, &p, &s));
    resumed = b->server->info.tls_resumed;
    exchange(b, &p);
    client_keep_session(&p.c, session);
    server_close(b, false);
    peer_fini(&p);
    return resumed;
}

TEST(a_session_resumes_at_another_worker_but_at_no_other_chain)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t i = 0; i < LEN(versions); i++) {
        struct client_session session = { NULL }, fixed = { NULL };
        struct bed one, two;

        CASE(i);
        bed_init(&one);
        bed_init(&two);
        CHECK(!resumes(&one, &session, "a.test", versions[i]));
        client_session_copy(&fixed, &session);
        CHECK(resumes(&two, &session, "a.test", versions[i]));
        /* a TLS 1.3 client may use a ticket once: it has got the next one */
        if (versions[i] == TLS1_3_VERSION)
            CHECK(!str_eq(client_session_ticket(&session), client_session_ticket(&fixed)));
        CHECK(resumes(&one, &session, "A.test", versions[i]));
        CHECK(!resumes(&two, &session, "x.b.test", versions[i]));
        /* keys last for two rotations */
        CHECK(resumes(&one, &session, "x.b.test", versions[i]));
        client_session_copy(&fixed, &session);
        net_tickets_rotate();
        net_tickets_rotate();
        CHECK(resumes(&two, &fixed, "x.b.test", versions[i]));
        client_session_copy(&fixed, &session);
        net_tickets_rotate();
        CHECK(!resumes(&two, &fixed, "x.b.test", versions[i]));
        /* and an old one is renewed when used */
        CHECK(resumes(&two, &fixed, "x.b.test", versions[i]));
        client_session_free(&session);
        client_session_free(&fixed);
        bed_fini(&one);
        bed_fini(&two);
    }
}

static void fill(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 7 + i / 251);
}

TEST(octets_may_come_one_by_one)
{
    static char out[20000], in[20000];
    struct client_setup s = { .sni = "a.test" };
    struct bed b;
    struct peer p;
    size_t got = 0;

    fill(out, sizeof(out));
    bed_init(&b);
    peer_start(&b, &p, &s);
    p.step = 1;
    while (b.server->state == TRANSPORT_OPENING) {
        client_handshake(&p.c);
        both_pump(&b, &p);
    }
    CHECK_EQ(b.server->state, TRANSPORT_OPEN);
    CHECK(client_write(&p.c, str_make(out, sizeof(out))));
    while (got < sizeof(in)) {
        ssize_t n = server_read(&b, &p, in + got, sizeof(in) - got);

        CHECK(n > 0);
        got += (size_t)n;
    }
    CHECK(memcmp(in, out, sizeof(in)) == 0);
    peer_fini(&p);
    bed_fini(&b);
}

TEST(reads_of_any_size_give_the_same_octets)
{
    static const size_t sizes[] = { 1, 7, 1000, 16383, 16384, 16385, 100000 };
    static char out[100000], in[100000];

    fill(out, sizeof(out));
    for (size_t i = 0; i < LEN(sizes); i++) {
        struct client_setup s = { .sni = "a.test" };
        struct bed b;
        struct peer p;
        size_t got = 0;

        CASE(i);
        bed_init(&b);
        CHECK(peer_open(&b, &p, &s));
        memset(in, 0, sizeof(in));
        CHECK(client_write(&p.c, str_make(out, sizeof(out))));
        while (got < sizeof(in)) {
            ssize_t n = server_read(&b, &p, in + got, MIN(sizes[i], sizeof(in) - got));

            CHECK(n > 0);
            got += (size_t)n;
        }
        CHECK(memcmp(in, out, sizeof(in)) == 0);
        peer_fini(&p);
        bed_fini(&b);
    }
}

/* Two connections of one worker share the buffer for received octets. */
TEST(what_a_reader_leaves_is_kept_while_others_receive)
{
    static char out[60000], in[60000];
    struct client_setup s = { .sni = "a.test" };
    struct transport *first, *second;
    struct bed b;
    struct peer p, q;
    size_t got = 0;
    ssize_t n;

    fill(out, sizeof(out));
    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    first = b.server;
    CHECK(peer_open(&b, &q, &s));
    second = b.server;
    CHECK(client_write(&p.c, str_make(out, sizeof(out))));
    CHECK(client_write(&q.c, STR("other")));
    while (got < sizeof(in)) {
        b.server = first;
        n = server_read(&b, &p, in + got, MIN(999, sizeof(in) - got));
        CHECK(n > 0);
        got += (size_t)n;
        peer_pump(&q);
        loop_turn(b.loop, 0);
        n = second->ops->read(second, out, 2); /* takes the shared buffer */
        CHECK(n > 0 || n == -ERR_AGAIN);
        if (n > 0)
            fill(out, sizeof(out));
        CHECK(client_write(&q.c, STR("x")));
    }
    CHECK(memcmp(in, out, sizeof(in)) == 0);
    transport_close(first, false);
    b.server = second;
    peer_fini(&p);
    peer_fini(&q);
    bed_fini(&b);
}

TEST(a_slow_reader_holds_the_writer_back)
{
    static char out[1 << 20], in[1 << 20];
    struct client_setup s = { .sni = "a.test" };
    struct bed b;
    struct peer p;
    size_t sent = 0, got = 0;
    bool was_full = false;
    enum err flushed = ERR_AGAIN;

    fill(out, sizeof(out));
    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    while (got < sizeof(in)) {
        ssize_t n = 1;

        while (sent < sizeof(out) && n > 0) { /* in uneven pieces, some of them empty */
            size_t a = MIN(11, sizeof(out) - sent), c = MIN(40000, sizeof(out) - sent - a);
            struct iovec iov[3] = { { out + sent, a }, { NULL, 0 }, { out + sent + a, c } };

            n = b.server->ops->writev(b.server, iov, 3);
            CHECK(n > 0 || n == -ERR_AGAIN);
            sent += n > 0 ? (size_t)n : 0;
        }
        was_full |= n == -ERR_AGAIN;
        flushed = b.server->ops->flush(b.server);
        both_pump(&b, &p);
        n = client_read(&p.c, in + got, sizeof(in) - got);
        got += n > 0 ? (size_t)n : 0;
    }
    CHECK(was_full);
    CHECK_EQ(flushed, ERR_OK);
    CHECK(memcmp(in, out, sizeof(in)) == 0);
    peer_fini(&p);
    bed_fini(&b);
}

TEST(the_end_is_told_from_a_cut)
{
    static const struct {
        bool notice, inside, reset;
        ssize_t want;
        bool truncated;
    } rows[] = {
        { true, false, false, -ERR_EOF, false },
        { false, false, false, -ERR_EOF, true },
        { false, true, false, -ERR_RESET, true },
        { false, false, true, -ERR_RESET, false },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct client_setup s = { .sni = "a.test" };
        struct linger none = { .l_onoff = 1 };
        struct bed b;
        struct peer p;
        char in[64];

        CASE(i);
        bed_init(&b);
        CHECK(peer_open(&b, &p, &s));
        exchange(&b, &p);
        CHECK(client_write(&p.c, STR("last")));
        if (rows[i].notice)
            client_shutdown(&p.c);
        peer_pump(&p);
        if (rows[i].inside)
            CHECK_EQ(send(p.fd, "\x17\x03\x03\x01\x00xyz", 8, 0), 8);
        if (rows[i].reset)
            setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        else
            CHECK_EQ(server_read(&b, &p, in, sizeof(in)), 4);
        close(p.fd);
        p.fd = -1;
        if (rows[i].reset) {
            for (int k = 0; k < 5; k++)
                loop_turn(b.loop, 1);
            while ((b.server->ops->read(b.server, in, sizeof(in))) > 0)
                ;
        }
        for (int k = 0; k < 5; k++)
            loop_turn(b.loop, 1);
        CHECK_EQ(b.server->ops->read(b.server, in, sizeof(in)), rows[i].want);
        CHECK_EQ(b.server->info.truncated, rows[i].truncated);
        CHECK_EQ(b.server->ops->read(b.server, in, sizeof(in)), rows[i].want);
        peer_fini(&p);
        bed_fini(&b);
    }
}

/* The last octets, close_notify and FIN in one readiness: the end must be noticed though the
 * read before it was short. */
TEST(the_end_behind_a_short_read_leaves_the_transport_readable)
{
    struct client_setup s = { .sni = "a.test" };
    struct bed b;
    struct peer p;
    char in[64];

    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    exchange(&b, &p);
    CHECK(client_write(&p.c, STR("last")));
    client_shutdown(&p.c);
    CHECK_EQ(server_read(&b, &p, in, sizeof(in)), 4);
    CHECK(!b.server->read_drained);
    CHECK_EQ(b.server->ops->read(b.server, in, sizeof(in)), -ERR_EOF);
    peer_fini(&p);
    bed_fini(&b);
}

TEST(after_our_end_reading_goes_on)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t i = 0; i < LEN(versions); i++) {
        struct client_setup s = { .sni = "a.test", .version = versions[i] };
        struct bed b;
        struct peer p;
        char in[64];
        ssize_t n = -1;

        CASE(i);
        bed_init(&b);
        CHECK(peer_open(&b, &p, &s));
        exchange(&b, &p);
        server_write(&b, STR("bye"));
        b.server->ops->finish(b.server);
        for (int k = 0; k < 100 && !p.ended; k++)
            both_pump(&b, &p);
        CHECK(p.ended);
        CHECK_EQ(client_read(&p.c, in, sizeof(in)), 3);
        n = client_read(&p.c, in, sizeof(in));
        CHECK_EQ(n, -1);
        CHECK(client_was_notified(&p.c));
        CHECK(client_write(&p.c, STR("late")));
        CHECK_EQ(server_read(&b, &p, in, sizeof(in)), 4);
        peer_fini(&p);
        bed_fini(&b);
    }
}

TEST(damaged_records_end_the_connection_with_an_alert)
{
    struct client_setup s = { .sni = "a.test" };
    struct bed b;
    struct peer p;
    char in[64];

    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    exchange(&b, &p);
    CHECK_EQ(send(p.fd, "\x17\x03\x03\x00\x18this is no cipher text..", 29, 0), 29);
    CHECK_EQ(server_read(&b, &p, in, sizeof(in)), -ERR_TLS);
    CHECK_EQ(b.server->ops->read(b.server, in, sizeof(in)), -ERR_TLS);
    CHECK_STRZ(b.server->info.failure_text, "TLS_error:|268435737:SSL_routines:OPENSSL_internal:"
                                            "DECRYPTION_FAILED_OR_BAD_RECORD_MAC:TLS_error_end");
    for (int i = 0; i < 10; i++)
        both_pump(&b, &p);
    CHECK_EQ(client_read(&p.c, in, sizeof(in)), -1);
    CHECK(client_failed_by_alert(&p.c));
    peer_fini(&p);
    bed_fini(&b);
}

TEST(an_open_connection_at_rest_wakes_nobody)
{
    struct client_setup s = { .sni = "a.test" };
    struct bed b;
    struct peer p;

    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    exchange(&b, &p);
    CHECK(b.server->read_drained);
    b.runs = 0;
    for (int i = 0; i < 5; i++)
        loop_turn(b.loop, 1);
    CHECK_EQ(b.runs, 0);
    peer_fini(&p);
    bed_fini(&b);
}

/* ---- openssl s_client as the peer ---- */

struct tool {
    pid_t pid;
    int in, out;
};

static struct tool tool_start(struct bed *b, const char *version, const char *name)
{
    char port[32];
    int to[2], from[2];
    struct tool t;

    snprintf(port, sizeof(port), "127.0.0.1:%u", b->at.port);
    CHECK(pipe(to) == 0 && pipe(from) == 0);
    t.pid = fork();
    if (t.pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        dup2(from[1], 2);
        for (int fd = 3; fd < 256; fd++)
            close(fd);
        execlp("openssl", "openssl", "s_client", "-connect", port, "-servername", name, version,
               "-quiet", "-alpn", "http/1.1", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    t.in = to[1];
    t.out = from[0];
    CHECK(fcntl(t.out, F_SETFL, O_NONBLOCK) == 0);
    return t;
}

static void tool_end(struct tool *t)
{
    int status = -1;

    close(t->in);
    close(t->out);
    kill(t->pid, SIGKILL);
    CHECK(waitpid(t->pid, &status, 0) == t->pid);
}

TEST(openssl_s_client_is_served)
{
    static const char *const versions[] = { "-tls1_2", "-tls1_3" };

    for (size_t i = 0; i < LEN(versions); i++) {
        char in[64], said[4096] = "";
        size_t n = 0;
        ssize_t got = -ERR_AGAIN;
        struct tool t;
        struct bed b;

        CASE(i);
        bed_init(&b);
        t = tool_start(&b, versions[i], "a.test");
        CHECK_EQ(write(t.in, "ping\n", 5), 5);
        for (int k = 0; k < 500 && got == -ERR_AGAIN; k++) {
            loop_turn(b.loop, 10);
            if (b.server && b.server->state == TRANSPORT_OPEN)
                got = b.server->ops->read(b.server, in, sizeof(in));
        }
        CHECK_EQ(got, 5);
        CHECK_STRZ(b.server->info.alpn, "http/1.1");
        server_write(&b, STR("pong from here"));
        b.server->ops->finish(b.server);
        for (int k = 0; k < 500 && !strstr(said, "pong from here"); k++) {
            ssize_t more = read(t.out, said + n, sizeof(said) - 1 - n);

            n += more > 0 ? (size_t)more : 0;
            said[n] = '\0';
            loop_turn(b.loop, 10);
        }
        CHECK(strstr(said, "pong from here") != NULL);
        tool_end(&t);
        bed_fini(&b);
    }
}

TEST(a_client_that_guesses_another_group_is_asked_again)
{
    struct client_setup s = { .sni = "a.test", .groups = "P-384:P-256" };
    struct bed b;
    struct peer p;

    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    exchange(&b, &p);
    peer_fini(&p);
    bed_fini(&b);
}

TEST(a_ticket_leaves_with_the_answer_to_the_request_that_came_with_the_handshake)
{
    struct client_setup s = { .sni = "a.test", .version = TLS1_3_VERSION };
    struct bed b;
    struct peer p;
    char in[4096];

    bed_init(&b);
    peer_start(&b, &p, &s);
    for (int i = 0; i < 2000 && client_handshake(&p.c) != CLIENT_OPEN; i++)
        both_pump(&b, &p);
    CHECK(client_write(&p.c, STR("ping"))); /* in one segment with its Finished */
    CHECK_EQ(server_read(&b, &p, in, sizeof(in)), 4);
    CHECK_EQ(b.server->ops->read(b.server, in, sizeof(in)), -ERR_AGAIN);
    CHECK_EQ(b.server->ops->flush(b.server), ERR_OK);
    CHECK_EQ(recv(p.fd, in, sizeof(in), 0), -1);
    server_write(&b, STR("pong"));
    CHECK(recv(p.fd, in, sizeof(in), 0) > 150); /* ticket and answer */
    peer_fini(&p);
    bed_fini(&b);
}

TEST(a_client_may_update_its_keys)
{
    struct client_setup s = { .sni = "a.test", .version = TLS1_3_VERSION };
    struct bed b;
    struct peer p;

    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    for (int i = 0; i < 50; i++) {
        client_update_keys(&p.c);
        exchange(&b, &p);
    }
    peer_fini(&p);
    bed_fini(&b);
}

/* CVE-2026-118899: a flood of messages that carry no data ends, and within a turn. */
TEST(a_client_that_updates_its_keys_without_end_is_cut)
{
    struct client_setup s = { .sni = "a.test", .version = TLS1_3_VERSION };
    struct bed b;
    struct peer p;
    char in[64];
    ssize_t got = -ERR_AGAIN;
    int n = 0;

    bed_init(&b);
    CHECK(peer_open(&b, &p, &s));
    for (; n < 10000 && got == -ERR_AGAIN; n++) {
        client_update_keys(&p.c);
        (void)client_write(&p.c, STR("")); /* the update leaves with it */
        (void)client_handshake(&p.c);
        both_pump(&b, &p);
        if (!b.server->read_drained)
            got = b.server->ops->read(b.server, in, sizeof(in));
    }
    CHECK_EQ(got, -ERR_TLS);
    CHECK(n > 100 && n < 1100);
    peer_fini(&p);
    bed_fini(&b);
}

/* ---- memory ---- */

/* A handshake, a request and an answer while OpenSSL's nth allocation is refused: true when all
 * went well. It may not go well, but it ends, and nothing else does. */
static bool exchange_without(struct bed *b, const struct client_setup *s, int nth)
{
    struct peer p;
    char octets[64];
    struct iovec answer = { (char *)(uintptr_t) "ok", 2 };
    bool well;

    memory.before = nth;
    well = peer_open(b, &p, s) && client_write(&p.c, STR("request"));
    for (int i = 0; well && i < 20; i++)
        both_pump(b, &p);
    memory.armed = well;
    well = well && b->server->ops->read(b->server, octets, sizeof(octets)) == 7 &&
           b->server->ops->writev(b->server, &answer, 1) == 2;
    memory.armed = false;
    peer_fini(&p);
    transport_close(b->server, false);
    b->server = NULL;
    return well;
}

TEST(an_allocation_that_openssl_is_refused_ends_its_connection_alone)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t v = 0; v < LEN(versions); v++) {
        struct client_setup s = { .sni = "a.test", .version = versions[v] };
        struct bed b;
        int failed = 0, n = 0;

        bed_init(&b);
        CHECK(exchange_without(&b, &s, -1)); /* contexts are made */
        for (memory.before = -1; memory.before < 0; n++) {
            CASE(n);
            failed += !exchange_without(&b, &s, n);
        }
        CHECK(n > 100 && failed > n / 2);
        CHECK(exchange_without(&b, &s, -1));
        bed_fini(&b);
    }
}
