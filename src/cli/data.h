/*
 * cli/data - the data part (design 2): workers, service ports, access log, metrics. Lives on
 * one loop, a thread of the one process or main of a process of its own; never reads a
 * manifest.
 */
#pragma once

#include "cli/keeper.h"
#include "cli/pages.h"
#include "cli/report.h"
#include "model/feed.h"

struct data;

/* What data tells and asks; on the loop's thread. */
struct data_host {
    void (*live)(void *arg, uint64_t round); /* all workers serve what came up to that round */
    void (*drained)(void *arg);
    void (*drain_asked)(void *arg, bool at_once); /* POST /drain_listeners: drain, and stay */
    void (*quit_asked)(void *arg);                /* POST /quitquitquit */
    /* POST /logging: other processes follow. NULL: there are none. */
    void (*log_level)(void *arg, enum log_level level);
    void *arg;
};

struct data_options {
    const struct run_options *run;
    struct loop *loop;
    struct keeper *keeper; /* its group is `workers` */
    uint32_t workers;
    struct pages *pages; /* the sockets are handed over */
    bool is_back;        /* it replaces one that crashed: better without a log than not at all */
    struct data_host host;
};

/* Serves the service ports from now on. NULL: they cannot be served, people were told. */
struct data *data_new(const struct data_options *o);

/* Opens the access log and starts the workers, before the first root. False: the log cannot
 * be had, people were told. */
MUST_USE bool data_begin(struct data *d, const struct log_wish *wish);
/* Roots may be published from any thread. */
struct feed *data_feed(struct data *d);
/* A round of compiling that brought no root. */
void data_round(struct data *d, uint64_t round);

/* host.drained follows. Listeners accept for `min_ms` more, requests end within `max_ms`. */
void data_drain(struct data *d, uint32_t min_ms, uint32_t max_ms);
void data_reopen(struct data *d); /* log files */

/* Ends connections and workers, writes the log to its end. */
void data_stop(struct data *d); /* takes NULL */
void data_free(struct data *d); /* takes NULL; behind data_stop and the last publish */
