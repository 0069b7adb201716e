/*
 * cli/keepsake - the last good octets of each manifest file, kept in the state directory, so
 * that a program that starts over a broken file serves what it served before (design 5.5).
 *
 * One small file a manifest, named by a hash of its real path; the first line is that path.
 * A deleted manifest's is deleted as well. Blocks; belongs to the compiler thread.
 */
#pragma once

#include "base/notes.h"
#include "source/files.h"

struct keepsake;

/* Makes `state_dir`/manifests. NULL where it cannot be had (errno). */
struct keepsake *keepsake_new(struct str state_dir);
void keepsake_free(struct keepsake *k); /* takes NULL */

/* What to compile before `scan` at the start: the same files, the broken ones as they were
 * when last good. False: nothing is broken, or nothing was kept. Strings live in `a`. */
bool keepsake_recall(struct keepsake *k, const struct source_scan *scan, struct arena *a,
                     struct source_scan *ret);

/* Takes note of the files that `notes` has no error for; keepsake_write writes them. */
void keepsake_note(struct keepsake *k, const struct source_scan *scan, const struct notes *notes);
/* Writes what changed and deletes what is gone. */
void keepsake_write(struct keepsake *k);
