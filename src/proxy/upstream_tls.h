/*
 * proxy/upstream_tls - whom TLS to an endpoint is opened for, and what tells its connections
 * apart: one is used only by requests that would have opened it the same way.
 */
#pragma once

#include "model/root.h"

#define UPSTREAM_NAME_MAX 255

/* All that TLS to the cluster depends on, its certificates included; 0: clear text. */
uint64_t upstream_tls_hash(const struct cluster *c, const struct root *root);

/* The server's name for a request to `authority`, lower case, in `into`. False: longer than a
 * name can be (CVE-2024-32475). */
MUST_USE bool upstream_tls_name(const struct client_tls *tls, struct str authority,
                                char into[static UPSTREAM_NAME_MAX + 1], struct str *ret);
