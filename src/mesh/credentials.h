/*
 * mesh/credentials - secrets as parts, for whoever names them: servers (credentials.c) and clusters
 * (client_tls.c). A secret that cannot be had is named all the same: its part is missing, and every
 * handshake that needs it is closed.
 */
#pragma once

#include "mesh/compile.h"

struct secret_pem {
    struct str chain, key, ca, crl; /* empty: none */
};

/* Where a field names a secret. */
struct secret_field {
    const struct api_object *by;
    struct api_spot spot;
    struct str written;
};

/* The slot of a certificate with its key; `written` is the name of a Secret. */
slot_id secret_of_credential(struct compile *c, const struct secret_field *f);
/* The same in files. */
slot_id secret_of_files(struct compile *c, const struct secret_field *cert,
                        const struct secret_field *key);
/* The slot of authorities: of `<name>-cacert`, or of the Secret itself, or "configmap://ns/name".
 */
slot_id trust_of_credential(struct compile *c, const struct secret_field *f);
/* In a file, with revocation lists in another where `crl->written` has octets. */
slot_id trust_of_file(struct compile *c, const struct secret_field *ca,
                      const struct secret_field *crl);
/* Those of the system. */
slot_id trust_of_system(struct compile *c, const struct secret_field *f);

/* ---- between credentials.c and trust.c ---- */

/* The Secret that a name means here; NULL with a note. `ret_name` is without scheme and
 * namespace. */
const struct api_object *secret_find(struct compile *c, const struct secret_field *f,
                                     struct str *ret_name);
/* A key of a Secret; empty: it has none. */
struct str secret_key(const struct api_object *secret, struct str key);
/* Keeps the slot's part as long as the piece of work under way stands. */
void secret_use(struct compile *c, slot_id slot);
/* The end of `secret_use` for a service that is made again. */
void secrets_let_go(struct compile *c, const struct service *s);
