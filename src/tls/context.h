/*
 * tls/context - what TLS connections of one worker share: an SSL_CTX for each profile.
 *
 * A profile is versions, ciphers and protocols; certificates are not part of it (design
 * 5.15). Contexts are made at first use and kept; one thread.
 */
#pragma once

#include "base/str.h"

struct tls_contexts;
struct tls_context;

/* All borrowed for the call. */
struct tls_setup {
    uint16_t min_version, max_version; /* 0x0303, 0x0304...; 0: TLS 1.2 and 1.3 */
    const struct str *ciphers;         /* of TLS 1.2, OpenSSL's names; unknown ones are skipped */
    size_t cipher_count;               /* 0: Envoy's default list */
    const struct str *alpn;            /* in order of preference */
    size_t alpn_count;
    bool is_client; /* of connections that are dialled */
};

struct tls_contexts *tls_contexts_new(void);
void tls_contexts_free(struct tls_contexts *all); /* takes NULL; no engine may be left */

/* The context of a profile, held until tls_context_unref; NULL with a constant text when no
 * context can be made of it. */
MUST_USE struct tls_context *tls_context_get(struct tls_contexts *all, const struct tls_setup *s,
                                             struct str *reterr);
void tls_context_unref(struct tls_context *c); /* takes NULL */

size_t tls_contexts_count(const struct tls_contexts *all);
