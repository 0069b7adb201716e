#include "cli/echo_tls.h"

#include <stdlib.h>

struct echo_tls {
    struct tls_chooser chooser;
    struct slots *slots;
    struct root *root;
    slot_id chain;
};

static const struct chain *choose(const struct tls_chooser *self, struct str sni,
                                  const struct root **ret_root)
{
    const struct echo_tls *t = CONTAINER_OF(self, struct echo_tls, chooser);

    (void)sni; /* one certificate for all names */
    *ret_root = t->root;
    return root_chain(t->root, t->chain);
}

/* A secret part in its slot, or SLOT_NONE with a sentence. */
static slot_id secret_set(struct echo_tls *t, struct root_edit *edit, struct secret *s,
                          struct arena *a, struct str *reterr)
{
    struct str why;

    s->part.slot = slots_of(t->slots, PART_SECRET, s->part.name);
    if (!part_finish(&s->part, &why)) {
        *reterr = arena_dup(a, why);
        part_unref(&s->part);
        return SLOT_NONE;
    }
    root_edit_set(edit, &s->part);
    return s->part.slot;
}

static slot_id keypair_set(struct echo_tls *t, struct root_edit *edit, struct str chain_pem,
                           struct str key_pem, struct arena *a, struct str *reterr)
{
    struct secret *s = part_new(PART_SECRET, STR("certificate"));

    s->chain_pem = arena_dup(s->part.arena, chain_pem);
    s->key_pem = arena_dup(s->part.arena, key_pem);
    return secret_set(t, edit, s, a, reterr);
}

static slot_id ca_set(struct echo_tls *t, struct root_edit *edit, struct str ca_pem,
                      struct arena *a, struct str *reterr)
{
    struct secret *s = part_new(PART_SECRET, STR("client-ca"));

    s->ca_pem = arena_dup(s->part.arena, ca_pem);
    return secret_set(t, edit, s, a, reterr);
}

static bool chain_set(struct echo_tls *t, struct root_edit *edit, slot_id secret, slot_id ca,
                      struct arena *a, struct str *reterr)
{
    struct chain *c = part_new(PART_CHAIN, STR("echo"));
    struct str why;

    c->part.slot = slots_of(t->slots, PART_CHAIN, c->part.name);
    c->tls.mode = ca == SLOT_NONE ? TLS_MODE_SIMPLE : TLS_MODE_MUTUAL;
    c->tls.client_ca = ca;
    c->tls.alpn.v = ARENA_ARRAY(c->part.arena, struct str, 2);
    c->tls.alpn.v[0] = STR("h2");
    c->tls.alpn.v[1] = STR("http/1.1");
    c->tls.alpn.n = 2;
    c->secrets.v = ARENA_NEW(c->part.arena, slot_id);
    c->secrets.v[0] = secret;
    c->secrets.n = 1;
    c->http.routes = SLOT_NONE;
    if (!part_finish(&c->part, &why)) {
        *reterr = arena_dup(a, why);
        part_unref(&c->part);
        return false;
    }
    t->chain = c->part.slot;
    root_edit_set(edit, &c->part);
    return true;
}

struct echo_tls *echo_tls_new(struct str chain_pem, struct str key_pem, struct str client_ca_pem,
                              struct arena *a, struct str *reterr)
{
    struct echo_tls *t = must_alloc(sizeof(*t));
    struct root_edit *edit = root_edit_new(NULL);
    slot_id ca = SLOT_NONE, secret;
    bool fine;

    t->chooser.choose = choose;
    t->slots = slots_new();
    secret = keypair_set(t, edit, chain_pem, key_pem, a, reterr);
    if (str_is_set(client_ca_pem) && secret != SLOT_NONE)
        ca = ca_set(t, edit, client_ca_pem, a, reterr);
    fine = secret != SLOT_NONE && (ca != SLOT_NONE || !str_is_set(client_ca_pem)) &&
           chain_set(t, edit, secret, ca, a, reterr);
    t->root = root_edit_finish(edit);
    if (fine)
        return t;
    echo_tls_free(t);
    return NULL;
}

void echo_tls_free(struct echo_tls *t)
{
    if (!t)
        return;
    root_unref(t->root);
    slots_free(t->slots);
    free(t);
}

const struct tls_chooser *echo_tls_chooser(const struct echo_tls *t)
{
    return t ? &t->chooser : NULL;
}
