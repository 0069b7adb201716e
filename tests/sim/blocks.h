/*
 * tests/sim/blocks - counts what is taken from malloc and given back (`--wrap`).
 */
#pragma once

#include <stdint.h>

int64_t blocks_live(void);
