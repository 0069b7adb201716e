/*
 * tests/unit/mesh/bench - a mesh over files in memory, and its roots as text.
 */
#pragma once

#include "mesh/mesh.h"

#define BENCH_FILES 48

struct bench {
    struct mesh_options options;
    struct mesh *mesh;
    struct root *root; /* the last one, or NULL */
    enum mesh_verdict verdict;
    struct source_file files[BENCH_FILES];
    size_t n;
    struct source_error error;
    bool has_error;
    struct arena arena; /* of the notes */
    struct notes notes;
    struct buf text; /* what bench_text returned last */
    int issues;      /* how often a certificate was asked for */
};

/* Options may be changed before the first update. */
void bench_init(struct bench *b);
void bench_fini(struct bench *b);
/* --dev: stand-ins at 127.0.0.1:9000 and up, ports below 1024 at + 8000, certificates from a
 * CA of the test. */
void bench_dev(struct bench *b);
/* Sets or replaces a file. Files are in the order in which they were first set. */
void bench_file(struct bench *b, const char *path, const char *octets);
void bench_remove(struct bench *b, const char *path);
bool bench_has(const struct bench *b, const char *path);
/* From now on a file cannot be read: its octets stay, if it was ever read. */
void bench_lock(struct bench *b, const char *path);
/* The files of `from` as a program sees them that starts now: nothing of those that are locked,
 * and not a word of those below `from->error`. */
void bench_start_over(struct bench *b, const struct bench *from);
void bench_read(struct bench *b, const char *path); /* a real file, by its path */
void bench_update(struct bench *b);
/* One file, one update. */
void bench_load(struct bench *b, const char *octets);

/* All parts of a kind as lines, in the order of their names; see bench.c. */
const char *bench_text(struct bench *b, enum part_kind kind);
/* Notes as lines "file:line:col: severity: text [CODE]"; only those that hold `needle`. */
const char *bench_notes(struct bench *b, const char *needle);
/* The routes of a virtual host, one a line: "<name> <match> -> <action>". */
const char *bench_routes(struct bench *b, const char *vhost);
/* Two roots are the same, part by part, with the places of their origins. */
void bench_check_same(const struct root *a, const struct root *b);
