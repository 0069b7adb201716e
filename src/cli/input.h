/*
 * cli/input - standard input, where -f - asks for it: read to its end before anything else, as
 * whoever waits for that must hear signals; kept in a file, as control reads it, also one that is
 * started anew.
 */
#pragma once

#include "cli/run_options.h"

/* Puts all of it in its place. False: it cannot be read or kept, people were told. */
MUST_USE bool input_keep(const struct run_options *o);
/* For the next one that reads it. */
void input_rewind(const struct run_options *o);
/* For a process that is not to read it: nothing is in its place. */
void input_drop(void);
