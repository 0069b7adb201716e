/*
 * telemetry/log_file - the file of a log, as the writer thread sees it.
 *
 * May block, but never beyond a deadline that the owner sets; never raises SIGPIPE in a
 * thread that blocks it. Not for workers.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdatomic.h>

struct log_file {
    int fd;
    bool is_stream; /* a pipe, terminal or socket: written in pieces that cannot block */
    bool is_torn;   /* the last line was cut by an error: the next write ends it first */
    char *path;     /* NULL: a descriptor of the program (/dev/stdout, /dev/stderr) */
};

MUST_USE enum err log_file_open(struct log_file *f, struct str path);
void log_file_close(struct log_file *f);
/* Opens the path again, as after a rotation. The old file stays where that fails. */
MUST_USE enum err log_file_reopen(struct log_file *f);

/* Writes all of `s`. `*deadline_ns` (CLOCK_MONOTONIC; 0: none) is looked at at least every
 * 100 ms. Returns how many octets were written; fewer on an error. */
size_t log_file_write(struct log_file *f, struct str s, const _Atomic uint64_t *deadline_ns);

uint64_t log_clock_ns(void);
