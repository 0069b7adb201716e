#include "mesh/wanted.h"

#include "api/certmanager.h"
#include "api/core.h"
#include "mesh/mesh_int.h"
#include "mesh/uses.h"
#include "mesh/wanted_int.h"

/* ---- who issues it ---- */

void wanted_cannot(struct asking *k, enum severity severity, const char *code, struct api_spot spot,
                   struct str text)
{
    k->to->issuer = MESH_ISSUER_NONE;
    k->to->problem = text;
    api_note(k->o, k->c->notes, severity, code, spot, "%.*s", STRF(text));
}

static void is_unsupported(struct asking *k, struct api_spot spot, const char *what)
{
    k->to->issuer = MESH_ISSUER_NONE;
    k->to->problem = arena_printf(k->a, "%s is not carried out yet", what);
    compile_unsupported(k->c, k->o, spot,
                        "%s is not carried out yet: with --dev a local CA issues the certificate; "
                        "else give the Secret \"%.*s\" itself",
                        what, STRF(k->cert->secret_name));
}

static const struct api_object *issuer_find(struct asking *k)
{
    const struct api_issuer_ref *r = k->cert->issuer_ref;

    return str_eq(r->kind, STR("ClusterIssuer"))
               ? store_find(k->c->store, OBJ_CLUSTER_ISSUER, STR(""), r->name)
               : store_find(k->c->store, OBJ_ISSUER, k->o->meta->namespace, r->name);
}

/* A CA's Secret stands beside its Issuer; of a ClusterIssuer in cert-manager's own namespace, and
 * where nobody has that one, wherever there is one of that name. */
static const struct api_object *ca_secret(struct asking *k, const struct api_object *issuer)
{
    const struct api_issuer *body = issuer->body;
    struct str name = body->ca->secret_name;
    const struct object_list *all = store_list(k->c->store, OBJ_SECRET);
    const struct api_object *found;

    if (issuer->meta->namespace.n)
        return store_find(k->c->store, OBJ_SECRET, issuer->meta->namespace, name);
    found = store_find(k->c->store, OBJ_SECRET, STR("cert-manager"), name);
    for (size_t i = 0; i < all->n && !found; i++)
        if (str_eq(all->v[i]->meta->name, name))
            found = all->v[i];
    return found;
}

static struct str secret_value(struct arena *a, const struct api_object *o, const char *key)
{
    const struct api_secret *s = o->body;
    struct str v = api_map_get(&s->string_data, str_of(key));

    v = str_is_set(v) ? v : api_map_get(&s->data, str_of(key));
    return str_is_set(v) ? arena_dup(a, v) : STR_NONE;
}

/* A Certificate fills it. */
static bool is_to_come(struct compile *c, struct str secret_name)
{
    return lookup_named(c, OBJ_CERTIFICATE, secret_name)->n > 0;
}

static void by_ca(struct asking *k, const struct api_object *issuer)
{
    const struct api_object *secret = ca_secret(k, issuer);
    const struct api_issuer *body = issuer->body;
    struct mesh_wanted *to = k->to;

    to->issuer = MESH_ISSUER_CA;
    if (secret) {
        uses_credential(k->c, secret);
        to->ca_chain = secret_value(k->a, secret, "tls.crt");
        to->ca_key = secret_value(k->a, secret, "tls.key");
    }
    if (to->ca_chain.n && to->ca_key.n)
        return;
    to->problem = arena_printf(k->a, "waits for Secret \"%.*s\" with the CA's tls.crt and tls.key",
                               STRF(body->ca->secret_name));
    if (!secret && is_to_come(k->c, body->ca->secret_name))
        return; /* that is no fault */
    api_note(k->o, k->c->notes, SEV_WARNING, "LAT0307", LEAF(k->cert, "issuerRef"), "%.*s",
             STRF(to->problem));
}

static void find_issuer(struct asking *k)
{
    const struct api_issuer_ref *r = k->cert->issuer_ref;
    const struct api_object *issuer;
    const struct api_issuer *body;
    struct api_spot spot = LEAF(k->cert, "issuerRef");

    if (!str_eq(r->group, STR("cert-manager.io"))) {
        is_unsupported(k, spot, "an issuer of another group");
        return;
    }
    issuer = issuer_find(k);
    if (!issuer || issuer->broken) {
        wanted_cannot(k, SEV_ERROR, "LAT0305", spot,
                      arena_printf(k->a, "%s %.*s \"%.*s\"%s", issuer ? "the" : "there is no",
                                   STRF(r->kind), STRF(r->name), issuer ? " is broken" : ""));
        return;
    }
    body = issuer->body;
    if (body->acme || body->vault || body->venafi) {
        is_unsupported(k, spot, body->acme ? "ACME" : body->vault ? "Vault" : "Venafi");
        return;
    }
    uses_issuer(k->c, issuer);
    if (body->ca)
        by_ca(k, issuer);
    else
        k->to->issuer = MESH_ISSUER_SELF_SIGNED;
}

/* ---- the Secret as it is ---- */

static struct str annotation(struct arena *a, const struct api_object *o, const char *key)
{
    struct str v = api_map_get(&o->meta->annotations, str_of(key));

    return str_is_set(v) ? arena_dup(a, v) : STR_NONE;
}

static void look_at_secret(struct asking *k)
{
    const struct api_object *o = store_find(k->c->store, OBJ_SECRET, k->o->meta->namespace,
                                            k->cert->secret_name);
    struct mesh_wanted *to = k->to;
    struct str by;

    if (!o)
        return;
    to->has_secret = true;
    to->secret_chain = secret_value(k->a, o, "tls.crt");
    to->secret_key = secret_value(k->a, o, "tls.key");
    by = annotation(k->a, o, "cert-manager.io/certificate-name");
    if (str_eq(by, to->name))
        to->secret_request = annotation(k->a, o, WANTED_REQUEST);
    to->secret_issuer = arena_printf(k->a, "%.*s/%.*s",
                                     STRF(annotation(k->a, o, "cert-manager.io/issuer-kind")),
                                     STRF(annotation(k->a, o, "cert-manager.io/issuer-name")));
}

static const struct str_map *map_dup(struct arena *a, const struct str_map *from)
{
    struct str_map *to = ARENA_NEW(a, struct str_map);

    to->v = ARENA_ARRAY(a, struct str_entry, from->n + 1);
    for (; to->n < from->n; to->n++)
        to->v[to->n] = (struct str_entry){ arena_dup(a, from->v[to->n].key),
                                           arena_dup(a, from->v[to->n].value) };
    return to;
}

static void add(struct compile *c, struct wanted_list *w, const struct api_object *o)
{
    struct mesh_wanted *to = &w->v[w->n];
    struct asking k = { c, w->arena, o, o->body, to };
    const struct api_issuer_ref *r = k.cert->issuer_ref;

    if (o->broken || !r)
        return;
    w->n++;
    to->namespace = arena_dup(w->arena, o->meta->namespace);
    to->name = arena_dup(w->arena, o->meta->name);
    to->secret_name = arena_dup(w->arena, k.cert->secret_name);
    to->issuer_name = arena_dup(w->arena, r->name);
    to->issuer_kind = arena_dup(w->arena, r->kind);
    to->issuer_group = arena_dup(w->arena, r->group);
    if (k.cert->secret_template) {
        to->labels = map_dup(w->arena, &k.cert->secret_template->labels);
        to->annotations = map_dup(w->arena, &k.cert->secret_template->annotations);
    }
    look_at_secret(&k);
    if (to->has_secret && !str_is_set(to->secret_request))
        return; /* the user's own: nothing is asked of anybody */
    find_issuer(&k);
    wanted_ask(&k);
    if (to->issuer != MESH_ISSUER_NONE)
        uses_certificate(c, o);
}

/* ---- the list ---- */

static bool is_concerned(const struct compile *c)
{
    size_t n;
    const struct object_change *v = store_changes(c->store, &n);

    for (size_t i = 0; i < n; i++)
        if (v[i].kind == OBJ_CERTIFICATE || v[i].kind == OBJ_ISSUER ||
            v[i].kind == OBJ_CLUSTER_ISSUER || v[i].kind == OBJ_SECRET)
            return true;
    return false;
}

void wanted_update(struct compile *c)
{
    struct wanted_list *w = &c->m->wanted;
    const struct object_list *certs = store_list(c->store, OBJ_CERTIFICATE);
    struct notes *notes = c->notes;
    size_t unsupported = c->sum->unsupported;

    w->changed = !w->arena || is_concerned(c);
    if (!c->o->certificates || !w->changed)
        return;
    arena_free(w->arena);
    w->arena = arena_new(4096);
    w->v = ARENA_ARRAY(w->arena, struct mesh_wanted, certs->n + 1);
    w->n = 0;
    notes_init(&w->notes, w->arena);
    w->notes.max = notes->max;
    c->notes = &w->notes;
    for (size_t i = 0; i < certs->n; i++)
        add(c, w, certs->v[i]);
    notes_own(&w->notes);
    c->notes = notes;
    w->unsupported = c->sum->unsupported - unsupported;
    c->sum->unsupported = unsupported;
}

void wanted_say(struct compile *c)
{
    struct wanted_list *w = &c->m->wanted;

    if (!w->arena)
        return;
    notes_append(c->notes, &w->notes);
    c->sum->unsupported += w->unsupported;
}

void wanted_fini(struct wanted_list *w)
{
    arena_free(w->arena);
    *w = (struct wanted_list){ 0 };
}

const struct mesh_wanted *mesh_wanted(const struct mesh *m, size_t *ret_n, bool *ret_changed)
{
    *ret_n = m->wanted.n;
    *ret_changed = m->wanted.changed;
    return m->wanted.v;
}
