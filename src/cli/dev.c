#include "cli/dev.h"

#include "base/map.h"
#include "ca/ca.h"
#include "echo/standin.h"

#include <stdio.h>
#include <stdlib.h>

/* A stand-in that no manifest asks for any more plays on for a while: requests that began
 * before may still come to it. */
#define STANDIN_REST_MS 30000

struct playing {
    struct str key; /* owned */
    struct addr addr;
    uint64_t asked_ms; /* by the last update that wanted it */
};

struct dev_standins {
    struct map by_key;
};

static struct str key_of(const struct mesh_workload *w, uint32_t replica, uint16_t port)
{
    size_t size = w->kind.n + w->namespace.n + w->name.n + w->version.n + 64;
    char *key = must_alloc(size);
    int n = snprintf(key, size, "%.*s/%.*s/%.*s/%.*s#%u:%u", STRF(w->kind), STRF(w->namespace),
                     STRF(w->name), STRF(w->version), replica, port);

    return str_make(key, (size_t)n);
}

static void playing_free(struct playing *p)
{
    free((char *)(uintptr_t)p->key.p);
    free(p);
}

static bool hook_stand_in(void *arg, const struct mesh_workload *w, uint32_t replica,
                          uint16_t container_port, struct addr *ret)
{
    struct dev_hooks *d = arg;
    struct echo_identity who = { .name = w->name, .version = w->version, .speaks_grpc = true };
    struct str key;
    struct playing *p;

    if (!d->standins)
        return false;
    key = key_of(w, replica, container_port);
    p = map_get(&d->playing->by_key, key);
    if (p) {
        free((char *)(uintptr_t)key.p);
    } else {
        p = must_alloc(sizeof(*p));
        p->key = key;
        if (standins_open(d->standins, &who, &p->addr) != ERR_OK) {
            playing_free(p);
            return false;
        }
        map_put(&d->playing->by_key, p->key, p);
    }
    p->asked_ms = d->now_ms;
    *ret = p->addr;
    return true;
}

void dev_hooks_round(struct dev_hooks *d, uint64_t now_ms, int64_t wall_ms)
{
    const struct map_entry *e;
    size_t at = 0;

    d->now_ms = now_ms;
    d->wall_ms = wall_ms;
    while ((e = map_next(&d->playing->by_key, &at)) != NULL) {
        struct playing *p = e->value;

        if (p->asked_ms + STANDIN_REST_MS >= now_ms)
            continue;
        standins_close(d->standins, &p->addr);
        map_del(&d->playing->by_key, p->key);
        playing_free(p);
    }
}

#define PEM_MAX (1u << 20)

static bool hook_issue(void *arg, const struct mesh_certificate *c, struct arena *a,
                       struct str *ret_chain, struct str *ret_key, struct str *ret_error)
{
    struct dev_hooks *d = arg;
    struct ca_request request = {
        .dns_names = c->dns_names,
        .dns_name_count = c->dns_name_count,
        .ip_names = c->ip_addresses,
        .ip_name_count = c->ip_address_count,
        .lifetime_ms = c->duration_ms,
    };
    struct buf cert, key;
    struct str why;
    bool fine;

    if (c->common_name.n && !c->dns_name_count && !c->ip_address_count) {
        request.dns_names = &c->common_name;
        request.dns_name_count = 1;
    }
    buf_init(&cert, PEM_MAX);
    buf_init(&key, PEM_MAX);
    fine = ca_issue(d->ca, &request, d->wall_ms, &cert, &key, &why);
    if (fine) {
        *ret_chain = arena_dup(a, buf_str(&cert));
        *ret_key = arena_dup(a, buf_str(&key));
    } else {
        *ret_error = arena_dup(a, why);
    }
    buf_fini(&cert);
    buf_fini(&key);
    return fine;
}

static uint16_t hook_port_map(void *arg, const struct addr *bind, uint16_t port)
{
    struct dev_hooks *d = arg;

    return portmap_port(d->ports, bind, port);
}

static uint64_t hook_now_ns(void *arg)
{
    struct dev_hooks *d = arg;

    return loop_clock_ns(d->loop);
}

void dev_hooks_fill(struct dev_hooks *d, struct mesh_hooks *ret)
{
    d->playing = must_alloc(sizeof(*d->playing));
    map_init(&d->playing->by_key);
    *ret = (struct mesh_hooks){ .arg = d, .port_map = hook_port_map, .now_ns = hook_now_ns };
    if (d->standins)
        ret->stand_in = hook_stand_in;
    if (d->ca)
        ret->issue = hook_issue;
}

void dev_hooks_fini(struct dev_hooks *d)
{
    const struct map_entry *e;
    size_t at = 0;

    if (!d->playing)
        return;
    while ((e = map_next(&d->playing->by_key, &at)) != NULL)
        playing_free(e->value);
    map_fini(&d->playing->by_key);
    free(d->playing);
    d->playing = NULL;
}
