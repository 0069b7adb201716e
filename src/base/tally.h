/*
 * base/tally - what something takes: how many there are, and their octets.
 */
#pragma once

#include <stddef.h>

struct tally {
    const char *name; /* a literal: "parts" */
    size_t n, octets;
};
