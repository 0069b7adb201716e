/*
 * tls/issue_int - the parts of a certificate that name something: for tls/issue alone.
 */
#pragma once

#include "tls/issue.h"

#include <openssl/x509v3.h>

/* Subject and issuer. */
MUST_USE bool issue_add_subject(X509 *cert, const struct issue_request *r);
/* subjectAltName; nothing where the request has none. */
MUST_USE bool issue_add_alternatives(X509 *cert, const struct issue_request *r);
/* keyUsage and extKeyUsage. */
MUST_USE bool issue_add_usages(X509 *cert, const struct issue_request *r);
