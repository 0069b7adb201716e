/*
 * cli/echo_tls - the certificate of `lateen echo --tls-port`, as the parts that net/ takes.
 */
#pragma once

#include "net/net.h"

struct echo_tls;

/* From PEM texts. NULL with a sentence in `reterr` (in `a`). */
struct echo_tls *echo_tls_new(struct str chain_pem, struct str key_pem, struct arena *a,
                              struct str *reterr);
void echo_tls_free(struct echo_tls *t); /* takes NULL; behind the last connection */
const struct tls_chooser *echo_tls_chooser(const struct echo_tls *t);
