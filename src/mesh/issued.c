#include "mesh/issued.h"

#include "api/certmanager.h"
#include "base/hash.h"
#include "mesh/mesh_int.h"

#include <stdio.h>
#include <stdlib.h>

struct issued {
    char *key; /* "ns/name" */
    uint64_t hash;
    struct arena arena;
    struct str chain, key_pem;
};

static void issued_one_free(struct issued *i)
{
    arena_fini(&i->arena);
    free(i->key);
    free(i);
}

void issued_free(struct map *issued)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(issued, &at));)
        issued_one_free(e->value);
    map_fini(issued);
}

static uint64_t hash_names(uint64_t h, const struct str_list *list)
{
    h = hash_mix(h, list->n);
    for (size_t i = 0; i < list->n; i++)
        h = hash_mix(h, hash_stable(list->v[i]));
    return h;
}

static struct mesh_certificate request_of(struct compile *c, const struct api_object *o)
{
    const struct api_certificate *cert = o->body;
    struct mesh_certificate rq = { .title = compile_title(c, o),
                                   .namespace = o->meta->namespace,
                                   .name = o->meta->name,
                                   .dns_names = cert->dns_names.v,
                                   .dns_name_count = cert->dns_names.n,
                                   .ip_addresses = cert->ip_addresses.v,
                                   .ip_address_count = cert->ip_addresses.n,
                                   .common_name = cert->common_name,
                                   .duration_ms = duration_ms(&cert->duration, 0) };

    rq.hash = hash_names(0, &cert->dns_names);
    rq.hash = hash_names(rq.hash, &cert->ip_addresses);
    rq.hash = hash_mix(rq.hash, hash_stable(cert->common_name));
    rq.hash = hash_mix(rq.hash, (uint64_t)rq.duration_ms);
    return rq;
}

static struct issued *issue(struct compile *c, const struct api_object *o,
                            const struct mesh_certificate *rq)
{
    const struct mesh_hooks *h = &c->o->hooks;
    struct issued *i = must_alloc(sizeof(*i));
    struct str error = STR_NONE;

    arena_init(&i->arena, 4096);
    i->hash = rq->hash;
    i->key = must_alloc(o->meta->namespace.n + o->meta->name.n + 2);
    snprintf(i->key, o->meta->namespace.n + o->meta->name.n + 2, "%.*s/%.*s",
             STRF(o->meta->namespace), STRF(o->meta->name));
    if (h->issue(h->arg, rq, &i->arena, &i->chain, &i->key_pem, &error))
        return i;
    api_note(o, c->notes, SEV_ERROR, "LAT0307", SPOT(o->meta), "cannot be issued: %.*s",
             STRF(error));
    issued_one_free(i);
    return NULL;
}

bool issued_get(struct compile *c, const struct api_object *o, struct str *ret_chain,
                struct str *ret_key)
{
    struct mesh_certificate rq = request_of(c, o);
    struct str key = arena_printf(c->a, "%.*s/%.*s", STRF(o->meta->namespace), STRF(o->meta->name));
    struct map *all = &c->m->issued;
    struct issued *i = map_get(all, key);

    if (!i || i->hash != rq.hash) {
        struct issued *next = issue(c, o, &rq);

        if (!next)
            return false;
        if (i) {
            map_del(all, key);
            issued_one_free(i);
        }
        i = next;
        map_put(all, str_of(i->key), i);
    }
    *ret_chain = i->chain;
    *ret_key = i->key_pem;
    return true;
}
