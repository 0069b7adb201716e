/*
 * telemetry/log_addr - addresses in log lines.
 *
 * A connection's addresses stand in each of its lines, so a thread keeps the texts of some IPv4
 * addresses that it wrote last.
 */
#pragma once

#include "base/addr.h"

struct log_op;
struct log_pen;

/* Writes "1.2.3.4:80" or "[::1]:80" as log_op_write does, or what stands for one that is not set.
 */
char *log_addr_write(const struct log_op *op, const struct addr *a, char *at, struct log_pen *pen);
