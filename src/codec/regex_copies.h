/*
 * codec/regex_copies - one compiled object for each thread that uses it much.
 *
 * RE2 takes a lock in every match, for the cache that it keeps; threads that share an
 * object share that lock's cache line. The object made first serves all; a thread that has
 * used it REGEX_HOT times makes a copy of its own. The first 32 threads that match get
 * copies, later ones share: so memory is bounded.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define REGEX_HOT 256

struct regex_own;

struct regex_copies {
    void *first;
    _Atomic(struct regex_own *) own; /* by thread, made at first use */
};

/* The object that the calling thread is to use. `make(arg)` compiles one more, or NULL:
 * then the first is used on. */
void *regex_copy_mine(struct regex_copies *c, void *(*make)(const void *arg), const void *arg);
/* No thread may be using them. */
void regex_copies_free(struct regex_copies *c, void (*drop)(void *object));
