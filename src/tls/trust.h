/*
 * tls/trust - the authorities that certificates of the other side may come from, and what they
 * have revoked: parsed once, shared by all workers.
 *
 * Made on the compiler thread, immutable afterwards, by reference count (design 5.15).
 */
#pragma once

#include "base/str.h"

struct tls_trust;

/* Where the system keeps its authorities; the first that can be read. */
extern const char *const tls_system_roots[]; /* ends with NULL */

/* Reads the PEM of authorities, and of revocation lists where `crl_pem` has octets: then each
 * authority of a chain needs its list, as in Envoy. NULL with a sentence for people in `reterr`,
 * valid until this thread's next call. */
MUST_USE struct tls_trust *tls_trust_parse(struct str ca_pem, struct str crl_pem,
                                           struct str *reterr);
struct tls_trust *tls_trust_ref(struct tls_trust *t);
void tls_trust_unref(struct tls_trust *t); /* takes NULL; any thread */

size_t tls_trust_count(const struct tls_trust *t); /* authorities */
