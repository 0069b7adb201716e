/*
 * ca/store - small files of one directory, read whole and replaced atomically.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Makes `path` and what is missing above it, mode 0700; returns a descriptor of it under an
 * exclusive lock until it is closed, or -1 with errno. */
int store_lock(struct str path);

/* Appends a file's octets. ERR_NOT_FOUND, ERR_LIMIT (larger than `into` may be), ERR_IO... */
MUST_USE enum err store_read(int dir_fd, const char *name, struct buf *into);
/* Replaces a file as a whole, through the disk. */
MUST_USE enum err store_write(int dir_fd, const char *name, unsigned mode, struct str octets);
