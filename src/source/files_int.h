/*
 * source/files_int - what the files of this folder share.
 */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "source/files.h"

#include <sys/stat.h>

/* When both are equal the content is, unless it was changed in the last moment. */
struct file_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
    int64_t read_at_s; /* wall clock when the octets were read */
};

/* One file that was ever read and is not deleted. */
struct file_record {
    struct str path; /* heap, NUL-terminated */
    size_t root;
    bool known;   /* it was read: `n` and `hash` hold */
    char *octets; /* heap; NULL: never read, or dropped */
    size_t n;
    uint64_t hash;
    bool lost; /* could not be read in the last scan: its octets are to be told again */
    struct file_stamp stamp;
    char error[128]; /* empty: fine */
    bool fresh;      /* new in this scan */
    bool changed;
    bool seen;            /* in this scan */
    uint64_t gone_at_ms;  /* first missed; 0: not missing */
    uint64_t empty_at_ms; /* first found empty that was not; 0: it is as it was */
    struct timespec empty_mtime;
};

/* A directory under inotify. `all`: every name counts; else those of `names`. */
struct dir_watch {
    int wd;
    struct str path; /* heap */
    bool all;
    struct map names; /* keys on the heap */
    uint64_t scan;    /* the last scan that wanted it */
};

struct source_root {
    struct str path; /* heap, NUL-terminated, no slash at its end */
    bool once;       /* standard input or a pipe: read at the first scan only */
    bool done;
    bool own; /* of source_add_own */
};

struct source {
    struct source_root *roots;
    size_t root_count;
    size_t max_octets;
    uint64_t scans;

    struct map records;  /* path -> struct file_record */
    struct arena *arena; /* of the scan that was handed out */
    struct source_scan out;
    struct map ids; /* "dev:ino" of the files of this scan; keys in the arena */
    size_t file_cap, error_cap;
    bool patient; /* this scan holds back what is being written */
    bool held;    /* it did */

    struct loop *loop;
    source_changed_fn *changed;
    void *arg;
    int fd; /* inotify, or -1 */
    struct watch watch;
    struct task events; /* inotify has something */
    struct task task;   /* a scan is due */
    struct timer timer;
    uint64_t first_event_ms; /* of those gathered; 0: none */
    bool rescan;
    struct dir_watch **dirs;
    size_t dir_count, dir_cap;
    struct map busy;    /* path (heap) -> struct busy: being written */
    struct str probe;   /* the file being read: an event for it sets ... */
    bool probe_written; /* ... this */
};

/* walk.c: finds the files of a root and reads them into records. */
void walk_root(struct source *s, size_t index);
bool name_is_manifest(struct str name); /* by its ending */
/* read.c: brings a record up to date, its error included. False: the file is gone. */
MUST_USE bool read_record(struct source *s, struct file_record *r);
/* Nothing is to be read: it is fine, and the file was not touched since. */
bool record_is_current(const struct file_record *r, const struct stat *st);
void source_add_error(struct source *s, struct str path, const char *text);
struct file_record *source_record(struct source *s, struct str path, size_t root);
/* The files that this scan came across. */
bool source_has_id(const struct source *s, dev_t dev, ino_t ino);
void source_add_id(struct source *s, dev_t dev, ino_t ino);
/* Missing or empty for so short a time that a patient scan does not believe it yet. */
bool source_may_come_back(struct source *s, uint64_t *since_ms, uint64_t for_ms);
/* Whether a patient scan has to leave this file as it was. */
bool source_is_busy(struct source *s, struct str path);
/* Whether it was written to meanwhile, by events that nobody has looked at yet. */
bool source_was_written(struct source *s, struct str path);

/* notify.c */
void notify_dir(struct source *s, const char *path);  /* all of its names count */
void notify_path(struct source *s, const char *path); /* what may change where it leads */
void notify_sweep(struct source *s);                  /* drops what this scan did not want */
void notify_fini(struct source *s);
