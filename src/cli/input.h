/*
 * cli/input - standard input, kept: a control process that is started anew reads it again.
 */
#pragma once

#include "cli/run_options.h"

/* A descriptor of all that standard input has, where -f - asks for it; else -1. Waits for its
 * end. False: it cannot be read or kept, people were told. */
MUST_USE bool input_keep(const struct run_options *o, int *ret_fd);
