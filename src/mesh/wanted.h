/*
 * mesh/wanted - the certificates that Certificate objects want, for who carries them out.
 *
 * A Certificate is for its Secret what cert-manager makes of it: this page says what is asked for,
 * who issues it, and what the Secret holds now. Source: cert-manager.io/v1 (api/certmanager.h);
 * the annotations of the Secret are cert-manager's own, with one of ours beside them.
 */
#pragma once

#include "mesh/mesh.h"
#include "tls/issue.h"

enum mesh_issuer { MESH_ISSUER_NONE, MESH_ISSUER_SELF_SIGNED, MESH_ISSUER_CA };

struct mesh_wanted {
    struct str namespace, name, secret_name;
    struct str issuer_name, issuer_kind, issuer_group; /* as issuerRef says */
    enum mesh_issuer issuer;
    struct str problem;           /* set: it cannot be issued now; noted at its place */
    struct str ca_chain, ca_key;  /* PEM; of MESH_ISSUER_CA */
    struct issue_request request; /* but for times, issuer and old key */
    int64_t lifetime_ms;          /* 90 days where the Certificate says nothing */
    int64_t renew_before_ms;      /* before its end; 0: a third of the lifetime */
    bool keeps_key;               /* rotationPolicy Never */
    const struct str_map *labels, *annotations; /* of secretTemplate; may be NULL */
    uint64_t hash;                              /* of the request; the same in every process */

    /* The Secret as it is. */
    bool has_secret;
    struct str secret_chain, secret_key; /* PEM */
    struct str secret_issuer;            /* "kind/name" of who issued it; as annotated */
    struct str secret_request;           /* `hash` then, in hex; unset: it is not one of ours */
};

/* Of the last update; valid until the next one. `ret_changed`: it may differ from before. None
 * where the mesh was not told to look (mesh_options.certificates). */
const struct mesh_wanted *mesh_wanted(const struct mesh *m, size_t *ret_n, bool *ret_changed);

#define WANTED_REQUEST "lateen.io/request" /* the annotation of `secret_request` */
