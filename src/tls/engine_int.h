/*
 * tls/engine_int - what contexts' callbacks need of an engine; for this folder only.
 */
#pragma once

#include "tls/engine.h"

/* What is demanded of the other side, and why its certificate was refused. */
struct engine_check {
    struct tls_demand demand;
    char unverified[256];
};

/* An engine over its carrier, which has chosen no side yet. False: no memory. */
MUST_USE bool engine_begin(struct engine *e, const struct engine_carrier *carrier,
                           struct tls_context *take_context);
void engine_check_new(struct engine *e, const struct tls_demand *d);

/* The session that was resumed is of a certificate whose time is over by now. */
bool engine_has_expired(const struct engine *e);

bool engine_attach_keypairs(struct engine *e);
struct tls_contexts *engine_contexts(struct engine *e);
/* OpenSSL's info callback: counts what comes besides data. */
void engine_note(const struct ssl_st *ssl, int where, int value);
