/*
 * telemetry/log_count - what all access logs of the program did, for the scraper.
 */
#pragma once

#include <stdint.h>

uint64_t log_lines_written(void);
uint64_t log_lines_dropped(void); /* the thread lagged, or the file could not be written */
