/*
 * cli/program_int - the state of `lateen run` on main's thread, for the files that make it.
 */
#pragma once

#include "cli/compiler.h"
#include "cli/front.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "proxy/admin.h"
#include "telemetry/turns.h"

/*   STARTING -> SERVING -> DRAINING -> LEAVING      (any state may go to LEAVING) */
enum program_state { STARTING, SERVING, DRAINING, LEAVING };

#define REPORTS_WAITING_MAX 64

struct program {
    const struct run_options *o;
    struct arena *arena;
    struct loop *loop;
    struct signals signals;
    struct timer watchdog, tickets;
    struct turns_watch turns;
    uint8_t state; /* enum program_state */
    bool stays;    /* draining was asked for at the admin port: it does not leave behind it */
    bool is_drained;
    int exit_code;
    uint32_t workers;
    uint64_t started_ns;

    struct str state_dir, ca_path;
    struct ca *ca;
    struct standins *standins;
    struct keeper *keeper;
    struct front *front;
    struct feed *image_feed; /* LATEEN_FEED=image: stands before the front's; else NULL */
    struct compiler_options compiler_options;
    struct compiler *compiler;
    struct access_log *log;
    struct str log_file; /* of MeshConfig or the flag, as opened */
    struct admin *admin;
    struct addr page_addrs[ADMIN_PORTS]; /* family 0: off */

    /* Compiled and published, not live yet; oldest first. */
    struct report *waiting[REPORTS_WAITING_MAX];
    size_t waiting_n;
};

/* program_start.c: what is needed before the first manifest is read. */
MUST_USE bool program_pages(struct program *p);
MUST_USE bool program_dev(struct program *p);
/* Opens the access log; false: it was asked for and cannot be had. */
MUST_USE bool program_log(struct program *p, const struct log_wish *wish);

/* program_tell.c: what happens while it runs, and what is said about it. */
void program_report(struct report *take, void *arg);
void program_live(void *arg, uint64_t generation);
void program_forget_reports(struct program *p);

/* program_leave.c: signals, draining, leaving. */
void program_signal(struct signals *s, int number);
void program_drained(void *arg);
void program_leave(struct program *p, int exit_code);
void program_drain(struct program *p); /* POST /drain_listeners: drains, and stays */
void program_reopen(struct program *p);
