/*
 * telemetry/log_addr - the texts of addresses in log lines.
 *
 * A connection's addresses stand in each of its lines, so a thread keeps the texts of some IPv4
 * addresses that it wrote last.
 */
#pragma once

#include "base/addr.h"

/* "1.2.3.4:80", "[::1]:80" of an address that is set. Lies in `out`, or in the thread's memory
 * until its next call. */
struct str log_addr_text(const struct addr *a, char out[static ADDR_TEXT_MAX]);
