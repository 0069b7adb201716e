/*
 * acme/secret - an issued certificate as the manifest of a Secret, the way cert-manager fills it.
 */
#pragma once

#include "base/buf.h"
#include "mesh/wanted.h"

struct issued_secret {
    struct str chain, key, root; /* PEM; root: the issuer's, for ca.crt; may be empty */
};

/* Appends one YAML document. */
void secret_manifest(struct buf *b, const struct mesh_wanted *w, const struct issued_secret *s);
/* "<namespace>.<secret>.yaml", NUL-terminated; what is too long for a file ends in a hash. */
#define SECRET_FILE_MAX 256
void secret_file(const struct mesh_wanted *w, char out[static SECRET_FILE_MAX]);
/* `hash` as the annotation WANTED_REQUEST has it. */
#define SECRET_HASH_LEN 16
void secret_hash(uint64_t hash, char out[static SECRET_HASH_LEN + 1]);
