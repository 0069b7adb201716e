/*
 * tests/fuzz/fuzz - the two faces of a fuzz target: libFuzzer's, and a run over its corpus.
 *
 * A target is one file with LLVMFuzzerTestOneInput; what must hold, it says with MUST.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);
