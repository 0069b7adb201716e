/*
 * cli/image_file - the last good snapshot on disk, written by a thread of its own at low
 * priority: encoding and syncing 100,000 routes takes longer than making a change live.
 */
#pragma once

#include "model/root.h"

struct image_file;

/* Starts the thread, which writes `state_dir`/last-good; the string is borrowed. */
struct image_file *image_file_start(struct str state_dir);
/* Writes a snapshot behind the one that is being written; takes over the reference. */
void image_file_write(struct image_file *f, struct root *take_root);
/* Whether one is being written: who comes often waits until it is not. Any thread. */
bool image_file_is_busy(const struct image_file *f);
/* Returns when everything given is written; takes NULL. */
void image_file_stop(struct image_file *f);
