/*
 * mesh/wanted_int - what a mesh keeps of wanted certificates.
 */
#pragma once

#include "mesh/compile.h"
#include "mesh/wanted.h"

struct wanted_list {
    struct arena *arena; /* of all below; NULL: nothing was looked at */
    struct mesh_wanted *v;
    size_t n;
    bool changed;
    struct notes notes;
    size_t unsupported;
};

struct api_certificate;

/* Made again if a Certificate, an issuer or a Secret changed. */
void wanted_update(struct compile *c);
void wanted_say(struct compile *c);
void wanted_fini(struct wanted_list *w);

/* One Certificate on its way to the list. */
struct asking {
    struct compile *c;
    struct arena *a; /* of the list */
    const struct api_object *o;
    const struct api_certificate *cert;
    struct mesh_wanted *to;
};

/* It cannot be issued: noted at a place, and said to who would issue it. */
void wanted_cannot(struct asking *k, enum severity severity, const char *code, struct api_spot spot,
                   struct str text);
/* Fills the request, its times and its hash. */
void wanted_ask(struct asking *k);
