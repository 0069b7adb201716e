/*
 * mesh/verdict - what became of a field that a manifest sets (design 5.4).
 *
 * Stored only where it is not "effective": as a note with object and path, for all that
 * stands below that path. mesh_each_verdict goes through every leaf of every object.
 */
#pragma once

#include "base/buf.h"
#include "base/notes.h"
#include "mesh/mesh.h"

enum verdict_kind {
    VERDICT_EFFECTIVE,
    VERDICT_OVERRIDDEN,     /* another object, or the last good version, says it */
    VERDICT_SHADOWED,       /* what stands before it takes every request */
    VERDICT_NOT_APPLICABLE, /* nothing here that it could act on */
    VERDICT_UNSUPPORTED,
    VERDICT_KINDS
};

const char *verdict_kind_name(enum verdict_kind kind); /* "effective", "not applicable", ... */

struct verdict {
    enum verdict_kind kind;
    struct str object, path;
    struct pos pos;
    struct str text;         /* why; STR_NONE where effective */
    const struct note *note; /* that it comes from; NULL where effective */
};

/* False: the note is no verdict (a broken value, a file). `ret->path` is what it covers: the
 * place of the note or the message around it; empty: all of the object. */
MUST_USE bool verdict_of_note(const struct note *n, struct verdict *ret);

/* "file:line:col: unsupported: VirtualService ns/name: field: why (by Kind ns/name, place)",
 * without a newline. */
void verdict_print(struct buf *b, const struct verdict *v);
/* What is not carried out is worse than what another object says, that than what is never
 * reached, and that than what has nothing to act on; of one kind errors are worse. */
bool verdict_is_worse(const struct verdict *a, const struct verdict *b);

typedef void mesh_verdict_fn(void *arg, const struct verdict *v);
/* Every leaf of every object that is served, as of the last update, whose notes these are;
 * then what the notes say of places that are no such leaf. Valid during the call. */
void mesh_each_verdict(const struct mesh *m, const struct notes *notes, mesh_verdict_fn *fn,
                       void *arg);
/* How many leaves of each kind. */
void mesh_count_verdicts(const struct mesh *m, const struct notes *notes,
                         size_t ret_counts[VERDICT_KINDS]);
