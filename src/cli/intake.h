/*
 * cli/intake - the reading side of images in a data process: a thread that reads snapshots,
 * publishes them, and frees parts that nobody holds any more, as the compiler's does where
 * both are one process.
 */
#pragma once

#include "model/feed.h"

struct intake;
struct loop;

struct intake_options {
    struct feed *feed; /* of data */
    struct loop *main;
    /* On main, behind all that came before: a round that brought no root. */
    void (*round)(void *arg, uint64_t round);
    void *arg;
};

/* Starts the thread. */
struct intake *intake_start(const struct intake_options *o);
/* An image in a sealed memory file, or a change of the one before; the descriptor is taken
 * over. Round 0: the next follows at once, this one is not served. */
void intake_image(struct intake *in, int take_fd, uint64_t round);
void intake_change(struct intake *in, int take_fd, uint64_t round);
void intake_round(struct intake *in, uint64_t round);
/* Behind the end of the workers. Takes NULL; main's mail is still to be delivered. */
void intake_stop(struct intake *in);
