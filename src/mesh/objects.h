/*
 * mesh/objects - identities: which version of which object serves, and what changed.
 *
 * Contents come and go as files do; each touched identity is then settled: the first place in
 * path order is its present version, and that serves unless it is broken: then what was last
 * good does (design 5.5). One that stands nowhere stays as it was while its file keeps it.
 * Nothing here walks what nobody touched.
 */
#pragma once

#include "base/notes.h"
#include "mesh/content.h"
#include "mesh/store.h"

struct objects;

struct objects *objects_new(void);
void objects_free(struct objects *o); /* takes NULL */

void objects_attach(struct objects *o, struct content *c); /* takes a reference */
void objects_detach(struct objects *o, struct content *c);
/* The file was read, or could not be, or is gone: what stays for its sake is looked at again. */
void objects_unsettle(struct objects *o, struct holder *h);
/* What was good, or broken without a good version, before this process: of identities that were
 * never settled here. It stays only as such do whose file was forgotten. */
void objects_recall(struct objects *o, struct content *c);
/* Chooses for each identity touched since; lists and changes are those of this call. Objects
 * that no longer serve are there until objects_done. */
void objects_settle(struct objects *o);
void objects_done(struct objects *o);
/* Says again which stand twice and which are broken. */
void objects_note(const struct objects *o, struct notes *notes);

const struct object_change *objects_changes(const struct objects *o, size_t *ret_n);
const struct object_list *objects_list(const struct objects *o, enum object_kind kind);
const struct object_list *objects_broken(const struct objects *o);
const struct api_object *objects_find(const struct objects *o, struct str key);

/* One after another, all identities: `at` starts at 0. The version is the one that would serve on
 * if the file broke: the last good one, or else the broken one. */
struct object_kept {
    struct str key, holder;
    const struct api_object *version;
};
MUST_USE bool objects_next(const struct objects *o, size_t *at, struct object_kept *ret);
