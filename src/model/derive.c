#include "model/derive.h"

#include "model/compact.h"
#include "model/host_index.h"
#include "model/path_index.h"
#include "model/pattern.h"
#include "model/shape.h"
#include "tls/keypair.h"
#include "tls/trust.h"

/* ---- regexes and filters, wherever they stand ------------------------------------------- */

struct inner_walk {
    struct shape_visitor visitor;
    struct arena *arena;
    struct str err;
    bool failed;
};

static void inner_build_at(struct shape_visitor *v, const struct field *f, void *at)
{
    struct inner_walk *w = CONTAINER_OF(v, struct inner_walk, visitor);

    if (w->failed)
        return;
    if (f->of == &text_matcher_shape && f->kind != FIELD_LIST) {
        struct text_matcher *m = at;

        w->failed = m->how == TEXT_REGEX && !pattern_build(m, w->arena, &w->err);
    } else if (f->kind == FIELD_LIST && f->of == &filter_config_shape && part_hooks.filter_parse) {
        ARRAY_OF(struct filter_config) *list = at;

        for (uint32_t i = 0; i < list->n && !w->failed; i++)
            w->failed = !part_hooks.filter_parse(&list->v[i], w->arena, &w->err);
    }
}

static void inner_drop_at(__attribute__((unused)) struct shape_visitor *v, const struct field *f,
                          void *at)
{
    ARRAY_OF(struct filter_config) *list = at;

    if (f->of == &text_matcher_shape && f->kind != FIELD_LIST)
        pattern_drop(at);
    if (f->kind != FIELD_LIST || f->of != &filter_config_shape || !part_hooks.filter_drop)
        return;
    for (uint32_t i = 0; i < list->n; i++)
        part_hooks.filter_drop(&list->v[i]);
}

static void inner_drop(struct part *p)
{
    struct shape_visitor v = { inner_drop_at };

    shape_walk(shape_of_part(p->kind), p, &v);
}

static bool inner_build(struct part *p, struct str *reterr)
{
    struct inner_walk w = { .visitor = { inner_build_at }, .arena = p->arena };

    shape_walk(shape_of_part(p->kind), p, &w.visitor);
    if (w.failed)
        *reterr = arena_dup(p->arena, w.err);
    return !w.failed;
}

/* ---- by kind ------------------------------------------------------------------------------ */

static bool routes_build(struct part *p, __attribute__((unused)) struct str *reterr)
{
    struct routes *routes = (void *)p;

    routes->index = host_index_build(p->arena, routes->domains.v, routes->domains.n);
    return true;
}

static bool domains_build(struct part *p, __attribute__((unused)) struct str *reterr)
{
    struct domains *d = (void *)p;

    part_compact(p); /* there are many */
    d->index = host_index_build(p->arena, d->domains.v, d->domains.n);
    return true;
}

/* The request path relies on it. */
static bool has_its_answer(const struct route *route)
{
    return (route->action != ACTION_REDIRECT || route->redirect) &&
           (route->action != ACTION_DIRECT_RESPONSE || route->direct);
}

static bool vhost_build(struct part *p, struct str *reterr)
{
    struct vhost *vhost = (void *)p;

    part_compact(p); /* there are many, and they are large */
    for (uint32_t i = 0; i < vhost->routes.n; i++) {
        if (!has_its_answer(&vhost->routes.v[i])) {
            *reterr = STR("a route does not say what it answers");
            return false;
        }
    }
    if (!inner_build(p, reterr))
        return false;
    vhost->index = path_index_build(vhost);
    return true;
}

static void vhost_drop(struct part *p)
{
    path_index_drop(((struct vhost *)(void *)p)->index);
    inner_drop(p);
}

static bool has_limits(const struct cluster_limits *l)
{
    return l->max_connections || l->max_pending || l->max_requests || l->max_retries;
}

static bool cluster_build(struct part *p, __attribute__((unused)) struct str *reterr)
{
    struct cluster *c = (void *)p;

    if (part_hooks.block_of_cluster)
        c->label_block = part_hooks.block_of_cluster(c);
    if (part_hooks.budget_get && has_limits(&c->limits))
        c->budget = part_hooks.budget_get(p->name);
    return true;
}

static void cluster_drop(struct part *p)
{
    struct cluster *c = (void *)p;

    if (c->budget)
        part_hooks.budget_unref(c->budget);
    c->budget = NULL;
}

static bool hosts_build(struct part *p, __attribute__((unused)) struct str *reterr)
{
    struct hosts *hosts = (void *)p;

    for (uint32_t i = 0; i < hosts->endpoints.n; i++) {
        struct endpoint *e = &hosts->endpoints.v[i];

        if (part_hooks.block_of_endpoint)
            e->label_block = part_hooks.block_of_endpoint(e);
        if (part_hooks.host_get)
            e->live = part_hooks.host_get(hosts->cluster_name, &e->addr);
    }
    return true;
}

static void hosts_drop(struct part *p)
{
    struct hosts *hosts = (void *)p;

    for (uint32_t i = 0; i < hosts->endpoints.n; i++) {
        struct endpoint *e = &hosts->endpoints.v[i];

        if (e->live)
            part_hooks.host_unref(e->live);
        e->live = NULL;
    }
}

/* The certificate's names live in the key pair, which the secret holds. */
static void keypair_names(struct part *p, struct secret *s)
{
    const struct tls_cert_info *cert = tls_keypair_info(s->keypair);
    s->not_after_ms = cert->not_after_ms;
    s->dns_names.n = (uint32_t)cert->dns_name_count;
    s->dns_names.v = ARENA_ARRAY(p->arena, struct str, cert->dns_name_count);
    for (size_t i = 0; i < cert->dns_name_count; i++)
        s->dns_names.v[i] = cert->dns_names[i];
}

static bool secret_build(struct part *p, struct str *reterr)
{
    struct secret *s = (void *)p;
    struct str err = STR_NONE;

    if (s->chain_pem.n || s->key_pem.n)
        s->keypair = tls_keypair_parse(s->chain_pem, s->key_pem, &err);
    if (s->ca_pem.n && !str_is_set(err))
        s->trust = tls_trust_parse(s->ca_pem, s->crl_pem, &err);
    if (s->keypair)
        keypair_names(p, s);
    if (str_is_set(err))
        *reterr = arena_dup(p->arena, err);
    return !str_is_set(err);
}

static void secret_drop(struct part *p)
{
    struct secret *s = (void *)p;

    tls_keypair_unref(s->keypair);
    tls_trust_unref(s->trust);
    s->keypair = NULL;
    s->trust = NULL;
}

static const struct {
    bool (*build)(struct part *p, struct str *reterr);
    void (*drop)(struct part *p);
} kinds[PART_KINDS] = {
    [PART_CHAIN] = { inner_build, inner_drop }, [PART_ROUTES] = { routes_build, NULL },
    [PART_VHOST] = { vhost_build, vhost_drop }, [PART_CLUSTER] = { cluster_build, cluster_drop },
    [PART_HOSTS] = { hosts_build, hosts_drop }, [PART_SECRET] = { secret_build, secret_drop },
    [PART_DOMAINS] = { domains_build, NULL },
};

bool derive_build(struct part *p, struct str *reterr)
{
    return !kinds[p->kind].build || kinds[p->kind].build(p, reterr);
}

void derive_drop(struct part *p)
{
    if (kinds[p->kind].drop)
        kinds[p->kind].drop(p);
}
