/*
 * cli/control - the control part (design 2): the compiler thread, what --dev brings, and what is
 * told to people: the block at the start, a line for each reload. Lives on one loop.
 */
#pragma once

#include "cli/keeper.h"
#include "cli/report.h"
#include "cli/run_options.h"
#include "cli/state_writer.h"
#include "model/feed.h"
#include "proxy/admin.h"

struct control;

/* What control tells; on the loop's thread. */
struct control_host {
    /* Manifests are read for the first time: data may begin, before the first root. */
    void (*begin)(void *arg, const struct log_wish *wish);
    void (*round)(void *arg, uint64_t round); /* it brought no root */
    void (*told)(void *arg);                  /* people know of the start, then of each reload */
    void (*refused)(void *arg);               /* it cannot start; people know why */
    void *arg;
};

struct control_options {
    const struct run_options *run;
    struct loop *loop;
    struct keeper *keeper;
    struct feed *feed;
    struct image_sink images;            /* of those that are made for the state directory */
    uint32_t workers;                    /* told at the start */
    struct addr page_addrs[ADMIN_PORTS]; /* so are they; family 0: off */
    uint64_t started_ns;                 /* of the program, monotonic */
    uint64_t rounds_before;              /* of the control part that this one replaces */
    bool is_back;                        /* it replaces one that had told the start */
    struct control_host host;
};

/* Starts to read manifests. NULL: it cannot, people were told. */
struct control *control_new(const struct control_options *o);
/* Reads and compiles everything again. */
void control_rescan(struct control *c);
/* Data serves what was published up to that round. */
void control_live(struct control *c, uint64_t round);
/* Ends the compiler, which writes what it still has to write; nothing is told any more.
 * Takes NULL. Behind the end of the workers, where they are threads of this process. */
void control_stop(struct control *c);
void control_free(struct control *c); /* takes NULL; behind control_stop */
