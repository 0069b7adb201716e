/*
 * cli/state_writer - writes the files of the state directory on a thread of its own at low
 * priority: encoding and syncing 100,000 routes takes longer than making a change live.
 */
#pragma once

#include "base/buf.h"
#include "model/root.h"

struct state_writer;

/* Is told each image that was made to be written, on the writer's thread. `made` NULL: nobody. */
struct image_sink {
    void (*made)(void *arg, struct str octets, const struct root *root);
    void *arg;
};

/* Starts the thread, which writes files of `dir`; the string is borrowed. */
struct state_writer *state_writer_start(struct str dir, const struct image_sink *sink);

/* Both write behind what is being written, atomically, mode 0600. */
void state_writer_image(struct state_writer *w, struct root *take_root); /* "last-good" */
/* `name` is a literal or lives as long as the writer. Nothing in it: the file is removed. */
void state_writer_octets(struct state_writer *w, struct str name, struct buf *take_octets);

/* Whether something is being written: who comes often waits until it is not. Any thread. */
bool state_writer_is_busy(const struct state_writer *w);
/* Whether something could not be written since it was asked last. Any thread. */
bool state_writer_has_failed(struct state_writer *w);
/* Returns when everything given is written; takes NULL. */
void state_writer_stop(struct state_writer *w);
