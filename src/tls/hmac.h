/*
 * tls/hmac - HMAC (RFC 2104) and what TLS 1.3 derives with it (RFC 8446, 7.1), over SHA-256 and
 * SHA-384.
 *
 * OpenSSL's SHA without EVP around it: a derivation allocates nothing and looks nothing up. No
 * function fails but where a length is too large; what is secret is wiped behind it.
 */
#pragma once

#include "base/str.h"

#include <openssl/sha.h>
#include <stdint.h>

#define HMAC_SIZE_MAX SHA384_DIGEST_LENGTH

struct hmac_hash;

union hmac_state {
    SHA256_CTX sha256;
    SHA512_CTX sha384;
};

struct hmac {
    const struct hmac_hash *hash;
    union hmac_state inner, outer;
};

const struct hmac_hash *hmac_hash_of(const char *name); /* OpenSSL's name; NULL: another hash */
size_t hmac_size(const struct hmac_hash *hash);         /* octets of a code */
size_t hmac_block(const struct hmac_hash *hash);

void hmac_start(struct hmac *h, const struct hmac_hash *hash, struct str key);
void hmac_add(struct hmac *h, struct str octets);
void hmac_end(struct hmac *h, uint8_t *out); /* writes hmac_size() octets; wipes h */

/* HkdfLabel without its length; the label is `prefix` and `label` together. */
struct hmac_label {
    struct str prefix, label, data;
};

/* HKDF-Expand-Label. False: a part is too long for its length octet, or `n` for the hash. */
MUST_USE bool hmac_expand(const struct hmac_hash *hash, struct str secret,
                          const struct hmac_label *l, uint8_t *out, size_t n);
/* The next secret of the key schedule: HKDF-Extract of `fresh` (absent: zeros) with what
 * `before` (absent: none) derives by the label of `l`. Writes hmac_size() octets. */
MUST_USE bool hmac_extract(const struct hmac_hash *hash, struct str before, struct str fresh,
                           const struct hmac_label *l, uint8_t *out);
