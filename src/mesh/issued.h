/*
 * mesh/issued - certificates that the program issued for Certificate objects, kept so that
 * one is asked for once for each content.
 */
#pragma once

#include "mesh/compile.h"

/* Chain and key for a Certificate, borrowed until it changes. False: noted why not. */
MUST_USE bool issued_get(struct compile *c, const struct api_object *o, struct str *ret_chain,
                         struct str *ret_key);
void issued_free(struct map *issued);
