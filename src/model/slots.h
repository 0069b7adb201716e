/*
 * model/slots - the process-wide table of slot numbers, for the folder's own files: how
 * parts keep their numbers taken. The public side stands in model/root.h. Locked.
 */
#pragma once

#include "model/part.h"

/* The slot of a name, taken once more; slot_drop gives that back. */
slot_id slot_take(enum part_kind kind, struct str name);
void slot_take_again(enum part_kind kind, slot_id slot); /* one that is taken; or SLOT_NONE */
void slot_drop(enum part_kind kind, slot_id slot);       /* or SLOT_NONE */
