/*
 * base/notes - messages about a place in a manifest, collected for people.
 *
 * Printed as `file:line:col: error|warning|info: text [CODE]` (surface.md 1). The text and
 * the file name live in the arena of the collection.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct pos {
    struct str file;
    uint32_t line, col; /* from 1; 0: unknown */
};

enum severity { SEV_ERROR, SEV_WARNING, SEV_INFO };

struct note {
    enum severity severity;
    struct pos pos;
    struct str text;
    const char *code; /* "LAT0102", or NULL; a literal */
    /* Where it is about an object: "VirtualService ns/name", and the field's path. */
    struct str object, path;
    /* What overrides or shadows it; file not set: nothing is named. */
    struct pos other;
    struct str other_object;
};

#define NOTES_MAX 1000 /* what comes after is only counted */

struct notes {
    struct arena *arena;
    struct note *v;
    size_t n, cap;
    size_t max; /* NOTES_MAX, unless the owner sets another; SIZE_MAX: no limit */
    size_t errors, warnings, dropped;
};

void notes_init(struct notes *notes, struct arena *arena);

/* Adds a message; `arena` keeps its text. */
void note_add(struct notes *notes, enum severity severity, struct pos pos, const char *code,
              const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The note added last, to be told more about; NULL where it was dropped. */
struct note *notes_last(struct notes *notes);

/* Appends all of `from`, copied into the arena of `to`. */
void notes_append(struct notes *to, const struct notes *from);

/* Stable order: file, line, column. */
void notes_sort(struct notes *notes);

/* One line with its newline. */
void note_print(struct buf *b, const struct note *note);
const char *severity_name(enum severity s);
