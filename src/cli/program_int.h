/*
 * cli/program_int - the state of `lateen run` on main, for the files that make it. The keeper's
 * part is the same whatever control and data are: threads or processes.
 */
#pragma once

#include "cli/keeper.h"
#include "cli/pages.h"
#include "cli/program.h"
#include "cli/signals.h"

/*   STARTING -> SERVING -> DRAINING -> LEAVING      (any state may go to LEAVING) */
enum program_state { STARTING, SERVING, DRAINING, LEAVING };

struct program;

/* How the keeper reaches control and data. */
struct parts {
    struct program *program;
    MUST_USE bool (*start)(struct parts *p);
    void (*rescan)(struct parts *p);
    void (*reopen)(struct parts *p);
    void (*drain)(struct parts *p, uint32_t min_ms, uint32_t max_ms);
    void (*leave)(struct parts *p); /* ends what runs, then the loop */
    void (*reap)(struct parts *p);  /* SIGCHLD; NULL: there are no children */
    void (*free)(struct parts *p);
};

struct parts *threads_new(struct program *p); /* threads.c */
/* processes.c; `argv` ("lateen", "run" and what stands behind it, then NULL) is borrowed. */
struct parts *processes_new(struct program *p, const char *const *argv);

struct program {
    const struct run_options *o;
    struct loop *loop;
    struct signals signals;
    struct timer watchdog;
    uint8_t state; /* enum program_state */
    bool stays;    /* draining was asked for at the admin port: it does not leave behind it */
    bool is_drained;
    int exit_code;
    uint32_t workers;
    uint64_t started_ns;
    struct keeper *keeper;
    struct pages pages;
    struct parts *parts;
};

/* ---- what the parts tell ---- */

void program_told(struct program *p); /* people know of the start, or of a reload */
void program_drained(struct program *p);
/* POST /drain_listeners: drains, and stays; `at_once`: listeners accept no more. */
void program_drain(struct program *p, bool at_once);
void program_leave(struct program *p, int exit_code);

/* program_leave.c */
void program_signal(struct signals *s, int number);
