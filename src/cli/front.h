/*
 * cli/front - the data part's end of the feed: workers, and the sockets that they get from
 * the keeper. Lives on main; roots arrive by mail from the compiler thread.
 */
#pragma once

#include "cli/keeper.h"
#include "event/loop.h"
#include "model/feed.h"

struct front;
struct access_log;

struct front_options {
    struct loop *main;
    struct keeper *keeper; /* its group is `workers` */
    uint32_t workers;
    uint64_t max_descriptors; /* of the process: connections are a share of it */
    uint64_t memory_limit;    /* of the process, octets; 0: none */
    /* The workers serve what was published up to that round. On main. */
    void (*live)(void *arg, uint64_t round);
    /* All workers are through with draining. On main. */
    void (*drained)(void *arg);
    void *arg;
};

struct front *front_new(const struct front_options *o);
struct feed *front_feed(struct front *f);

/* Starts the workers; before the first root arrives. `log` is borrowed, NULL: none. */
void front_start(struct front *f, struct access_log *log);
bool front_is_started(const struct front *f);

/* A round of compiling that brought no root: ends listening sockets that were asked for in it
 * or before, but by no root. */
void front_round(struct front *f, uint64_t round);

/* Clients are told to go; listeners stay. */
void front_tell_to_go(struct front *f);
/* live_pressure() is another one. */
void front_squeeze(struct front *f);
void front_drain(struct front *f, uint32_t min_ms, uint32_t max_ms);
/* Ends all connections and threads. */
void front_stop(struct front *f);
void front_free(struct front *f); /* behind front_stop and the end of the compiler */

/* Workers, counted from 0, while they run; NULL: no such one. */
struct worker *front_worker(const struct front *f, size_t i);

/* What the workers serve: for the admin pages. Borrowed until the next root; NULL before. */
const struct root *front_root(const struct front *f);
