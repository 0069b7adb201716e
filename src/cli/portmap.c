#include "cli/portmap.h"

#include <stdlib.h>
#include <time.h>

#define DEV_SHIFT 8000u /* 80 to 8080, 443 to 8443 */
#define DEV_TRIES 100
#define PRIVILEGED 1024
#define AGAIN_TRIES 10
#define AGAIN_MS 10

struct mapping {
    struct addr bind; /* without the port */
    uint16_t port, to;
    uint16_t tried;
    enum err failure;
    uint64_t round;
};

struct portmap {
    struct keeper *keeper;
    const struct flag_ports *rules;
    bool dev;
    uint64_t round;
    struct arena arena;
    struct mapping *v;
    size_t n, cap;
};

struct portmap *portmap_new(struct keeper *k, const struct flag_ports *rules, bool dev)
{
    struct portmap *m = must_alloc(sizeof(*m));

    m->keeper = k;
    m->rules = rules;
    m->dev = dev;
    arena_init(&m->arena, 1024);
    return m;
}

void portmap_free(struct portmap *m)
{
    if (!m)
        return;
    arena_fini(&m->arena);
    free(m);
}

void portmap_round(struct portmap *m, uint64_t round)
{
    m->round = round;
}

static struct mapping *mapping_of(struct portmap *m, const struct addr *bind, uint16_t port)
{
    struct addr at = *bind;

    at.port = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->v[i].port == port && addr_eq(&m->v[i].bind, &at))
            return &m->v[i];
    }
    m->v = arena_grow(&m->arena, m->v, m->n, &m->cap, sizeof(*m->v));
    m->v[m->n] = (struct mapping){ .bind = at,
                                   .port = port,
                                   .to = keeper_recall(m->keeper, &at, port) };
    return &m->v[m->n++];
}

static bool try_port(struct portmap *m, struct mapping *one, uint32_t port)
{
    struct addr addr = one->bind;
    enum err e;

    if (port > 65535)
        return false;
    addr.port = (uint16_t)port;
    e = keeper_hold(m->keeper, &addr, one->port, m->round);
    if (e == ERR_OK) {
        one->to = addr.port;
        one->failure = ERR_OK;
        return true;
    }
    if (one->failure == ERR_OK) { /* the first reason is the one that people can act on */
        one->failure = e;
        one->tried = (uint16_t)port;
    }
    return false;
}

/* Another answer's port is not taken a second time for a different one. */
static bool is_given_away(const struct portmap *m, const struct mapping *one, uint32_t port)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct mapping *other = &m->v[i];

        if (other != one && other->to == port && addr_eq(&other->bind, &one->bind))
            return true;
    }
    return false;
}

static void move_port(struct portmap *m, struct mapping *one)
{
    uint32_t from = one->port + (one->port < PRIVILEGED ? DEV_SHIFT : 1u);

    for (uint32_t port = from; port < from + DEV_TRIES; port++) {
        if (!is_given_away(m, one, port) && try_port(m, one, port))
            return;
    }
    (void)try_port(m, one, 0);
}

static void choose_port(struct portmap *m, struct mapping *one)
{
    for (size_t i = 0; i < m->rules->n; i++) {
        if (m->rules->v[i].from != one->port)
            continue;
        if (m->rules->v[i].to == 0 || !is_given_away(m, one, m->rules->v[i].to))
            (void)try_port(m, one, m->rules->v[i].to);
        else
            one->failure = ERR_ADDRESS_IN_USE;
        return;
    }
    if (!is_given_away(m, one, one->port) && try_port(m, one, one->port))
        return;
    if (m->dev)
        move_port(m, one);
}

/* The port it had before. Workers may not be through with closing a socket that the keeper
 * has just given up: a moment later the port is free. */
static bool try_again(struct portmap *m, struct mapping *one)
{
    const struct timespec moment = { .tv_nsec = AGAIN_MS * 1000000 };

    for (int i = 0; i < AGAIN_TRIES; i++) {
        one->failure = ERR_OK;
        if (try_port(m, one, one->to))
            return true;
        if (one->failure != ERR_ADDRESS_IN_USE)
            return false;
        nanosleep(&moment, NULL);
    }
    return false;
}

uint16_t portmap_port(struct portmap *m, const struct addr *bind, uint16_t port)
{
    struct mapping *one = mapping_of(m, bind, port);

    if (one->round == m->round && one->round != 0)
        return one->to;
    one->round = m->round;
    one->failure = ERR_OK;
    if (one->to && try_again(m, one))
        return one->to;
    one->to = 0;
    choose_port(m, one);
    return one->to;
}

size_t portmap_count(const struct portmap *m)
{
    return m->n;
}

enum err portmap_failure(const struct portmap *m, size_t at, struct addr *ret_bind,
                         uint16_t *ret_port, uint16_t *ret_tried)
{
    const struct mapping *one = &m->v[at];

    if (one->to || one->round != m->round)
        return ERR_OK;
    *ret_bind = one->bind;
    *ret_port = one->port;
    *ret_tried = one->tried;
    return one->failure;
}
