#include "echo/standin.h"

#include "echo/serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define STANDIN_CONNECTIONS 65536

struct standin {
    struct standin *next;
    struct addr addr;
    struct echo_listener *listener; /* the thread's; NULL: could not be served */
};

struct standins {
    pthread_t thread;
    struct loop *loop;
    struct echo_server *server; /* the thread's */
    struct standin *first;      /* the caller's list; `listener` of each is the thread's */
};

/* What the thread is asked to do. */
struct order {
    struct mail mail;
    struct standins *standins;
    struct standin *standin;
    int fd;
    struct str name, version; /* owned */
    bool speaks_grpc;
};

static struct order *order_new(struct standins *s, struct standin *one,
                               void (*deliver)(struct mail *m, struct loop *to))
{
    struct order *o = must_alloc(sizeof(*o));

    o->mail.deliver = deliver;
    o->standins = s;
    o->standin = one;
    return o;
}

static void order_free(struct order *o)
{
    free((char *)(uintptr_t)o->name.p);
    free((char *)(uintptr_t)o->version.p);
    free(o);
}

static void deliver_open(struct mail *m, struct loop *to)
{
    struct order *o = CONTAINER_OF(m, struct order, mail);
    struct echo_identity who = { o->name, o->version, o->speaks_grpc };

    (void)to;
    o->standin->listener = echo_listen(o->standins->server, o->fd, ECHO_HTTP, &who, NULL);
    order_free(o);
}

static void deliver_close(struct mail *m, struct loop *to)
{
    struct order *o = CONTAINER_OF(m, struct order, mail);

    (void)to;
    if (o->standin->listener)
        echo_unlisten(o->standin->listener);
    free(o->standin);
    order_free(o);
}

static void deliver_stop(struct mail *m, struct loop *to)
{
    order_free(CONTAINER_OF(m, struct order, mail));
    loop_stop(to);
}

static void *standins_run(void *arg)
{
    struct standins *s = arg;

    pthread_setname_np(pthread_self(), "lateen-standin");
    s->server = echo_server_new(s->loop, STANDIN_CONNECTIONS);
    loop_run(s->loop);
    echo_server_free(s->server);
    return NULL;
}

struct standins *standins_new(void)
{
    struct standins *s = must_alloc(sizeof(*s));
    sigset_t all, before;

    s->loop = loop_new(NULL);
    sigfillset(&all); /* signals are main's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    MUST(pthread_create(&s->thread, NULL, standins_run, s) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s;
}

void standins_free(struct standins *s)
{
    if (!s)
        return;
    mail_post(s->loop, &order_new(s, NULL, deliver_stop)->mail);
    pthread_join(s->thread, NULL);
    loop_free(s->loop);
    while (s->first) {
        struct standin *next = s->first->next;

        free(s->first);
        s->first = next;
    }
    free(s);
}

static struct str own(struct str s)
{
    char *copy = must_alloc(s.n + 1);

    return str_make(str_copy(s, copy, s.n + 1), s.n);
}

enum err standins_open(struct standins *s, const struct echo_identity *who, struct addr *ret)
{
    static const struct addr loopbacks[] = { { .family = 4, .ip = { 127, 0, 0, 1 } },
                                             { .family = 6, .ip = { [15] = 1 } } };
    struct standin *one = must_alloc(sizeof(*one));
    enum err e = ERR_OK;
    struct order *o;
    int fd = -1;

    for (size_t i = 0; i < LEN(loopbacks); i++) {
        one->addr = loopbacks[i];
        e = listen_open(&one->addr, &fd, 1);
        if (e == ERR_OK)
            break;
    }
    if (e != ERR_OK) {
        free(one);
        return e;
    }
    one->next = s->first;
    s->first = one;
    *ret = one->addr;
    o = order_new(s, one, deliver_open);
    o->fd = fd;
    o->name = own(who->name);
    o->version = own(who->version);
    o->speaks_grpc = who->speaks_grpc;
    mail_post(s->loop, &o->mail);
    return ERR_OK;
}

void standins_close(struct standins *s, const struct addr *addr)
{
    for (struct standin **at = &s->first; *at; at = &(*at)->next) {
        struct standin *one = *at;

        if (!addr_eq(&one->addr, addr))
            continue;
        *at = one->next;
        mail_post(s->loop, &order_new(s, one, deliver_close)->mail);
        return;
    }
}
