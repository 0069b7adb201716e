/*
 * mesh/memo - what an update need not do again (design 5.10).
 *
 * A memo is one piece of the compiler's work: what it was made from, as a hash of objects with
 * their places; what else it has read (mesh/inputs.h); and what came out: a part, notes,
 * counts. Where all of it is as it was, the piece is not done. A fresh compiler does the same
 * pieces, so both come to the same root and the same notes.
 */
#pragma once

#include "mesh/compile.h"

struct memo;
typedef void memo_redo_fn(struct compile *c, const struct memo *m);

struct memo {
    struct reader reader;
    uint64_t serial; /* no other piece ever has it */
    struct str name;
    uint64_t key;
    uint64_t round; /* the last plan that had use for it */
    bool stale;     /* never to be recalled */
    struct arena *arena;
    struct notes notes;
    struct list noted;          /* it has notes */
    struct part *part;          /* a reference, or NULL */
    size_t unsupported, routes; /* what it adds to the summary */
    size_t octets;              /* what it takes */
    /* The piece's own: its result, and what of the plan it is about, for doing it again under
     * the same plan. */
    size_t result;
    memo_redo_fn *redo;
    void *at[3];
    struct credentials *credentials; /* of a filter chain */
};

struct memos {
    struct map by_name; /* -> struct memo */
    uint64_t round;
    struct list noted;
    size_t unsupported, routes, octets;
};

void memos_init(struct memos *ms);
void memos_fini(struct memos *ms, struct inputs *in);
/* A new plan begins; and is done: what it had no use for is dropped. */
void memos_begin(struct memos *ms);
void memos_sweep(struct memos *ms, struct inputs *in);
void memos_drop(struct memos *ms, struct inputs *in, struct str name); /* none: nothing */
/* Appends the notes of all. */
void memos_say(const struct memos *ms, struct notes *to);

/* An object's content and places; the same object of another file is another. */
uint64_t memo_object(const struct api_object *o);
/* What notes borrow from objects and from the update, which they are to outlive. */
void notes_own(struct notes *notes);

/* The memo of that name if it still holds for `key`. NULL: the piece has to be done. */
struct memo *memo_recall(struct compile *c, struct str name, uint64_t key);

/* Kinds of pieces: the first number of their names, which are 8 octets. */
enum memo_kind { MEMO_VERDICT = 1, MEMO_RULES, MEMO_VHOST, MEMO_CHAIN, MEMO_TABLE, MEMO_USE };
static inline struct str memo_name(const uint64_t *name)
{
    return str_make((const char *)name, sizeof(*name));
}

/* Around the work of a piece: until memo_end, notes, counts and inputs go to it, and what is made
 * in c->a lives no longer. */
struct memo_capture {
    struct memo *memo;
    struct reader *outer;
    struct notes *notes;
    struct arena *a;
    size_t unsupported, routes;
};
void memo_begin(struct compile *c, struct memo_capture *cap, struct str name, uint64_t key);
/* Takes the place of the one before. `keep` false: it failed in part, and is never recalled. */
struct memo *memo_end(struct compile *c, struct memo_capture *cap, bool keep);
