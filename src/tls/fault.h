/*
 * tls/fault - what OpenSSL says went wrong, as text.
 */
#pragma once

#include "base/str.h"

/* Writes the first reason in this thread's error queue, or `otherwise` when it is empty, and
 * empties the queue: "bad base64 decode". */
struct str fault_reason(char *out, size_t size, const char *otherwise);

/* An error code as Envoy prints its transport failure reason, or `otherwise` for code 0:
 * "TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end".
 * `detail` stands before the end; "": none. */
struct str fault_envoy(unsigned long code, const char *detail, char *out, size_t size,
                       const char *otherwise);
