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

/* The certificate's part in its slot, or SLOT_NONE with a sentence. */
static slot_id secret_set(struct echo_tls *t, struct root_edit *edit, struct str chain_pem,
                          struct str key_pem, struct arena *a, struct str *reterr)
{
    struct secret *s = part_new(PART_SECRET, STR("certificate"));
    slot_id slot = slots_of(t->slots, PART_SECRET, s->part.name);
    struct str why;

    s->part.slot = slot;
    s->chain_pem = arena_dup(s->part.arena, chain_pem);
    s->key_pem = arena_dup(s->part.arena, key_pem);
    if (!part_finish(&s->part, &why)) {
        *reterr = arena_dup(a, why);
        part_unref(&s->part);
        return SLOT_NONE;
    }
    root_edit_set(edit, &s->part);
    return slot;
}

static bool chain_set(struct echo_tls *t, struct root_edit *edit, slot_id secret, struct arena *a,
                      struct str *reterr)
{
    struct chain *c = part_new(PART_CHAIN, STR("echo"));
    struct str why;

    c->part.slot = slots_of(t->slots, PART_CHAIN, c->part.name);
    c->tls.mode = TLS_MODE_SIMPLE;
    c->tls.client_ca = SLOT_NONE;
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

struct echo_tls *echo_tls_new(struct str chain_pem, struct str key_pem, struct arena *a,
                              struct str *reterr)
{
    struct echo_tls *t = must_alloc(sizeof(*t));
    struct root_edit *edit = root_edit_new(NULL);
    slot_id secret;
    bool fine;

    t->chooser.choose = choose;
    t->slots = slots_new();
    secret = secret_set(t, edit, chain_pem, key_pem, a, reterr);
    fine = secret != SLOT_NONE && chain_set(t, edit, secret, a, reterr);
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
