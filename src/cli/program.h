/*
 * cli/program - `lateen run` put together: main's thread from start to exit.
 */
#pragma once

#include "cli/run_options.h"

/* Runs until it is told to leave; returns the exit code. Strings of `o` are borrowed. */
int program_run(const struct run_options *o, struct arena *arena);
