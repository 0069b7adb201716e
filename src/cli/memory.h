/*
 * cli/memory - what the configuration takes, for whoever asks: told by the compiler's thread
 * after each change, read from any thread.
 */
#pragma once

#include "base/tally.h"

#define MEMORY_ROWS 8

/* Up to MEMORY_ROWS rows; their names are kept, which are literals. One thread only. */
void memory_tell(const struct tally *rows, size_t n);
/* The rows told last; how many. Each number is right, though rows may be of two changes. */
size_t memory_rows(struct tally ret[MEMORY_ROWS]);
