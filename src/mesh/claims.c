#include "mesh/claims.h"

#include "api/gateway.h"
#include "api/virtualservice.h"
#include "mesh/mesh_int.h"
#include "mesh/names.h"

struct claims {
    const struct mesh *m;
    struct str host;
    struct arena *a;
    mesh_claim_fn *fn;
    void *arg;
};

static struct str text_of(struct arena *a, struct buf *b)
{
    struct str text = arena_dup(a, buf_str(b));

    buf_reset(b);
    return text;
}

static void claim(const struct claims *k, const struct api_object *o, struct api_spot spot,
                  struct str text)
{
    struct mesh_claim c = { .text = text, .pos = api_spot_pos(o, spot) };
    struct buf b;

    buf_init(&b, 8192);
    api_object_title(o, &b);
    c.object = text_of(k->a, &b);
    api_spot_path(o, spot, &b);
    c.path = text_of(k->a, &b);
    buf_fini(&b);
    k->fn(k->arg, &c);
}

static bool names_host(const struct claims *k, const struct api_object *o)
{
    const struct api_virtualservice *vs = o->body;

    for (size_t i = 0; i < vs->hosts.n; i++)
        if (name_is_subset(k->host, name_host(k->a, vs->hosts.v[i], o->meta->namespace)))
            return true;
    return false;
}

static bool gateway_has(const struct claims *k, const struct api_object *gw)
{
    const struct api_gateway *body = gw->body;

    for (size_t i = 0; i < body->servers.n; i++) {
        const struct str_list *hosts = &body->servers.v[i].hosts;

        for (size_t h = 0; h < hosts->n; h++) {
            struct str ns, host;

            name_server_host(hosts->v[h], gw->meta->namespace, &ns, &host);
            if (name_is_subset(k->host, name_lower(k->a, host)))
                return true;
        }
    }
    return false;
}

static void claim_gateway(const struct claims *k, const struct api_object *o, size_t at)
{
    const struct api_virtualservice *vs = o->body;
    struct str full = name_gateway(k->a, vs->gateways.v[at], o->meta->namespace);
    size_t slash = str_find(full, '/');
    const struct api_object *gw;

    if (str_eq(full, STR("mesh")))
        return;
    gw = store_find(k->m->store, OBJ_GATEWAY, str_sub(full, 0, slash), str_from(full, slash + 1));
    if (gw && gateway_has(k, gw))
        return; /* where it is served is told from the snapshot */
    claim(k, o, ITEM(vs, "gateways", at),
          arena_printf(k->a, "this VirtualService has the host %.*s, but %s%.*s%s", STRF(k->host),
                       gw ? "no server of Gateway " : "there is no Gateway ", STRF(full),
                       gw ? " has it" : ""));
}

void mesh_each_claim(const struct mesh *m, struct str host, struct arena *a, mesh_claim_fn *fn,
                     void *arg)
{
    const struct claims k = { m, host, a, fn, arg };
    const struct object_list *list = store_list(m->store, OBJ_VIRTUAL_SERVICE);

    for (size_t i = 0; i < list->n; i++) {
        const struct api_object *o = list->v[i];
        const struct api_virtualservice *vs = o->body;

        if (!names_host(&k, o))
            continue;
        if (!vs->gateways.n)
            claim(&k, o, LEAF(vs, "hosts"),
                  arena_printf(a,
                               "this VirtualService has the host %.*s, but names no Gateway: it "
                               "is for sidecars",
                               STRF(host)));
        for (size_t g = 0; g < vs->gateways.n; g++)
            claim_gateway(&k, o, g);
    }
}
