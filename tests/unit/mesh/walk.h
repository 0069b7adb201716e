/*
 * tests/unit/mesh/walk - random steps over a configuration: objects are edited, broken in their
 * fields or types, removed, mended; files become unparsable, vanish, hold an object twice.
 */
#pragma once

#include "base/rng.h"
#include "unit/mesh/bench.h"

#define STACKS 5
#define DOCS 9

extern const char *const walk_names[STACKS];
extern const char *const walk_files[STACKS][2];

enum state { GONE, WHOLE, BAD_FIELD, BAD_TYPE, STATES };
enum syntax { SYNTAX_FINE, SYNTAX_ONE, SYNTAX_MORE, SYNTAX_FILE };

struct walk {
    struct rng rng;
    enum state state[STACKS][DOCS];
    int variant[STACKS][DOCS], number[STACKS][DOCS];
    enum syntax syntax[STACKS][2]; /* of a file */
    bool missing[STACKS][2];
    bool twice[STACKS]; /* the first document stands in both files */
};

/* Everything is whole; nothing is written yet. */
void walk_init(struct walk *w, uint64_t seed);
/* One step; the stack it touched. */
int walk_step(struct walk *w);
/* Brings a file of a stack up to date. */
void walk_write(const struct walk *w, struct bench *b, int stack, int half);
