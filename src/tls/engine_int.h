/*
 * tls/engine_int - what contexts' callbacks need of an engine; for this folder only.
 */
#pragma once

#include "tls/engine.h"

bool engine_attach_keypairs(struct engine *e);
struct tls_contexts *engine_contexts(struct engine *e);
/* OpenSSL's info callback: counts what comes besides data. */
void engine_note(const struct ssl_st *ssl, int where, int value);
