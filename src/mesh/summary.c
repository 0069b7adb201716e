/*
 * mesh/summary - listeners and credentials for people, put together when somebody asks.
 */
#include "api/gateway.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"

static bool is_redirect(const struct placed *p)
{
    return p->server->tls && p->server->tls->https_redirect.v;
}

static void show_listener(struct mesh *m, const struct listener_plan *plan,
                          struct mesh_listener *to)
{
    size_t n = 0;

    *to = (struct mesh_listener){
        .name = plan->name,
        .bind = plan->bind,
        .port = plan->port,
        .manifest_port = plan->manifest_port,
        .is_tls = plan->class == SERVER_TLS,
        .is_redirect = plan->class != SERVER_TLS,
        .origin = plan->origin,
    };
    for (size_t i = 0; i < plan->n; i++) {
        n += plan->v[i].host_count;
        to->is_redirect &= is_redirect(&plan->v[i]);
    }
    to->hosts = ARENA_ARRAY(m->arena, struct str, n + 1);
    for (size_t i = 0; i < plan->n; i++)
        for (size_t k = 0; k < plan->v[i].host_count; k++)
            to->hosts[to->host_count++] = plan->v[i].hosts[k];
}

static void show_credentials(struct mesh *m, const struct placed *p, size_t *cap)
{
    struct mesh_summary *sum = m->summary;
    const struct memo *chain = p->plan ? p->plan->chain : NULL;
    const struct credentials *all = chain ? chain->credentials : NULL;

    for (size_t i = 0; all && i < all->n; i++) {
        struct mesh_credential *to;

        sum->credentials = arena_grow(m->arena, sum->credentials, sum->credential_count, cap,
                                      sizeof(*sum->credentials));
        to = &sum->credentials[sum->credential_count++];
        *to = all->v[i];
        to->hosts = p->hosts;
        to->host_count = p->host_count;
    }
}

static void show(struct mesh *m)
{
    const struct placing *p = m->plan ? m->plan->placing : NULL;
    struct mesh_summary *sum = m->summary;
    size_t cap = 0, n = 0;

    m->is_shown = true;
    if (!p) { /* refused: nothing of it is kept */
        sum->listener_count = 0;
        return;
    }
    sum->listeners = ARENA_ARRAY(m->arena, struct mesh_listener, sum->listener_count + 1);
    for (size_t i = 0; i < p->n; i++) {
        const struct listener_plan *l = p->listeners[i];

        if (!l->n || !l->opens)
            continue;
        show_listener(m, l, &sum->listeners[n++]);
        for (size_t k = 0; k < l->n; k++)
            show_credentials(m, &l->v[k], &cap);
    }
}

const struct mesh_summary *mesh_summary(struct mesh *m)
{
    if (!m->is_shown)
        show(m);
    return m->summary;
}
