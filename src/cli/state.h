/*
 * cli/state - what the state directory remembers from one run of the program to the next: the
 * objects that would serve on if their files broke (mesh/kept.h), and the last snapshot
 * (model/image.h). A program that starts over broken files comes to where one that ran on would
 * be; one that can read nothing at all serves the snapshot (design 5.5).
 *
 * Files: `lock`, held while somebody writes; `belongs-to`, the paths and flags that all else was
 * made from, because another program's leavings must not be served; `objects/00` to `objects/3f`;
 * `last-good`. Each is written whole or not at all, mode 0600: there are keys among them.
 *
 * Belongs to the compiler thread.
 */
#pragma once

#include "cli/run_options.h"
#include "cli/state_writer.h"
#include "mesh/mesh.h"

struct state;

/* `dir` and `run` are borrowed. */
struct state *state_new(struct str dir, const struct run_options *run,
                        const struct image_sink *sink);
/* Returns when everything is written; takes NULL. */
void state_free(struct state *s);

/* The last snapshot of these very manifests and flags, one reference. NULL: there is none, or
 * none that can be used, which is logged. None with --dev: its workloads are new ones. */
struct root *state_snapshot(struct state *s);
/* When it was written, milliseconds since 1970. */
int64_t state_snapshot_ms(const struct state *s);

/* For mesh_hooks.recall: gives `m` the objects of these manifests. */
void state_recall(struct state *s, struct mesh *m);
bool state_has_recalled(const struct state *s);

/* The snapshot to be written. */
void state_keep(struct state *s, struct root *root);
/* Whether state_write would have to wait. */
bool state_is_busy(const struct state *s);
/* Writes what differs of it and of the objects of `m`. False: another program holds the directory;
 * nothing is written. */
bool state_write(struct state *s, const struct mesh *m);
