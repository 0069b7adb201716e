/*
 * mesh/kept - the versions of objects that would serve on if their files broke, as octets for
 * the state directory and back (design 5.5: last good by kind, namespace and name).
 *
 * Objects are dealt to shards by their identity, so that a change writes one of them. What is
 * kept is the tree that was read, with its places, so that a program that starts over broken
 * files comes to the very snapshot that one that ran on has. Versioned and checksummed.
 */
#pragma once

#include "base/buf.h"

#define KEPT_SHARDS 64

struct mesh;

/* A number for what each shard holds: the same as long as the shard is. */
void kept_digests(const struct mesh *m, uint64_t ret[KEPT_SHARDS]);
/* Appends a shard; nothing where it holds no object. */
void kept_write(const struct mesh *m, uint32_t shard, struct buf *out);

/* Takes up what kept_write wrote, to be called from hooks.recall. False: `reterr` (a literal)
 * says why it cannot be used; behind a checksum that is right that is no matter of chance. */
bool kept_read(struct mesh *m, struct str octets, struct str *reterr);
