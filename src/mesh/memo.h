/*
 * mesh/memo - what an update need not do again (design 5.10).
 *
 * A memo is one piece of the compiler's work: what it was made from, as a hash of the objects
 * with their places; what it looked up in the registry of services, look-ups that found
 * nothing included; and what came out: a part, notes, counts. Where all of it is as it was,
 * the piece is not done: its part goes into the next root as the same pointer and its notes
 * are said again. A fresh compiler does the same pieces in the same order, so both come to
 * the same root and the same notes.
 */
#pragma once

#include "mesh/compile.h"

/* A service looked up by a piece of work, and what there was. */
struct memo_dep {
    struct str host;
    uint64_t digest; /* 0: no such service */
};

struct memo {
    struct str name;
    uint64_t key;
    uint64_t round;    /* the last update that had use for it */
    uint64_t registry; /* the registry that `deps` were compared with last */
    bool stale;        /* never to be recalled */
    struct arena *arena;
    struct notes notes;
    struct part *part; /* a reference, or NULL */
    struct memo_dep *deps;
    size_t dep_count, dep_cap;
    size_t unsupported, routes; /* what it adds to the summary */
    size_t result;              /* the piece's own */
};

struct memos {
    struct map by_name; /* -> struct memo */
    uint64_t round;
};

void memos_init(struct memos *ms);
void memos_fini(struct memos *ms);
/* Drops those that the update just made had no use for. */
void memos_sweep(struct memos *ms);

/* An object's content and places; the same object of another file is another. */
uint64_t memo_object(const struct api_object *o);

/* The memo of that name if it still holds for `key`; its notes and counts are taken over.
 * NULL: the piece has to be done. */
const struct memo *memo_recall(struct compile *c, struct str name, uint64_t key);

/* Around the work of a piece: until memo_end, notes and counts go to it, and what is made in
 * c->a lives no longer. */
struct memo_capture {
    struct memo *memo, *outer;
    struct notes *notes;
    struct arena *a;
    size_t unsupported, routes;
};
void memo_begin(struct compile *c, struct memo_capture *cap, struct str name, uint64_t key);
/* Notes and counts of the piece become the update's, too. `keep` false: it failed in part,
 * and is done again next time. */
struct memo *memo_end(struct compile *c, struct memo_capture *cap, bool keep);
/* A look-up of the piece under way, if there is one. */
void memo_looked_up(struct compile *c, struct str host, uint64_t digest);
