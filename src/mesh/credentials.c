/*
 * mesh/credentials - which certificate a server presents.
 *
 * Source: surface.md 2.3 (where a credentialName is looked up), istio-api.md 1.3.3 (forms of
 * the name, keys of a Secret). A credential that is missing or broken closes the handshakes
 * of its server, or keeps its last good version; no other server notices.
 */
#include "api/certmanager.h"
#include "api/core.h"
#include "api/gateway.h"
#include "mesh/credentials.h"
#include "mesh/issued.h"
#include "mesh/lookup.h"
#include "mesh/memo.h"
#include "mesh/mesh_int.h"
#include "mesh/plan.h"
#include "mesh/uses.h"
#include "tls/keypair.h"

/* What holds a credential: a Secret, or a Certificate that is to become one. */
struct holder {
    const struct api_object *object;
    bool is_certificate;
    struct str namespace;
};

struct holders {
    struct holder *v;
    size_t n, cap;
};

/* A secret that was compiled in this update. */
struct secret_ref {
    slot_id slot;
    bool usable;
    struct mesh_credential shown;
    struct tls_keypair *keypair; /* borrowed from the part, which the root holds */
    struct notes notes;          /* of compiling it: each chain that presents it says them */
};

/* ---- finding ---- */

static void hold(struct compile *c, struct holders *to, const struct api_object *o, bool is_cert)
{
    to->v = arena_grow(c->a, to->v, to->n, &to->cap, sizeof(*to->v));
    to->v[to->n++] = (struct holder){ o, is_cert, o->meta->namespace };
}

/* All that `name` may mean in a namespace, or in any; a Secret comes before a Certificate
 * that would fill it. */
static void holders_in(struct compile *c, struct str namespace, struct str name, struct holders *to)
{
    const struct object_list *secrets = lookup_named(c, OBJ_SECRET, name);
    const struct object_list *certs = lookup_named(c, OBJ_CERTIFICATE, name);

    for (size_t i = 0; i < secrets->n; i++)
        if (!str_is_set(namespace) || str_eq(secrets->v[i]->meta->namespace, namespace))
            hold(c, to, secrets->v[i], false);
    for (size_t i = 0; i < certs->n; i++) {
        struct str ns = certs->v[i]->meta->namespace;

        if ((!str_is_set(namespace) || str_eq(ns, namespace)) &&
            !store_find(c->store, OBJ_SECRET, ns, name))
            hold(c, to, certs->v[i], true);
    }
}

struct wanted {
    struct compile *c;
    const struct api_object *gw;
    struct api_spot spot;
    struct str written, name, namespace; /* namespace: as the name says, or STR_NONE */
};

/* "name", "kubernetes://[ns/]name" or "kubernetes-gateway://ns/name"; false: another scheme. */
static bool name_parse(struct wanted *w)
{
    struct str rest = w->written;
    size_t slash;

    if (str_starts(rest, STR("kubernetes://")))
        rest = str_from(rest, 13);
    else if (str_starts(rest, STR("kubernetes-gateway://")))
        rest = str_from(rest, 21);
    else if (str_find_str(rest, STR("://")) < rest.n)
        return false;
    slash = str_find(rest, '/');
    w->namespace = slash < rest.n ? str_sub(rest, 0, slash) : STR_NONE;
    w->name = slash < rest.n ? str_from(rest, slash + 1) : rest;
    return true;
}

static void note_choice(const struct wanted *w, const struct holders *all)
{
    if (all->n < 2)
        return;
    api_note(w->gw, w->c->notes, SEV_WARNING, "LAT0307", w->spot,
             "\"%.*s\" is %zu things; %.*s is used, not %.*s", STRF(w->written), all->n,
             STRF(compile_title(w->c, all->v[0].object)),
             STRF(compile_title(w->c, all->v[1].object)));
}

static bool choose(const struct wanted *w, struct holder *ret)
{
    struct str stages[4];
    size_t n = 0;

    if (str_is_set(w->namespace)) {
        stages[n++] = w->namespace;
    } else if (str_is_set(w->c->o->namespace)) {
        stages[n++] = w->c->o->namespace;
    } else {
        stages[n++] = STR("istio-ingress");
        stages[n++] = STR("istio-system");
        stages[n++] = w->gw->meta->namespace;
        stages[n++] = STR_NONE; /* any */
    }
    for (size_t i = 0; i < n; i++) {
        struct holders all = { 0 };

        holders_in(w->c, stages[i], w->name, &all);
        if (!all.n)
            continue;
        note_choice(w, &all);
        *ret = all.v[0];
        return true;
    }
    return false;
}

/* ---- compiling ---- */

struct str secret_key(const struct api_object *secret, struct str key)
{
    const struct api_secret *s = secret->body;
    struct str v = api_map_get(&s->string_data, key);

    return str_is_set(v) ? v : api_map_get(&s->data, key);
}

/* Chain and key of a Secret: `cert` and `key`, then the keys of kubernetes.io/tls. */
static bool secret_octets(struct compile *c, const struct api_object *o, struct str *chain,
                          struct str *key)
{
    *chain = secret_key(o, STR("cert"));
    *key = secret_key(o, STR("key"));
    if (!chain->n || !key->n) {
        *chain = secret_key(o, STR("tls.crt"));
        *key = secret_key(o, STR("tls.key"));
    }
    if (chain->n && key->n)
        return true;
    api_note(o, c->notes, SEV_ERROR, "LAT0307", SPOT(o->meta),
             "holds no certificate: it needs tls.crt and tls.key (or cert and key)");
    return false;
}

static bool holder_octets(struct compile *c, const struct holder *h, struct str *chain,
                          struct str *key)
{
    const struct api_certificate *cert = h->object->body;

    if (!h->is_certificate)
        return secret_octets(c, h->object, chain, key);
    if (c->o->dev && c->o->hooks.issue)
        return issued_get(c, h->object, chain, key);
    api_note(h->object, c->notes, SEV_WARNING, "LAT0307", LEAF(cert, "secretName"),
             "Secret \"%.*s\" is not there yet", STRF(cert->secret_name));
    return false;
}

static void show_certificate(struct compile *c, struct secret_ref *ref, const struct secret *s)
{
    struct mesh_credential *shown = &ref->shown;

    ref->keypair = s->keypair;
    shown->not_after_ms = s->not_after_ms;
    shown->dns_names = ARENA_ARRAY(c->whole, struct str, s->dns_names.n + 1);
    shown->dns_name_count = s->dns_names.n;
    for (uint32_t i = 0; i < s->dns_names.n; i++)
        shown->dns_names[i] = arena_dup(c->whole, s->dns_names.v[i]);
}

/* What this slot held before serves on; false: there is nothing. */
static bool keep_last_good(struct compile *c, struct secret_ref *ref, struct str name)
{
    const struct secret *old;

    if (!compile_keep(c, PART_SECRET, name))
        return false;
    old = root_secret(c->base, ref->slot);
    show_certificate(c, ref, old);
    return true;
}

static bool put_secret(struct compile *c, const struct holder *h, struct secret_ref *ref,
                       struct str name, struct str chain, struct str key)
{
    struct secret *s = compile_part(c, PART_SECRET, name);
    struct part *p = &s->part;
    struct str why;

    part_origin(p, compile_origin(c, h->object, SPOT(h->object->meta)));
    s->chain_pem = arena_dup(p->arena, chain);
    s->key_pem = arena_dup(p->arena, key);
    if (!compile_put(c, p, &why)) {
        api_note(h->object, c->notes, SEV_ERROR, "LAT0307", SPOT(h->object->meta), "%.*s",
                 STRF(why));
        return false;
    }
    uses_credential(c, h->object);
    p = compile_hold(c, PART_SECRET, ref->slot); /* the earlier one where this one is the same */
    show_certificate(c, ref, (const struct secret *)(const void *)p);
    c->keep = arena_grow(c->whole, c->keep, c->keep_count, &c->keep_cap, sizeof(*c->keep));
    c->keep[c->keep_count++] = p; /* ref->keypair lives in it */
    return true;
}

static void secret_make(struct compile *c, const struct holder *h, struct secret_ref *ref)
{
    struct str name = ref->shown.secret, chain, key;

    ref->usable = holder_octets(c, h, &chain, &key) && put_secret(c, h, ref, name, chain, key);
    if (!ref->usable && keep_last_good(c, ref, name)) {
        ref->usable = true;
        api_note(h->object, c->notes, SEV_WARNING, "LAT0308", SPOT(h->object->meta),
                 "the certificate that was in use stays");
    }
}

static struct secret_ref *secret_new(struct compile *c, const struct holder *h, struct str name)
{
    struct secret_ref *ref = ARENA_NEW(c->whole, struct secret_ref);
    struct notes *notes = c->notes;

    ref->slot = slots_of(c->slots, PART_SECRET, name);
    ref->shown.secret = name;
    ref->shown.origin = arena_dup(c->whole, compile_title(c, h->object));
    ref->shown.is_issued_here = h->is_certificate;
    map_put(&c->secrets, name, ref);
    notes_init(&ref->notes, c->whole);
    ref->notes.max = notes->max;
    c->notes = &ref->notes;
    secret_make(c, h, ref);
    c->notes = notes;
    notes_own(&ref->notes); /* the piece under way may be over before another one asks */
    return ref;
}

static struct secret_ref *secret_compile(struct compile *c, const struct holder *h,
                                         struct str secret_name)
{
    struct str name = arena_printf(c->whole, "kubernetes://%.*s/%.*s", STRF(h->namespace),
                                   STRF(secret_name));
    struct secret_ref *ref = map_get(&c->secrets, name);

    ref = ref ? ref : secret_new(c, h, name);
    notes_append(c->notes, &ref->notes);
    return ref;
}

/* ---- what is said about it ---- */

static void note_covered(struct compile *c, const struct wanted *w, const struct secret_ref *ref,
                         const struct str *hosts, size_t n)
{
    for (size_t i = 0; i < n && ref->keypair; i++) {
        bool covered = hosts[i].p[0] != '*' && tls_keypair_covers(ref->keypair, hosts[i]);

        for (size_t k = 0; k < ref->shown.dns_name_count && !covered; k++)
            covered = str_eq(ref->shown.dns_names[k], hosts[i]) || str_eq(hosts[i], STR("*"));
        if (!covered)
            api_note(w->gw, c->notes, SEV_WARNING, "LAT0307", w->spot,
                     "the certificate of %.*s does not name %.*s: browsers will refuse it",
                     STRF(ref->shown.origin), STRF(hosts[i]));
    }
}

static void note_expired(struct compile *c, const struct wanted *w, const struct secret_ref *ref)
{
    const struct mesh_hooks *h = &c->o->hooks;

    if (h->wall_ms && ref->shown.not_after_ms && ref->shown.not_after_ms < h->wall_ms(h->arg))
        api_note(w->gw, c->notes, SEV_WARNING, "LAT0307", w->spot,
                 "the certificate of %.*s has expired", STRF(ref->shown.origin));
}

/* For the summary: what the chain under way presents. */
static void show(struct compile *c, const struct wanted *w, const struct mesh_credential *shown)
{
    struct credentials *all = c->credentials;
    struct arena *a = c->credentials_arena;
    struct mesh_credential *to;

    all->v = arena_grow(a, all->v, all->n, &all->cap, sizeof(*all->v));
    to = &all->v[all->n++];
    *to = shown ? *shown : (struct mesh_credential){ .secret = STR("") };
    to->name = arena_dup(a, w->written);
    to->secret = arena_dup(a, to->secret);
    to->origin = arena_dup(a, to->origin);
    to->dns_names = ARENA_ARRAY(a, struct str, to->dns_name_count + 1);
    for (size_t i = 0; i < to->dns_name_count; i++)
        to->dns_names[i] = arena_dup(a, shown->dns_names[i]);
}

void secret_use(struct compile *c, slot_id slot)
{
    struct credentials *all = c->credentials;
    struct service *s;

    if (!c->reading || !c->reading->is_service) {
        all->slots = arena_grow(c->credentials_arena, all->slots, all->slot_n, &all->slot_cap,
                                sizeof(*all->slots));
        all->slots[all->slot_n++] = slot;
        return;
    }
    s = CONTAINER_OF(c->reading, struct service, reader);
    s->secrets = arena_grow(s->arena, s->secrets, s->secret_count, &s->secret_cap,
                            sizeof(*s->secrets));
    s->secrets[s->secret_count++] = slot;
    if (slot >= c->reg->secrets_n) {
        size_t n = MAX((size_t)slot + 1, c->reg->secrets_n * 2);

        c->reg->secrets = must_realloc(c->reg->secrets, n * sizeof(*c->reg->secrets));
        memset(c->reg->secrets + c->reg->secrets_n, 0,
               (n - c->reg->secrets_n) * sizeof(*c->reg->secrets));
        c->reg->secrets_n = n;
    }
    c->reg->secrets[slot]++;
}

void secrets_let_go(struct compile *c, const struct service *s)
{
    for (size_t i = 0; i < s->secret_count; i++) {
        slot_id slot = s->secrets[i];

        c->m->registry->secrets[slot]--;
        c->dropped = arena_grow(c->whole, c->dropped, c->dropped_n, &c->dropped_cap,
                                sizeof(*c->dropped));
        c->dropped[c->dropped_n++] = slot;
    }
}

static void present(struct compile *c, const struct secret_ref *ref)
{
    const struct mesh_hooks *h = &c->o->hooks;
    int64_t ms = ref->shown.not_after_ms;

    secret_use(c, ref->slot);
    if (ms && h->wall_ms && ms >= h->wall_ms(h->arg) && (!c->expires_ms || ms < c->expires_ms))
        c->expires_ms = ms;
}

static void note_none(const struct wanted *w, const char *what)
{
    api_note(w->gw, w->c->notes, SEV_ERROR, "LAT0307", w->spot,
             "there is no Secret or Certificate for \"%.*s\": %s", STRF(w->written), what);
}

static slot_id credential(struct compile *c, const struct wanted *wanted, const struct str *hosts,
                          size_t n)
{
    struct wanted w = *wanted;
    struct secret_ref *ref;
    struct holder h;

    if (!name_parse(&w)) {
        compile_unsupported(c, w.gw, w.spot,
                            "credentials of this scheme are not carried out yet: handshakes for "
                            "these hosts are closed");
        show(c, &w, NULL);
        return SLOT_NONE;
    }
    if (!choose(&w, &h)) {
        note_none(&w, "handshakes for these hosts are closed");
        show(c, &w, NULL);
        return SLOT_NONE;
    }
    ref = secret_compile(c, &h, w.name);
    if (!ref->usable)
        api_note(w.gw, c->notes, SEV_ERROR, "LAT0307", w.spot,
                 "%.*s gives no certificate: handshakes for these hosts are closed",
                 STRF(ref->shown.origin));
    note_covered(c, &w, ref, hosts, n);
    note_expired(c, &w, ref);
    show(c, &w, &ref->shown);
    present(c, ref);
    return ref->slot;
}

/* ---- for clusters ---- */

static bool holder_of(struct compile *c, const struct secret_field *f, struct wanted *w,
                      struct holder *ret)
{
    *w = (struct wanted){ .c = c, .gw = f->by, .spot = f->spot, .written = f->written };
    if (!name_parse(w))
        compile_unsupported(c, w->gw, w->spot,
                            "credentials of this scheme are not carried out yet: what needs it is "
                            "closed");
    else if (choose(w, ret))
        return true;
    else
        note_none(w, "what needs it is closed");
    return false;
}

const struct api_object *secret_find(struct compile *c, const struct secret_field *f,
                                     struct str *ret_name)
{
    struct wanted w;
    struct holder h;

    if (!holder_of(c, f, &w, &h))
        return NULL;
    *ret_name = w.name;
    return h.object;
}

slot_id secret_of_credential(struct compile *c, const struct secret_field *f)
{
    struct wanted w;
    struct holder h;
    struct secret_ref *ref;

    if (!holder_of(c, f, &w, &h))
        return slots_of(c->slots, PART_SECRET,
                        arena_printf(c->a, "kubernetes://%.*s", STRF(f->written)));
    ref = secret_compile(c, &h, w.name);
    secret_use(c, ref->slot);
    return ref->slot;
}

/* ---- for servers ---- */

/* A certificate in files: the server's own, or one of tlsCertificates, of which two count. */
static void files_present(struct compile *c, const struct api_object *gw,
                          const struct api_gw_tls *tls, struct chain *chain)
{
    struct secret_field cert = { gw, LEAF(tls, "serverCertificate"), tls->server_certificate };
    struct secret_field key = { gw, LEAF(tls, "privateKey"), tls->private_key };
    size_t n = MIN(tls->tls_certificates.n, (size_t)2);

    ARRAY_COPY(&chain->part, chain->secrets, n ? n : 1);
    for (uint32_t i = 0; i < chain->secrets.n; i++) {
        const struct api_gw_tls_certificate *one = n ? &tls->tls_certificates.v[i] : NULL;

        if (one) {
            cert = (struct secret_field){ gw, LEAF(one, "serverCertificate"),
                                          one->server_certificate };
            key = (struct secret_field){ gw, LEAF(one, "privateKey"), one->private_key };
        }
        if (i == 0)
            chain->credential = arena_dup(chain->part.arena, cert.written);
        chain->secrets.v[i] = secret_of_files(c, &cert, &key);
    }
}

void credentials_compile(struct compile *c, const struct api_object *gw,
                         const struct api_gw_tls *tls, struct chain *chain, const struct str *hosts,
                         size_t host_count)
{
    size_t n = tls->credential_names.n ? tls->credential_names.n : 1;

    if (!tls->credential_name.n && !tls->credential_names.n) {
        files_present(c, gw, tls, chain);
        return;
    }
    ARRAY_COPY(&chain->part, chain->secrets, n);
    chain->secrets.n = 0;
    for (size_t i = 0; i < n; i++) {
        bool many = tls->credential_names.n > 0;
        struct wanted w = { .c = c,
                            .gw = gw,
                            .spot = many ? ITEM(tls, "credentialNames", i)
                                         : LEAF(tls, "credentialName"),
                            .written = many ? tls->credential_names.v[i] : tls->credential_name };
        slot_id slot;

        if (i == 0)
            chain->credential = arena_dup(chain->part.arena, w.written);
        slot = credential(c, &w, hosts, host_count);
        if (slot != SLOT_NONE)
            chain->secrets.v[chain->secrets.n++] = slot;
    }
}

static void rest(struct compile *c)
{
    const struct object_list *certs = store_list(c->store, OBJ_CERTIFICATE);

    for (size_t i = 0; i < certs->n; i++) {
        const struct api_certificate *cert = certs->v[i]->body;
        struct holder h = { certs->v[i], true, certs->v[i]->meta->namespace };

        if (!store_find(c->store, OBJ_SECRET, h.namespace, cert->secret_name))
            secret_compile(c, &h, cert->secret_name);
    }
}

void credentials_rest(struct compile *c)
{
    struct plan *p = c->plan;
    struct notes *notes = c->notes;
    size_t unsupported = c->sum->unsupported;

    if (!c->o->dev || !c->o->hooks.issue)
        return;
    p->rest = arena_new(1024);
    notes_init(&p->rest_notes, p->rest);
    p->rest_notes.max = notes->max;
    c->notes = &p->rest_notes;
    rest(c);
    notes_own(&p->rest_notes);
    c->notes = notes;
    p->unsupported = c->sum->unsupported - unsupported;
    c->sum->unsupported = unsupported;
}
