/*
 * source/files - where manifests come from without Kubernetes: the PATHs of `-f`.
 *
 * A PATH is a file, a directory (recursive; `*.yaml`, `*.yml`, `*.json` in octet order of
 * their path; names that begin with a dot are not looked at, as in a shell's glob, so that
 * a ConfigMap's `..data` is read once) or `-`, standard input, read once. Symbolic links are
 * followed. A file reached twice is read at its first place only.
 *
 * Rules (design 7): what cannot be read keeps its last good octets; a root that is missing or
 * unreadable is a source error and its files stay; only a readable directory without the
 * file deletes it.
 *
 * Blocks on files; belongs to one thread, the compiler's.
 */
#pragma once

#include "base/str.h"
#include "base/tally.h"
#include "event/loop.h"

#define SOURCE_QUIET_MS 10   /* changes are gathered until it was quiet for so long ... */
#define SOURCE_GATHER_MS 100 /* ... but never longer than this */
/* A file that is being written keeps its old octets so long, and one that is empty and was not: on
 * a busy machine a writer may rest that long between emptying and writing, and even before the
 * kernel told of the emptying. */
#define SOURCE_BUSY_MS 1000
#define SOURCE_EMPTY_MS 1000
#define SOURCE_GONE_MS 50 /* an editor may take a file away for a moment as it saves */

struct source;

struct source_file {
    struct str path;   /* the root as given, and the names below it */
    struct str octets; /* the last good ones; STR_NONE: there never were any, or dropped */
    bool dropped;      /* by source_drop_octets, and nothing about the file differs */
    struct str error;  /* set: it cannot be read now; "Permission denied" */
    uint64_t hash;     /* hash_stable of `octets` */
    bool changed;      /* octets or error differ from the scan before, or it is new */
};

/* A root or directory that cannot be read. */
struct source_error {
    struct str path, text;
};

/* What there is. Borrowed: valid until the next scan or source_free. */
struct source_scan {
    struct source_file *files; /* roots in the order given, each in octet order of path */
    size_t n;
    size_t own; /* the last so many of them are of source_add_own */
    struct source_error *errors;
    size_t error_count;
    struct source_error unwatched; /* a directory whose changes only SIGHUP shows; or unset */
    bool changed; /* anything at all differs from the scan before; true for the first */
};

/* `paths` are copied. A file above `max_octets` is an error of that file; 0: 64 MiB. */
struct source *source_new(const struct str *paths, size_t n, size_t max_octets);
void source_free(struct source *s);
/* Behind the PATHs: a directory that the program writes itself. Before the first scan, once. */
void source_add_own(struct source *s, struct str path);

/* Looks at everything now, holding nothing back. */
const struct source_scan *source_scan(struct source *s);

/* Octets handed out are not needed any more. A later scan has those that differ, and of files that
 * could not be read for a while. */
void source_drop_octets(struct source *s);

/* Files known, and what is kept of them, octets included that were not dropped. */
struct tally source_tally(const struct source *s);

/* Called on the loop's thread with each scan that changed something. */
typedef void source_changed_fn(struct source *s, const struct source_scan *scan, void *arg);

/* Starts watching; to be called before the first source_scan, so that no change falls between
 * the two. Without inotify (false, errno) only source_rescan looks again. */
MUST_USE bool source_watch(struct source *s, struct loop *loop, source_changed_fn *changed,
                           void *arg);
/* `--watch=false`: only source_rescan looks again. */
void source_attend(struct source *s, struct loop *loop, source_changed_fn *changed, void *arg);

/* SIGHUP: a scan at the loop's next turn, reported even where nothing changed. */
void source_rescan(struct source *s);
