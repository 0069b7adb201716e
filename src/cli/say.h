/*
 * cli/say - what commands print: data on stdout, diagnostics on stderr.
 *
 * Blocking writes, whole. Tests take the two sinks over.
 */
#pragma once

#include "base/buf.h"

extern void (*say_out_sink)(struct str text);
extern void (*say_err_sink)(struct str text);

void say_out(const char *fmt, ...) PRINTF_LIKE(1, 2);
void say_err(const char *fmt, ...) PRINTF_LIKE(1, 2);
