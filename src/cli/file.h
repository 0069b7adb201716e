/*
 * cli/file - small files read and written whole. Blocks: for main and the compiler only.
 */
#pragma once

#include "base/arena.h"

/* Reads a file of at most `max` octets into the arena. False: `reterr` has the kernel's
 * words, or that it is too large. */
MUST_USE bool file_read(struct str path, size_t max, struct arena *a, struct str *ret,
                        struct str *reterr);

/* Writes all of it to a descriptor, however often that takes. False: errno. */
bool write_all(int fd, struct str octets);

/* Writes PATH.PID.tmp, syncs it and renames it over PATH, so that a reader sees the old octets
 * or the new ones. Mode 0600. False: errno says why, PATH is untouched. */
MUST_USE bool file_write_atomic(struct str path, struct str octets);

/* Makes a directory and what is missing above it, the last one with mode 0700. True as well
 * where it is there already. */
MUST_USE bool dir_make(struct str path);
