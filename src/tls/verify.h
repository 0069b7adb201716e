/*
 * tls/verify - what is demanded of the certificate that the other side shows.
 *
 * Source: Envoy's CertificateValidationContext; RFC 6125 6.4 (names; the common name is never
 * looked at), RFC 5280 (purpose, path, revocation: OpenSSL's).
 */
#pragma once

#include "base/str.h"
#include "tls/trust.h"

/* All borrowed while the handshake lasts, but for `trust`, of which the engine takes its own. */
struct tls_demand {
    struct tls_trust *trust; /* NULL: nothing is trusted */
    bool required;           /* server: without a certificate the handshake fails */
    bool skip;               /* any chain will do: insecureSkipVerify */
    const struct str *names; /* one of them must stand in subjectAltName; none: any name */
    size_t name_count;
    const struct str *hashes; /* SHA-256 of the certificate in lower-case hex... */
    size_t hash_count;
    const struct str *spkis; /* ...or of its key in base64: one of all of them */
    size_t spki_count;
};
