/*
 * tls/peer - who the client of a connection is: the certificate that it showed, as logs and
 * headers tell of it.
 *
 * One thread, by a plain count of references. Made once a connection, and only where clients are
 * asked for certificates.
 */
#pragma once

#include "base/str.h"
#include "tls/engine.h"

struct tls_peer {
    struct arena *arena; /* of it all */
    uint32_t refs;
    struct str subject, issuer;           /* RFC 2253 */
    struct str serial;                    /* lower-case hex */
    struct str fingerprint;               /* SHA-256, lower-case hex */
    struct str cert;                      /* PEM, octets that headers cannot have as %HH */
    struct str uris, dns_names;           /* with commas between them; empty: none */
    struct str local_uris, local_subject; /* of the certificate that was shown to it */
    /* A value of x-forwarded-client-cert, as Istio sets it up: By, Hash, Cert, Subject, URI, DNS.
     */
    struct str forwarded;
};

/* Of an engine whose handshake is over; NULL: it showed none. One reference. */
struct tls_peer *tls_peer_of(const struct engine *e);
struct tls_peer *tls_peer_ref(struct tls_peer *p); /* takes NULL */
void tls_peer_unref(struct tls_peer *p);           /* takes NULL */
