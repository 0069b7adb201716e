/*
 * cli/program - `lateen run` put together: the keeper's part from start to exit, on main.
 */
#pragma once

#include "cli/run_options.h"

/* Runs until it is told to leave; returns the exit code. Strings of `o` are borrowed. Control and
 * data are processes that are given `argv` again, ended by NULL; threads where it is NULL. */
int program_run(const struct run_options *o, const char *const *argv);
