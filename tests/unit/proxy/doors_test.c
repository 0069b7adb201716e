/*
 * The doors of memory (docs/reliability.md): each refuses all but the next n objects, for each n
 * that an exchange asks for and more, while exchanges go on.
 */
#include "rig.h"

#include "net/net_int.h"
#include "proxy/worker_int.h"

#include <errno.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENOUGH 5 /* of any object for any exchange */

struct door {
    size_t *live, *max;
};

enum { DOORS = 8 };

static void doors_of(struct worker *w, struct door doors[static DOORS])
{
    struct http_pools *p = w->pools;

    doors[0] = (struct door){ &p->chunks.chunks.live, &p->chunks.chunks.max }; /* chunks */
    doors[1] = (struct door){ &p->chunks.slices.live, &p->chunks.slices.max }; /* slices */
    doors[2] = (struct door){ &p->conns.live, &p->conns.max };       /* HTTP/1 connections */
    doors[3] = (struct door){ &p->h2_conns.live, &p->h2_conns.max }; /* HTTP/2 connections */
    doors[4] = (struct door){ &p->h2_legs.live, &p->h2_legs.max };   /* streams */
    doors[5] = (struct door){ &w->downstream_slab.live, &w->downstream_slab.max }; /* downstreams */
    doors[6] = (struct door){ &w->upstream_slab.live, &w->upstream_slab.max };     /* upstreams */
    doors[7] = (struct door){ &w->net->open, &w->net->max };                       /* sockets */
}

/* What the worker's thread is asked to do with its doors. */
struct order {
    struct mail mail;
    struct worker *worker;
    size_t door, let_in; /* `door` lets in so many more; DOORS: none is changed */
    bool open;           /* as far as it was before */
    size_t was[DOORS], live[DOORS];
    sem_t done;
};

static void order_run(struct mail *m, struct loop *loop)
{
    struct order *o = CONTAINER_OF(m, struct order, mail);
    struct door doors[DOORS];

    (void)loop;
    doors_of(o->worker, doors);
    for (size_t i = 0; i < DOORS; i++)
        o->live[i] = *doors[i].live;
    if (o->door < DOORS && o->open) {
        *doors[o->door].max = o->was[o->door];
    } else if (o->door < DOORS) {
        o->was[o->door] = *doors[o->door].max;
        *doors[o->door].max = *doors[o->door].live + o->let_in;
    }
    sem_post(&o->done);
}

static void order(struct order *o, size_t door, size_t let_in, bool open)
{
    o->mail.deliver = order_run;
    o->door = door;
    o->let_in = let_in;
    o->open = open;
    mail_post(o->worker->loop, &o->mail);
    sem_wait(&o->done);
}

/* Preface, SETTINGS, and a GET of a.test as stream 1 (RFC 9113; RFC 7541, C.2). */
#define H2_GET                                                                                     \
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"                                                             \
    "\0\0\0\4\0\0\0\0\0"                                                                           \
    "\0\0\x0b\1\5\0\0\0\1\x82\x86\x84\x41\6a.test"

/* An exchange on a connection of its own, with a FIN behind the request, so that an answer of any
 * kind ends it: all that came. Nothing within 5 s, the socket's patience, fails. */
static struct str exchange(const struct rig *r, struct str request)
{
    int fd = rig_client(r);
    struct str got;
    char more;

    /* a connection that was refused may be reset already: then nothing comes */
    (void)!send(fd, request.p, request.n, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    got = talk(fd, "", NULL);
    CHECK(recv(fd, &more, 1, 0) >= 0 || errno != EAGAIN);
    close(fd);
    return got;
}

static const struct {
    struct str request;
    const char *whole; /* stands in a whole answer and in no other */
} exchanges[] = {
    { STR_INIT(GET("/")), "\r\n\r\nok" },
    { STR_INIT(GET("/chunked")), "0\r\nx-t: end\r\n\r\n" },
    { STR_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
               "1\r\na\r\n1\r\nb\r\n5\r\nhello\r\n0\r\n\r\n"),
      "\r\n\r\nok" },
    { STR_INIT(H2_GET), "ok" },
};

/* Lets no connection rest upstream: so the next exchange takes all that it needs from the doors. */
static bool exchange_is_whole(const struct rig *r)
{
    struct str got = exchange(r, STR(GET("/close-after")));

    return has(got, "200 OK") && has(got, "\r\n\r\nok");
}

/* The worker lets connections go a turn after their client: until it has, up to 5 s. */
static bool all_is_back(struct order *o)
{
    static const size_t none[DOORS];

    for (int i = 0; i < 500; i++) {
        order(o, DOORS, 0, false);
        if (memcmp(o->live, none, sizeof(none)) == 0)
            return true;
        usleep(10000);
    }
    for (size_t i = 0; i < DOORS; i++)
        print_error("door %zu: %zu out\n", i, o->live[i]);
    return false;
}

/* All exchanges while `door` lets in `n` more; how many of them were whole. */
static size_t exchanges_at(const struct rig *r, struct order *o, size_t door, size_t n)
{
    size_t whole = 0;

    for (size_t i = 0; i < LEN(exchanges); i++) {
        struct str got;

        CASE(door * 1000 + n * 10 + i);
        order(o, door, n, false);
        got = exchange(r, exchanges[i].request);
        order(o, door, 0, true);
        whole += str_find_str(got, str_of(exchanges[i].whole)) < got.n;
    }
    CHECK(exchange_is_whole(r));
    CHECK(all_is_back(o));
    return whole;
}

TEST(each_door_may_refuse_the_nth_object_while_exchanges_go_on)
{
    struct rig r = { 0 };
    struct order o = { 0 };

    rig_start(&r, true);
    o.worker = r.worker;
    sem_init(&o.done, 0, 0);
    CHECK(exchange_is_whole(&r));
    CHECK(all_is_back(&o));
    for (size_t door = 0; door < DOORS; door++) {
        CHECK(exchanges_at(&r, &o, door, 0) < LEN(exchanges));
        for (size_t n = 1; n < ENOUGH; n++)
            (void)exchanges_at(&r, &o, door, n);
        CHECK_EQ(exchanges_at(&r, &o, door, ENOUGH), LEN(exchanges));
    }
    rig_stop(&r, true);
    sem_destroy(&o.done);
}
