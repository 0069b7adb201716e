/*
 * cli/report - what one run of the compiler has to tell people, on its way to main.
 */
#pragma once

#include "base/arena.h"
#include "event/loop.h"
#include "mesh/verdict.h"

/* Where requests are logged, as MeshConfig says (flags win over it). */
struct log_wish {
    struct str file;   /* empty: nowhere */
    struct str format; /* empty: the default */
    bool json;
};

/* Where the time of a change went; what is left to `live` is publishing. Nanoseconds. */
struct report_cost {
    uint64_t read, decode, compile;
    uint64_t sent; /* the clock, when all of it was done */
};

struct report {
    struct mail mail;
    void (*arrived)(struct report *take, void *arg); /* on main's thread */
    void *arg;

    struct arena *arena; /* all of it */
    uint64_t round;
    bool is_first;             /* of this compiler */
    enum mesh_verdict verdict; /* MESH_NEW: a root is published just behind */
    uint64_t seen_ns;          /* when the change was seen, monotonic */
    struct report_cost cost;
    bool is_source_lost; /* not one PATH could be read, ever */
    bool is_retry;       /* of a port, unasked: nothing is said unless something came of it */

    struct str block;    /* listeners, hosts, certificates; with the first MESH_NEW */
    struct str curls;    /* lines to paste; empty without --dev */
    struct str problems; /* note lines: at the start the worst, later those that are new */
    struct str changed;  /* the files that changed: "a.yaml, b.yaml" */
    size_t errors, warnings, unsupported;
    size_t verdicts[VERDICT_KINDS]; /* places that are not effective, by verdict */
    struct str worst;               /* of them, as verdict_print has it; empty: none */
    size_t listeners;
    struct log_wish log;
};

/* An empty report in an arena of its own. */
struct report *report_new(void);
void report_free(struct report *r); /* takes NULL */
