/*
 * cli/control_int - the state of the control part, for the files that make it.
 */
#pragma once

#include "cli/compiler.h"
#include "cli/control.h"

#define REPORTS_WAITING_MAX 64

struct control {
    struct control_options o;
    struct arena arena;
    struct str state_dir, ca_path;
    struct ca *ca;             /* NULL without --dev */
    struct standins *standins; /* NULL without --dev */
    struct compiler_options compiler_options;
    struct compiler *compiler;
    bool has_told; /* the start */
    bool is_stopped;
    struct str log_file; /* that the first manifests asked for */

    /* Compiled and published, not live yet; oldest first. */
    struct report *waiting[REPORTS_WAITING_MAX];
    size_t waiting_n;
};

/* control_tell.c: a report of the compiler has arrived. */
void control_report(struct report *take, void *arg);
void control_forget_reports(struct control *c);
