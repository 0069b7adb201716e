#include "http/conn_int.h"

#include "http/h1_conn.h"
#include "http/h2_conn.h"
#include "net/net.h"

void http_conn_init(struct http_conn *c, const struct http_conn_ops *ops, enum http_role role,
                    struct http_pools *p, struct transport *take_transport,
                    const struct http_settings *settings)
{
    static _Atomic uint64_t last_id;

    c->ops = ops;
    c->role = (uint8_t)role;
    c->version = HTTP_11;
    c->pools = p;
    c->transport = take_transport;
    c->settings = settings;
    c->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    take_transport->task = &c->task;
}

bool http_conn_discard(struct http_conn *c, uint32_t *left)
{
    struct transport *t = c->transport;

    while (!t->read_drained) {
        ssize_t n = t->ops->read(t, c->pools->scratch, SCRATCH_OCTETS);

        if (n == -ERR_AGAIN)
            return true;
        if (n <= 0 || (size_t)n > *left)
            return false;
        *left -= (uint32_t)n;
    }
    return true;
}

struct http_conn *http_serve(struct http_pools *p, struct transport *take_transport,
                             struct http_server *server, const struct http_settings *settings)
{
    struct http_conn *c = h1_conn_new(p, HTTP_SERVER, take_transport, settings);

    if (!c)
        return NULL;
    c->server = server;
    task_wake(&c->task);
    return c;
}

struct http_conn *http_connect(struct http_pools *p, struct transport *take_transport,
                               struct http_client *client, const struct http_settings *settings,
                               enum http_version version)
{
    struct http_conn *c = version == HTTP_2 ? h2_conn_new(p, HTTP_CLIENT, take_transport, settings)
                                            : h1_conn_new(p, HTTP_CLIENT, take_transport, settings);

    if (!c)
        return NULL;
    c->client = client;
    task_wake(&c->task);
    return c;
}

struct leg *http_open(struct http_conn *c, struct arena *arena, struct task *task)
{
    MUST(c->role == HTTP_CLIENT && http_conn_is_usable(c));
    c->exchanges++;
    return c->ops->open(c, arena, task);
}

bool http_conn_is_usable(const struct http_conn *c)
{
    return !c->dead && !c->draining && c->ops->is_usable(c);
}

bool http_conn_is_at_rest(const struct http_conn *c)
{
    return c->ops->is_at_rest(c);
}

bool http_conn_is_dead(const struct http_conn *c)
{
    return c->dead;
}

uint32_t http_conn_exchanges(const struct http_conn *c)
{
    return c->exchanges;
}

void http_conn_drain(struct http_conn *c)
{
    c->draining = true;
    c->ops->drain(c);
}

void http_conn_retire(struct http_conn *c)
{
    c->draining = true;
    c->retiring = true;
    c->ops->retire(c);
}

void http_conn_close(struct http_conn *c)
{
    c->ops->close(c);
}

enum http_version http_conn_version(const struct http_conn *c)
{
    return (enum http_version)c->version;
}

const struct transport_info *http_conn_info(const struct http_conn *c)
{
    return c->transport ? &c->transport->info : NULL;
}

uint32_t http_conn_waited_ms(const struct http_conn *c)
{
    const struct transport *t = c->transport;

    return t && t->ops->waited_ms ? t->ops->waited_ms(t) : 0;
}

bool http_conn_addresses(const struct http_conn *c, struct addr *ret_remote, struct addr *ret_local)
{
    const struct parked *parked = c->ops->parked ? c->ops->parked(c) : NULL;

    if (!c->transport && !parked)
        return false;
    *ret_remote = parked ? parked->remote : c->transport->info.remote;
    *ret_local = parked ? net_parked_local(parked) : c->transport->info.local;
    return true;
}

uint64_t http_conn_id(const struct http_conn *c)
{
    return c->id;
}

void http_conn_set_owner(struct http_conn *c, void *owner)
{
    c->owner = owner;
}

void *http_conn_owner(const struct http_conn *c)
{
    return c->owner;
}
