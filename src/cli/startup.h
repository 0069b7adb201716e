/*
 * cli/startup - what `lateen run` prints when it is up: what it listens on, for which hosts,
 * with which certificate, and in --dev a curl line for each listener.
 *
 * Pure text from the compiler's summary; the compiler thread builds it, main prints it.
 */
#pragma once

#include "base/notes.h"
#include "cli/run_options.h"
#include "mesh/mesh.h"

struct startup_input {
    const struct run_options *run;
    const struct mesh_summary *summary;
    const struct root *root;
    struct str ca_path; /* STR_NONE: no local CA */
    int64_t now_ms;     /* wall clock */
};

/* Listeners, certificates, stand-ins: lines with their newlines, in the arena. */
struct str startup_text(const struct startup_input *in, struct arena *a);
/* The same of a snapshot alone, for a start at which no manifest can be read. */
struct str startup_cold_text(const struct root *root, struct str written, struct arena *a,
                             size_t *ret_listeners);
/* --dev: a curl line for each listener; else empty. */
struct str startup_curls(const struct startup_input *in, struct arena *a);

/* ---- notes as lines, the worst first, a few of many ---- */

#define NOTE_LINES_SHOWN 8

struct note_lines {
    struct buf text[3]; /* by severity */
    size_t shown[3], n[3];
};

void note_lines_init(struct note_lines *l);
void note_lines_fini(struct note_lines *l);
void note_lines_add(struct note_lines *l, enum severity severity, struct str line);
/* At most NOTE_LINES_SHOWN errors and warnings, then how many more there are. Infos are shown
 * only if there is nothing worse. */
struct str note_lines_text(const struct note_lines *l, struct arena *a);

/* One note as it is printed, with its newline. */
struct str note_line(const struct note *note, struct arena *a);
