/*
 * mesh/trust - authorities, and certificates in files, as parts.
 *
 * Source: istio-api.md 1.3.3 (keys of a CA), 1.5.4 (client TLS), 4.6 (names of secrets).
 */
#include "api/core.h"
#include "mesh/credentials.h"
#include "mesh/lookup.h"
#include "mesh/mesh_int.h"
#include "mesh/uses.h"
#include "tls/trust.h"

/* ---- files ---- */

/* A file's octets, as an input of the piece under way. False with a note. */
static bool file_read(struct compile *c, const struct secret_field *f, struct str *ret)
{
    const struct mesh_hooks *h = &c->o->hooks;
    struct str why = STR("this program reads no files");

    mesh_file_seen(c, f->written);
    if (h->read_file && h->read_file(h->arg, f->written, c->a, ret, &why))
        return true;
    api_note(f->by, c->notes, SEV_ERROR, "LAT0307", f->spot,
             "\"%.*s\" cannot be read: %.*s; what needs it is closed", STRF(f->written), STRF(why));
    return false;
}

/* ---- parts ---- */

/* Made once an update, whoever asks. */
static bool is_made(struct compile *c, struct str name, slot_id *ret)
{
    *ret = slots_of(c->slots, PART_SECRET, name);
    secret_use(c, *ret);
    if (map_has(&c->secrets_made, name))
        return true;
    map_put(&c->secrets_made, arena_dup(c->whole, name), c);
    return false;
}

static void put(struct compile *c, const struct secret_field *f, struct str name,
                const struct secret_pem *pem)
{
    struct secret *s = compile_part(c, PART_SECRET, name);
    struct part *p = &s->part;
    struct str why;

    part_origin(p, compile_origin(c, f->by, f->spot));
    s->chain_pem = arena_dup(p->arena, pem->chain);
    s->key_pem = arena_dup(p->arena, pem->key);
    s->ca_pem = arena_dup(p->arena, pem->ca);
    s->crl_pem = arena_dup(p->arena, pem->crl);
    if (!compile_put(c, p, &why))
        api_note(f->by, c->notes, SEV_ERROR, "LAT0307", f->spot,
                 "\"%.*s\": %.*s; what needs it is closed, or keeps what was good",
                 STRF(f->written), STRF(why));
}

static void keep(struct compile *c, struct str name)
{
    (void)compile_keep(c, PART_SECRET, name);
}

/* ---- of files ---- */

slot_id secret_of_files(struct compile *c, const struct secret_field *cert,
                        const struct secret_field *key)
{
    struct str name = arena_printf(c->a, "file-cert:%.*s~%.*s", STRF(cert->written),
                                   STRF(key->written));
    struct secret_pem pem = { 0 };
    slot_id slot;

    mesh_file_seen(c, cert->written);
    mesh_file_seen(c, key->written);
    if (is_made(c, name, &slot))
        return slot;
    if (file_read(c, cert, &pem.chain) && file_read(c, key, &pem.key))
        put(c, cert, name, &pem);
    else
        keep(c, name);
    return slot;
}

slot_id trust_of_file(struct compile *c, const struct secret_field *ca,
                      const struct secret_field *crl)
{
    struct str name = arena_printf(c->a, "file-root:%.*s%s%.*s", STRF(ca->written),
                                   crl->written.n ? "~" : "", STRF(crl->written));
    struct secret_pem pem = { 0 };
    slot_id slot;

    mesh_file_seen(c, ca->written);
    if (crl->written.n)
        mesh_file_seen(c, crl->written);
    if (is_made(c, name, &slot))
        return slot;
    if (file_read(c, ca, &pem.ca) && (!crl->written.n || file_read(c, crl, &pem.crl)))
        put(c, ca, name, &pem);
    else
        keep(c, name);
    return slot;
}

slot_id trust_of_system(struct compile *c, const struct secret_field *f)
{
    const struct mesh_hooks *h = &c->o->hooks;
    struct secret_pem pem = { 0 };
    struct str why;
    slot_id slot;

    if (is_made(c, STR("file-root:system"), &slot))
        return slot;
    for (size_t i = 0; h->read_file && tls_system_roots[i]; i++) {
        struct str path = str_of(tls_system_roots[i]);

        if (!h->read_file(h->arg, path, c->a, &pem.ca, &why))
            continue;
        mesh_file_seen(c, path);
        put(c, &(struct secret_field){ f->by, f->spot, path }, STR("file-root:system"), &pem);
        return slot;
    }
    if (h->read_file)
        api_note(f->by, c->notes, SEV_ERROR, "LAT0307", f->spot,
                 "the system has no file of authorities (package ca-certificates): set "
                 "caCertificates; connections are refused");
    return slot;
}

/* ---- of Secrets and ConfigMaps ---- */

/* `cacert` with `crl`, then `ca.crt` with `ca.crl`. */
static bool ca_of_secret(struct compile *c, const struct api_object *secret, struct secret_pem *ret)
{
    static const struct str keys[2][2] = { { STR_INIT("cacert"), STR_INIT("crl") },
                                           { STR_INIT("ca.crt"), STR_INIT("ca.crl") } };

    /* what a Certificate fills has no CA beside it yet */
    for (size_t i = 0; secret && str_eq(secret->kind->kind, STR("Secret")) && i < LEN(keys); i++) {
        ret->ca = secret_key(secret, keys[i][0]);
        ret->crl = secret_key(secret, keys[i][1]);
        if (ret->ca.n == 0)
            continue;
        uses_secret_key(c, secret, keys[i][0]);
        if (ret->crl.n)
            uses_secret_key(c, secret, keys[i][1]);
        return true;
    }
    return false;
}

static slot_id trust_of_config_map(struct compile *c, const struct secret_field *f)
{
    struct str path = str_from(f->written, 12), ns = str_sub(path, 0, str_find(path, '/'));
    const struct api_object *o = lookup_object(c, OBJ_CONFIG_MAP, ns, str_from(path, ns.n + 1));
    const struct api_configmap *map = o ? o->body : NULL;
    struct secret_pem pem = { .ca = map ? api_map_get(&map->data, STR("ca.crt")) : STR_NONE };
    slot_id slot;

    if (is_made(c, f->written, &slot))
        return slot;
    if (pem.ca.n)
        put(c, f, f->written, &pem);
    else
        api_note(f->by, c->notes, SEV_ERROR, "LAT0307", f->spot,
                 "there is no ConfigMap \"%.*s\" with a key ca.crt: connections are refused",
                 STRF(path));
    return slot;
}

slot_id trust_of_credential(struct compile *c, const struct secret_field *f)
{
    struct secret_pem pem = { 0 };
    const struct api_object *own, *beside;
    struct str short_name, name;
    slot_id slot;

    if (str_starts(f->written, STR("configmap://")))
        return trust_of_config_map(c, f);
    own = secret_find(c, f, &short_name);
    if (!own)
        return slots_of(c->slots, PART_SECRET,
                        arena_printf(c->a, "kubernetes://%.*s-cacert", STRF(f->written)));
    name = arena_printf(c->a, "kubernetes://%.*s/%.*s-cacert", STRF(own->meta->namespace),
                        STRF(short_name));
    beside = lookup_object(c, OBJ_SECRET, own->meta->namespace,
                           arena_printf(c->a, "%.*s-cacert", STRF(short_name)));
    if (is_made(c, name, &slot))
        return slot;
    if (ca_of_secret(c, beside, &pem) || ca_of_secret(c, own, &pem)) {
        put(c, f, name, &pem);
        return slot;
    }
    keep(c, name);
    api_note(f->by, c->notes, SEV_ERROR, "LAT0307", f->spot,
             "%.*s has no key ca.crt (or cacert), and there is no Secret \"%.*s-cacert\": nobody's "
             "certificate can be checked, and connections are refused",
             STRF(compile_title(c, own)), STRF(short_name));
    return slot;
}
