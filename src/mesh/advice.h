/*
 * mesh/advice - what can be said only when everything is compiled: rules and hosts that other
 * objects take over, names that nearly fit.
 */
#pragma once

#include "mesh/compile.h"

/* Notes of its own, only where verdicts are asked for: `lateen analyze`. */
void advice_note(struct compile *c);
/* Adds to notes of missing names where there is one of that name. */
void advice_hint(struct compile *c, struct notes *notes);
