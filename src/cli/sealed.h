/*
 * cli/sealed - octets that one process hands to another: a memory file that nobody can change
 * any more, and that is in no file system.
 */
#pragma once

#include "base/str.h"

/* A descriptor (close-on-exec) of a sealed memory file with these octets, or -1 with errno. */
MUST_USE int sealed_new(struct str octets);

/* Maps one to read. False where it is not sealed or cannot be mapped. sealed_unmap gives the
 * memory back; the descriptor stays the caller's. */
MUST_USE bool sealed_map(int fd, struct str *ret);
void sealed_unmap(struct str octets);
