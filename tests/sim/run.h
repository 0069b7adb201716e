/*
 * tests/sim/run - one schedule: builds the world that a seed stands for, lets it run out, and
 * checks that all came to its end and everything was given back.
 */
#pragma once

#include "sim/sim.h"

/* Once a process. */
void runs_begin(void);
void run_schedule(uint64_t seed);
