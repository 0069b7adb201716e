/*
 * acme/desk - carries out Certificates: asks their issuers, keeps what they give, renews it.
 *
 * What is issued becomes the manifest of a Secret in a directory that is read like any other
 * (cert-manager writes Secrets, too): it is served, survives a restart and falls back to its last
 * good version by the rules of all manifests, and a second program on the same directory serves it
 * as well. Files are written whole or not at all, mode 0600.
 *
 * Belongs to the compiler thread: making a key takes longer than main may. Blocks on the disk.
 * Clocks are handed in.
 */
#pragma once

#include "mesh/wanted.h"

struct desk;

/* `dir` is made, 0700, with what is missing above it. NULL with errno: it cannot be. */
MUST_USE struct desk *desk_new(struct str dir);
void desk_free(struct desk *d); /* takes NULL */

/* Does what is due for these. True: a manifest was written, and is to be read. */
bool desk_round(struct desk *d, const struct mesh_wanted *v, size_t n, int64_t now_ms);
/* When there is something to do again, if nothing changes before; INT64_MAX: never. */
int64_t desk_due_ms(const struct desk *d);
