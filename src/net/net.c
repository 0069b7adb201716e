#include "net/net.h"

#include "net/net_int.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

struct net *net_new(struct loop *loop, size_t max_connections)
{
    struct net *n = must_alloc(sizeof(*n));

    n->loop = loop;
    n->max = max_connections;
    slab_init(&n->sockets, socket_size(), max_connections);
    return n;
}

void net_free(struct net *n)
{
    if (!n)
        return;
    if (n->tls)
        n->tls_free(n->tls);
    slab_fini(&n->sockets);
    free(n);
}

size_t net_open_count(const struct net *n)
{
    return n->open;
}

void net_trim(struct net *n)
{
    slab_trim(&n->sockets);
    if (n->tls)
        n->tls_trim(n->tls);
    malloc_trim(0);
}

bool net_enter(struct net *n)
{
    if (n->open >= n->max)
        return false;
    n->open++;
    return true;
}

void net_leave(struct net *n)
{
    MUST(n->open > 0);
    n->open--;
}

void net_set_dialler(struct net *n,
                     struct transport *(*dial)(void *arg, const struct addr *to, struct task *task,
                                               enum err *reterr),
                     void *arg)
{
    n->dial = dial;
    n->dial_arg = arg;
}

uint32_t net_waited_ms(int fd)
{
    struct tcp_info i = { 0 };
    socklen_t n = sizeof(i);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n) != 0)
        return 0; /* no TCP socket: nothing is known */
    return i.tcpi_state == TCP_ESTABLISHED ? i.tcpi_last_data_recv : UINT32_MAX;
}
