/*
 * live/seats - how many client connections each worker has, so that they stay even.
 *
 * The kernel deals connections to workers by chance: of eight that live long one worker may get
 * seven. A worker that has accepted one too many sends it to the one with the fewest, before its
 * first read (design 5.11). Counts are exact across workers; sending takes a lock, which no
 * other connection meets.
 */
#pragma once

#include "event/loop.h"

struct seat_mail {
    struct mail mail;
    void *owner; /* of the worker that gets it */
};

/* From now on connections may be sent to the worker: to its thread's loop. */
void seats_open(uint32_t worker, struct loop *loop, void *owner);
/* Nothing is sent to it any more; what was sent before is in its mail. Harmless again. */
void seats_close(uint32_t worker);
/* The snapshot it serves: connections go only between workers that serve the same. */
void seats_serve(uint32_t worker, uint64_t generation);

void seats_add(uint32_t worker, int32_t by);
uint32_t seats_taken(uint32_t worker);

/* Who shall have the connection that `worker` has accepted and not counted: itself as a rule. */
uint32_t seats_pick(uint32_t worker);
/* Counts one more there and posts `take_mail` to its loop. False: nothing is sent to it. */
MUST_USE bool seats_send(uint32_t worker, struct seat_mail *take_mail);
